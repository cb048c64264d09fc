package history

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// Moment is a time in seconds since 1970, in UTC; 0: never.
type Moment uint32

// MomentOf is a time as a moment. What lies before 1970 is never.
func MomentOf(t time.Time) Moment {
	if s := t.Unix(); s > 0 {
		return Moment(s)
	}
	return 0
}

// Time is the moment in UTC; the zero time for never.
func (m Moment) Time() time.Time {
	if m == 0 {
		return time.Time{}
	}
	return time.Unix(int64(m), 0).UTC()
}

// after is how long after another moment it is; 0: it is not.
func (m Moment) after(other Moment) time.Duration {
	if m <= other {
		return 0
	}
	return time.Duration(m-other) * time.Second
}

// MaxDeferrals is how many messages are remembered that a party was deferred for.
const MaxDeferrals = 8

// Deferral is a message that a party was deferred for.
type Deferral struct {
	Hash uint32 // of sender domain and recipient, keyed
	At   Moment
}

// Record is what is remembered of one party.
type Record struct {
	FirstContact, LastContact Moment
	FirstPass, LastPass       Moment
	Returned                  Moment // the last return, or the last before the pass that makes it known
	// Objected and LastObjection are the begin and the last of a series of objections.
	Objected, LastObjection Moment
	Deferrals               []Deferral // the first MaxDeferrals, by time
}

// Settings say how long what is remembered counts. The zero value forgets at once.
type Settings struct {
	Delay  time.Duration // who tries the same again after this
	Window time.Duration // and within this has returned
	Keep   time.Duration // how long a party is known after its last pass
}

// Empty reports whether nothing is remembered.
func (r *Record) Empty() bool {
	return r.FirstContact|r.LastContact|r.FirstPass|r.LastPass|r.Returned|r.Objected|r.LastObjection == 0 && len(r.Deferrals) == 0
}

// passGap is how far apart the first and the last pass are of a party that is known.
const passGap = 20 * time.Hour

// Known reports whether the record, as it is at some time, makes a party known: it passed
// twice, 20 hours apart, or came back and then passed.
func (r *Record) Known() bool {
	return r.LastPass != 0 && (r.LastPass.after(r.FirstPass) >= passGap || r.Returned != 0 && r.LastPass >= r.Returned)
}

// comeBack notes a return. One that a pass has followed stays if that alone makes the
// party known: a further return takes nothing away.
func (r *Record) comeBack(now Moment) {
	if !r.Known() || r.LastPass.after(r.FirstPass) >= passGap {
		r.Returned = now
	}
}

// stands reports whether At changes nothing, as of one who passes all the time.
func (r *Record) stands(now Moment, s *Settings) bool {
	return r.LastPass != 0 && r.Objected == 0 && len(r.Deferrals) == 0 && max(r.LastPass, r.LastContact, r.Returned) <= now &&
		now.after(r.LastPass) <= s.Keep
}

// At is the record as it counts at a moment: what is over is gone, and what lies in the
// future is of now.
func (r Record) At(now Moment, s *Settings) Record {
	for _, m := range []*Moment{&r.FirstContact, &r.LastContact, &r.FirstPass, &r.LastPass, &r.Returned, &r.Objected, &r.LastObjection} {
		*m = min(*m, now)
	}
	if now.after(r.LastPass) > s.Keep {
		r.FirstPass, r.LastPass = 0, 0
	}
	if r.LastPass == 0 {
		if now.after(r.FirstContact) > s.Window {
			r.FirstContact, r.LastContact = 0, 0
		}
		if now.after(r.Returned) > s.Window {
			r.Returned = 0
		}
	}
	if now.after(r.LastObjection) > s.Window || r.LastPass >= r.Objected && r.LastPass != 0 {
		r.Objected, r.LastObjection = 0, 0
	}
	gone := func(d Deferral) bool { return now.after(d.At) > s.Window || d.At <= r.Returned }
	if slices.ContainsFunc(r.Deferrals, gone) {
		r.Deferrals = slices.DeleteFunc(slices.Clone(r.Deferrals), gone)
	}
	return r
}

// Merge adds what another record of the same party has. It gives the same in any order,
// and merging the same again changes nothing, so that a batch may be written twice.
func (r *Record) Merge(o *Record, s *Settings) {
	switch {
	case o.Objected == 0:
	case r.Objected == 0, o.Objected.after(r.LastObjection) > s.Window, r.LastPass >= r.LastObjection && r.LastPass < o.Objected:
		r.Objected, r.LastObjection = o.Objected, o.LastObjection
	case r.Objected.after(o.LastObjection) > s.Window, o.LastPass >= o.LastObjection && o.LastPass < r.Objected:
	default:
		r.Objected, r.LastObjection = min(r.Objected, o.Objected), max(r.LastObjection, o.LastObjection)
	}
	switch {
	case o.LastPass == 0:
	case r.LastPass == 0, o.FirstPass.after(r.LastPass) > s.Keep:
		r.FirstPass, r.LastPass = o.FirstPass, o.LastPass
	case r.FirstPass.after(o.LastPass) > s.Keep:
	default:
		r.FirstPass, r.LastPass = min(r.FirstPass, o.FirstPass), max(r.LastPass, o.LastPass)
	}
	r.FirstContact = earlier(r.FirstContact, o.FirstContact)
	r.LastContact = max(r.LastContact, o.LastContact)
	if first, last := earlier(r.Returned, o.Returned), max(r.Returned, o.Returned); last <= r.LastPass || first > r.LastPass {
		r.Returned = last
	} else {
		r.Returned = first // a pass has followed it
	}
	if len(o.Deferrals) > 0 {
		r.deferrals(o.Deferrals, s)
	}
}

// deferrals adds deferrals, of which the first are kept.
func (r *Record) deferrals(more []Deferral, s *Settings) {
	all := slices.Clone(r.Deferrals)
	for _, d := range more {
		i := slices.IndexFunc(all, func(old Deferral) bool { return old.Hash == d.Hash })
		switch {
		case i < 0:
			all = append(all, d)
		case d.At.after(all[i].At) > s.Window:
			all[i].At = d.At // the one before is over
		case all[i].At.after(d.At) <= s.Window:
			all[i].At = min(all[i].At, d.At)
		}
	}
	slices.SortFunc(all, func(a, b Deferral) int { return int(int64(a.At) - int64(b.At)) })
	r.Deferrals = all[:min(len(all), MaxDeferrals)]
}

// earlier is the earlier of two moments, of which one may be never.
func earlier(a, b Moment) Moment {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// moments are the moments of a record in the order of its encoding.
func (r *Record) moments() [7]*Moment {
	return [7]*Moment{&r.FirstContact, &r.LastContact, &r.FirstPass, &r.LastPass, &r.Returned, &r.Objected, &r.LastObjection}
}

const (
	encodingVersion = 1
	encodedHead     = 1 + 7*4
	encodedDeferral = 2 * 4
)

// AppendBinary adds the record as bytes: a version, its moments, its deferrals, in
// big-endian order. It never fails.
func (r *Record) AppendBinary(b []byte) ([]byte, error) {
	b = append(b, encodingVersion)
	for _, m := range r.moments() {
		b = binary.BigEndian.AppendUint32(b, uint32(*m))
	}
	for _, d := range r.Deferrals[:min(len(r.Deferrals), MaxDeferrals)] {
		b = binary.BigEndian.AppendUint32(b, d.Hash)
		b = binary.BigEndian.AppendUint32(b, uint32(d.At))
	}
	return b, nil
}

// UnmarshalBinary reads what AppendBinary has written. Anything else is an error, and
// leaves the record empty.
func (r *Record) UnmarshalBinary(b []byte) error {
	*r = Record{}
	rest := len(b) - encodedHead
	if rest < 0 || b[0] != encodingVersion || rest%encodedDeferral != 0 || rest > MaxDeferrals*encodedDeferral {
		return errors.New("not a record of this version")
	}
	for i, m := range r.moments() {
		*m = Moment(binary.BigEndian.Uint32(b[1+4*i:]))
	}
	for b = b[encodedHead:]; len(b) > 0; b = b[encodedDeferral:] {
		r.Deferrals = append(r.Deferrals, Deferral{binary.BigEndian.Uint32(b), Moment(binary.BigEndian.Uint32(b[4:]))})
	}
	return nil
}
