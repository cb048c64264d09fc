package main

import (
	"cmp"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/status"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// shownSummary is a decision as log prints it.
func shownSummary(r *journal.Record) status.Summary {
	return status.Summary{
		Client: explain.Client(&r.Request), Name: explain.Name(r), HELO: plain.Line(r.Request.HELO),
		Rule: plain.Line(r.Decision.Rule), Reason: cmp.Or(explain.Reason(r), "nothing is known against it"),
	}
}

// explained explains a decision from its record as explain does a client, by the
// rules that are in force now.
func (d *daemon) explained(r *journal.Record) status.Explanation {
	conf := d.current.Load().conf
	e := explain.Recorded(conf, r)
	now := conf.Rules.Judge(&r.Request, &r.Facts)
	out := status.Explanation{
		Decision: explain.DecisionLines(&e.Decision), Reads: e.Reads, Exempt: e.Exempt, Again: explain.Command(&r.Request, &r.Facts, conf.Path),
	}
	if r.Config != conf.Hash {
		out.Since = since(&now)
	}
	for _, l := range e.Lookups {
		out.Lookups = append(out.Lookups, status.Lookup{Question: plain.Line(l.Query), Answer: explain.AnswerText(l.Answer)})
	}
	for _, fact := range e.Shown() {
		out.Facts = append(out.Facts, status.Fact{Check: fact.Check, Result: fact.Result, Why: fact.Why})
	}
	for i := range e.Trials {
		t := &e.Trials[i]
		out.Rules = append(out.Rules, status.Rule{
			Number: i + 1, Name: plain.Line(t.Rule.Name), Action: explain.RuleAction(t.Rule), Holds: t.Holds.String(), Entries: explain.TrialLines(t),
			Decides: !t.Rule.Observe && t.Rule.Name == now.Rule && (t.Holds == policy.Yes || t.Holds == policy.Unknown),
		})
	}
	return out
}

// since says what a decision of an earlier configuration would be now.
func since(now *policy.Decision) string {
	const changed = "The configuration has changed since. Below are the rules of today, "
	if now.Undetermined {
		return changed + "which ask for what was not looked up then."
	}
	return changed + "under which it would be: " + strings.Join(explain.DecisionLines(now), "; ") + "."
}
