package report

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/deferral"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// maxDeferred bounds the deferred messages that are followed at once.
const maxDeferred = 1 << 16

// Deferrals are what became of messages that were told to come again.
type Deferrals struct {
	deferral.Figures
	// Rules are the same by the rule that deferred a message first.
	Rules []deferral.Figures `json:"rules"`
	// Early counts decisions that deferred a client before it had named a recipient: of
	// such nobody knows what came again.
	Early int `json:"early"`
}

// deferrals follows them.
type deferrals struct {
	messages *deferral.Messages
	early    int
}

func newDeferrals() deferrals { return deferrals{messages: deferral.New(maxDeferred)} }

func (d *deferrals) add(i *item) {
	switch {
	case i.try != nil:
		d.messages.Add(i.try)
	case i.outcome == Deferred:
		d.early++
	}
}

func (d *deferrals) report() Deferrals {
	r := Deferrals{Early: d.early}
	r.Figures, r.Rules = d.messages.Figures()
	return r
}

func (r *Report) deferredSection() section {
	d := &r.Deferrals
	s := section{ID: "deferrals", Title: "Deferred messages"}
	if d.Early > 0 {
		s.Notes = append(s.Notes, plain.Plural(d.Early, "decision")+" deferred a client before it named a recipient: what came of that cannot be told.")
	}
	if d.Deferred == 0 {
		s.Text = []string{"No message was deferred."}
		return s
	}
	s.Text = deferredWords(&d.Figures)
	if d.Recent > 0 {
		s.Notes = append(s.Notes, fmt.Sprintf("Of those that were not tried again %s deferred in the last 4 hours of the log, and may come yet.", plain.Counted(d.Recent, "was", "were")))
	}
	if d.Cut > 0 {
		s.Notes = append(s.Notes, "There were too many to follow all: "+plain.Plural(d.Cut, "message")+" were let go before anything came of them.")
	}
	t := table{Caption: "Deferred messages, by the rule that deferred them first", Columns: slices.Concat(
		texts("rule"), numbers("deferred", "again", "half within", "90% within", "other mail", "never", "passed", "> 5 min", "rejected"),
	)}
	for i := range d.Rules {
		f := &d.Rules[i]
		t.Rows = append(t.Rows, []cell{
			text(ruleText(f.Rule)), count(f.Deferred), count(f.Again), wait(f.AgainAfter.Median), wait(f.AgainAfter.P90),
			count(f.Other), count(f.Never), count(f.Passed), count(f.Slow), count(f.Rejected),
		})
	}
	s.Tables = []table{t}
	return s
}

// deferredWords are a sentence on each figure.
func deferredWords(f *deferral.Figures) []string {
	of := func(n int) string { return fmt.Sprintf("%s (%s)", plain.Number(n), plain.Percent(n, f.Deferred)) }
	were := func(n int) string { return of(n) + " " + wasWere(n) }
	all := fmt.Sprintf("%s told to come again", plain.Counted(f.Deferred, "message was", "messages were"))
	if f.Waiting > 0 {
		all += fmt.Sprintf(", %s by a reject that waits (defer_for, grace)", plain.Number(f.Waiting))
	}
	lines := []string{all + ". A message is one sender's domain and one recipient, by one client: its address, its /64, its organisation."}
	again := were(f.Again) + " tried again, as a mail queue does"
	if f.Again > 0 {
		again += fmt.Sprintf(": half of them within %s, 90%% within %s", waitWords(f.AgainAfter.Median), waitWords(f.AgainAfter.P90))
	}
	return append(lines,
		again+".",
		were(f.Other)+" not, though the client came with other mail, as who sends to each address once does.",
		were(f.Never)+" not, nor did the client come again: it gave up, as most that is sent without a queue does.",
		of(f.Passed)+" passed in the end, "+plain.Number(f.Slow)+" of them more than 5 minutes late: too late for a login code.",
		were(f.Rejected)+" rejected in the end: time made nothing better, and the sender was told.",
		of(f.Open)+" neither passed nor "+wasWere(f.Open)+" rejected: nobody has tried since, or the last try was deferred too.",
	)
}

// wait is a cell of a time in seconds.
func wait(seconds int) cell {
	if seconds == 0 {
		return cell{Text: "-", Sort: "0"}
	}
	return cell{Text: waitWords(seconds), Sort: strconv.Itoa(seconds)}
}

// waitWords is a time in seconds as people tell it.
func waitWords(seconds int) string {
	d := time.Duration(seconds) * time.Second
	if d < 2*time.Minute {
		return plain.Number(seconds) + " s"
	}
	return durationWords(d)
}
