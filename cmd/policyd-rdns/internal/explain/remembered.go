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

// Duration is a time in seconds as people tell it, minutes rounded up: 40 s, 12 min, 3 h 20
// min, 2 days 4 h.
func Duration(seconds int) string {
	const hour, day = 60, 24 * 60
	minutes := (seconds + 59) / 60
	unit := func(n int, word string) string {
		if n == 0 {
			return ""
		}
		return fmt.Sprintf(" %d %s", n, word)
	}
	switch {
	case seconds < 120:
		return fmt.Sprintf("%d s", seconds)
	case minutes < hour:
		return fmt.Sprintf("%d min", minutes)
	case minutes < 2*day:
		return fmt.Sprintf("%d h", minutes/hour) + unit(minutes%hour, "min")
	}
	return fmt.Sprintf("%d days", minutes/day) + unit(minutes%day/hour, "h")
}

// Remembered says in words who came, by what the check history says; empty: nobody asked,
// or there is nothing to say.
func Remembered(r *journal.Record) string {
	past := &r.Facts.Past
	switch r.Decision.Checks[policy.CheckHistory] {
	case policy.Known:
		return since("known", past.FirstContact) + by(past.Party, r)
	case policy.Returned:
		if justNow(past.Returned, r) {
			return "came back with what it was deferred for" + by(past.Party, r)
		}
		return on("came back", past.Returned) + by(past.Party, r)
	case policy.New:
		if past.FirstContact.IsZero() || justNow(past.FirstContact, r) {
			return "never seen before"
		}
		return since("not known yet, seen", past.FirstContact) + by(past.Party, r)
	}
	if past.NAT {
		return "not remembered, for others stand behind its address"
	}
	return ""
}

// oneVisit is how long a client may take over the recipients of one message, of which the
// first is remembered when the next one is asked about.
const oneVisit = 5 * time.Minute

// justNow reports whether something remembered is of the same visit.
func justNow(at time.Time, r *journal.Record) bool {
	return !at.IsZero() && r.Request.Time.Sub(at) < oneVisit
}

// worthSaying reports whether who came matters for the decision, or is news.
func worthSaying(r *journal.Record) bool {
	d := &r.Decision
	switch d.Decided {
	case policy.Defer:
		return true
	case policy.Reject:
		return d.Checks[policy.CheckHistory] != policy.New
	}
	return d.Checks[policy.CheckHistory] == policy.Returned && justNow(r.Facts.Past.Returned, r)
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
