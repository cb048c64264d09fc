package explain

import (
	"fmt"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// Waits tells of a decision that is a defer for now, and when it is the reject that its
// rule says; empty: it does not wait.
func Waits(d *policy.Decision) string {
	if d.Waiting == 0 {
		return ""
	}
	code := "5xx" // a log does not hold it
	if known := d.Code.String(); len(known) > 3 {
		code = known[:3]
	}
	return fmt.Sprintf("deferred for now: refused (%s) in %s if nothing changes (%s)", code, Duration(d.Waiting), whatWaits(&d.Checks))
}

// whatWaits is the setting by which a reject waits: a known client's broken names have a
// time of their own.
func whatWaits(c *policy.Checks) string {
	if c[policy.CheckHistory] != policy.Known {
		return "defer_for"
	}
	for _, check := range []policy.Check{policy.CheckPTR, policy.CheckFCrDNS, policy.CheckName} {
		if c[check] != policy.NotLearnt && c[check] != check.Good() {
			return "grace, since the client is known"
		}
	}
	return "defer_for"
}

// Duration is a time in seconds as people tell it: 40 s, 12 min, 3 h 20 min, 2 days 4 h.
func Duration(seconds int) string {
	const minute, hour, day = 60, 60 * 60, 24 * 60 * 60
	unit := func(n int, word string) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf(" %d %s", n, word)
	}
	switch {
	case seconds < 2*minute:
		return fmt.Sprintf("%d s", seconds)
	case seconds < hour:
		return fmt.Sprintf("%d min", seconds/minute)
	case seconds < 2*day:
		return fmt.Sprintf("%d h", seconds/hour) + unit(seconds%hour/minute, "min")
	}
	return fmt.Sprintf("%d days", seconds/day) + unit(seconds%day/hour, "h")
}

// Remembered says in words who came, by what the check history says; empty: nobody asked,
// or there is nothing to say.
func Remembered(r *journal.Record) string {
	past := &r.Facts.Past
	switch r.Decision.Checks[policy.CheckHistory] {
	case policy.Known:
		return since("known", past.FirstContact) + by(past.Party, r)
	case policy.Returned:
		if CameBack(r) {
			return "came back with what it was deferred for" + by(past.Party, r)
		}
		return on("came back", past.Returned) + by(past.Party, r)
	case policy.New:
		if past.FirstContact.IsZero() {
			return "never seen before"
		}
		return since("not known yet, seen", past.FirstContact) + by(past.Party, r)
	}
	if past.NAT {
		return "not remembered, for others stand behind its address"
	}
	return ""
}

// CameBack reports whether the client came back with this message, in time. What is
// remembered is so to the second.
func CameBack(r *journal.Record) bool {
	at := r.Facts.Past.Returned
	return !at.IsZero() && at.Equal(r.Request.Time.Truncate(time.Second))
}

// since adds a day.
func since(what string, at time.Time) string {
	if at.IsZero() {
		return what
	}
	return what + " since " + at.UTC().Format(time.DateOnly)
}

// on adds a day, too.
func on(what string, at time.Time) string { return what + " on " + at.UTC().Format(time.DateOnly) }

// by adds the party that a client is remembered by, if it is not its address.
func by(party string, r *journal.Record) string {
	if party == "" || party == Client(&r.Request) {
		return ""
	}
	return ", as " + plain.Line(party)
}

// Lesser says why a reject became less.
func Lesser(d *policy.Decision) string {
	for _, result := range d.Checks {
		if result == policy.TempError {
			return "because the DNS could not say"
		}
	}
	if h := d.Checks[policy.CheckHistory]; h == policy.New || h == policy.Returned {
		return "because it holds only as the client is not known yet"
	}
	return "because the DNS could not say"
}
