package sqlite

import (
	"database/sql/driver"
	"encoding/binary"
	"math"

	"policyd-rdns/policy/history"
)

// columns are those of a record, after its party. A blob that is too long is not read,
// and no blob.
const columns = `first_contact, last_contact, first_pass, last_pass, returned, objected, last_objection,
	CASE WHEN deferrals IS NULL OR octet_length(deferrals) <= 64 THEN deferrals ELSE 'too long' END`

const (
	moments      = 7
	deferralSize = 8 // a hash and a moment, big-endian
)

// decode reads the columns of a record, which may hold anything. Not ok: they are not
// what encode has written, and of the party nothing is known.
func decode(row []driver.Value) (r history.Record, ok bool) {
	if len(row) != moments+1 {
		return r, false
	}
	var m [moments]history.Moment
	for i := range m {
		seconds, isInt := row[i].(int64)
		if !isInt || seconds < 0 || seconds > math.MaxUint32 {
			return r, false
		}
		m[i] = history.Moment(seconds)
	}
	blob, isBlob := row[moments].([]byte)
	if row[moments] != nil && !isBlob || len(blob)%deferralSize != 0 || len(blob) > history.MaxDeferrals*deferralSize {
		return r, false
	}
	r = history.Record{
		FirstContact: m[0], LastContact: m[1], FirstPass: m[2], LastPass: m[3], Returned: m[4], Objected: m[5], LastObjection: m[6],
	}
	for ; len(blob) > 0; blob = blob[deferralSize:] {
		d := history.Deferral{Hash: binary.BigEndian.Uint32(blob), At: history.Moment(binary.BigEndian.Uint32(blob[4:]))}
		r.Deferrals = append(r.Deferrals, d)
	}
	return r, true
}

// encode adds the columns of a record.
func encode(row []driver.Value, r *history.Record) []driver.Value {
	for _, m := range [moments]history.Moment{
		r.FirstContact, r.LastContact, r.FirstPass, r.LastPass, r.Returned, r.Objected, r.LastObjection,
	} {
		row = append(row, int64(m))
	}
	if len(r.Deferrals) == 0 {
		return append(row, nil)
	}
	var blob []byte
	for _, d := range r.Deferrals[:min(len(r.Deferrals), history.MaxDeferrals)] {
		blob = binary.BigEndian.AppendUint32(blob, d.Hash)
		blob = binary.BigEndian.AppendUint32(blob, uint32(d.At))
	}
	return append(row, blob)
}

// rankKnown is added to the rank of who passed.
const (
	rankKnown = 1 << 21
	hour      = 3600
	day       = 86400
)

// rank is the place in the order in which parties go: who never passed first, by the
// hour of its first contact; then the others, by the day of their last pass. So coarse
// it rarely changes, and the index on it is rarely written.
func rank(r *history.Record) int64 {
	if r.LastPass == 0 {
		return int64(r.FirstContact / hour)
	}
	return rankKnown + int64(r.LastPass/day)
}
