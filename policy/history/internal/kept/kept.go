// Package kept is what all stores of records do alike: what becomes of a record that
// is there when another is saved, and when one may go.
package kept

import (
	"time"

	"policyd-rdns/policy/history"
)

// Merged is the record that a store keeps of a party of which it has one and is given
// another. What of the old one is over is gone, or a party that came back after a long
// time would stay forgotten, and deferrals of long ago would leave no room for new ones.
// Nothing is cut to the time of this machine, which may be wrong: what lies in the future
// is kept as it is. Saving the same again changes nothing.
func Merged(old, more *history.Record, now history.Moment, s *history.Settings) history.Record {
	kept := old.At(max(now, latest(old), latest(more)), s)
	kept.Merge(more, s)
	return kept
}

// latest is the last moment of a record.
func latest(r *history.Record) history.Moment {
	return max(r.FirstContact, r.LastContact, r.FirstPass, r.LastPass, r.Returned, r.Objected, r.LastObjection)
}

// Life is for how long a record may be of use after it was written: window of a party
// that never passed, keep of one that did.
func Life(r *history.Record, s *history.Settings) time.Duration {
	if r.LastPass == 0 {
		return s.Window
	}
	return s.Keep
}
