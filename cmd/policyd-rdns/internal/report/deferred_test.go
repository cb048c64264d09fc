package report

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// deferredWeek is a small week in which 11 messages are deferred: 4 are tried again, of
// which 2 pass, 1 of them late; the clients of 4 come with other mail; 3 never come again, 2
// of them so late in the week that they may.
func deferredWeek(t *testing.T) (log []byte, rules *policy.Rules) {
	rules = builtinRules()
	wait := 4 * time.Hour
	nameless := rule(t, "nameless", policy.Reject, "ptr", "none")
	nameless.DeferFor = &wait
	rules.List = []policy.Rule{nameless, rule(t, "astray", policy.Defer, "fcrdns", "mismatch")}
	mended := func(y try, ptr string) try {
		y.ptr = ptr
		return y
	}
	queue := try{client: "203.0.113.10", helo: "mail.example.org=", sender: "a@example.org"}
	late := try{client: "203.0.113.11", helo: "mail.example.net=", sender: "a@example.net"}
	gone := try{client: "203.0.113.12", helo: "pc", sender: "a@example.com"}
	other := try{client: "203.0.113.13", ptr: "mail.example.org?", helo: "pc", sender: "b@example.org"}
	to := func(y try, n int) try {
		y.recipient = fmt.Sprintf("user%d@example.com", n)
		return y
	}
	return logOf(t, rules, slices.Concat(
		again(queue, 0), again(mended(queue, "mail.example.org"), 0.05), // 3 min
		again(late, 1, 1.5, 2), again(mended(late, "mail.example.net"), 4), // 3 h
		again(to(late, 1), 4.5), again(to(late, 1), 5.5), // 1 h, and it gave up
		again(to(other, 0), 6), again(to(other, 1), 6.1), again(to(other, 2), 6.2), // two, and a last one
		again(to(other, 2), 6.7), // 30 min
		again(gone, 24), again(to(gone, 1), 48), again(gone, 166),
		again(to(try{client: "203.0.113.20", helo: "pc", sender: "a@example.com"}, 3), 30),
		again(to(try{client: "203.0.113.21", helo: "pc", sender: "a@example.com"}, 3), 167),
		again(try{client: "203.0.113.99", ptr: "good.example.org", helo: "good.example.org=", sender: "a@example.org"}, 168),
	)), rules
}

// TestDeferred: the figures of a small week, in all that a report is.
func TestDeferred(t *testing.T) {
	log, rules := deferredWeek(t)
	r := read(t, log, rules)
	s := r.deferredSection()
	got := strings.Join(slices.Concat(s.Text, s.Notes), "\n") + "\n"
	for _, column := range s.Tables[0].Columns {
		got += column.Title + "|"
	}
	for _, row := range s.Tables[0].Rows {
		got += "\n"
		for _, c := range row {
			got += c.Text + "|"
		}
	}
	const want = `11 messages were told to come again, 8 by a reject that waits (defer_for, grace). A message is one sender's domain and one recipient, by one client: its address, its /64, its organisation.
4 (36.4%) were tried again, as a mail queue does: half of them within 30 minutes, 90% within 60 minutes.
4 (36.4%) were not, though the client came with other mail, as who sends to each address once does.
3 (27.3%) were not, nor did the client come again: it gave up, as most that is sent without a queue does.
2 (18.2%) passed in the end, 1 of them more than 5 minutes late: too late for a login code.
0 (0.0%) were rejected in the end: time made nothing better, and the sender was told.
9 (81.8%) neither passed nor were rejected: nobody has tried since, or the last try was deferred too.
Of those that were not tried again 2 were deferred in the last 4 hours of the log, and may come yet.
rule|deferred|again|half within|90% within|other mail|never|passed|> 5 min|rejected|
nameless|8|3|30 minutes|60 minutes|2|3|2|1|0|
astray|3|1|30 minutes|30 minutes|2|0|0|0|0|`
	if got != want {
		t.Errorf("told is\n%s\nwant\n%s", got, want)
	}
	var text, page, object strings.Builder
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "\nDEFERRED MESSAGES\n11 messages were told to come again, 8 by") {
		t.Errorf("the text (%v):\n%s", err, text.String())
	}
	if err := r.WriteHTML(&page); err != nil || !strings.Contains(page.String(), `<section id="deferrals"`) {
		t.Errorf("the page (%v):\n%s", err, page.String())
	}
	if err := r.WriteJSON(&object); err != nil {
		t.Fatal(err)
	}
	var o struct {
		Deferrals struct {
			Deferred, Waiting, Again, Other, Never, Recent, Passed, Slow, Open int
			Again_After                                                        struct{ Median_S, P90_S int }
			Rules                                                              []struct{ Rule string }
		}
	}
	err := json.Unmarshal([]byte(object.String()), &o)
	if got, want := fmt.Sprint(o.Deferrals), "{11 8 4 4 3 2 2 1 9 {1807 3615} [{nameless} {astray}]}"; err != nil || got != want {
		t.Errorf("the object has %s (%v); want %s", got, err, want)
	}
}

// TestDeferredNothing: a log without a deferral says so, and one of deferrals before RCPT that
// nothing is known of them.
func TestDeferredNothing(t *testing.T) {
	var r Report
	if s := r.deferredSection(); len(s.Tables) != 0 || strings.Join(s.Text, " ") != "No message was deferred." || s.Notes != nil {
		t.Errorf("%+v", s)
	}
	r.Deferrals.Early = 1
	if s := r.deferredSection(); len(s.Notes) != 1 || s.Notes[0] != "1 decision deferred a client before it named a recipient: what came of that cannot be told." {
		t.Errorf("%q", s.Notes)
	}
}
