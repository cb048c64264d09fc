package daemon

import (
	"cmp"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/status"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// Summary is a decision as log prints it.
func Summary(r *journal.Record) status.Summary {
	return status.Summary{
		Client: explain.Client(&r.Request), Name: explain.Name(r), HELO: plain.Line(r.Request.HELO),
		Rule: plain.Line(r.Decision.Rule), Reason: cmp.Or(explain.Reason(r), "nothing is known against it"),
	}
}

// Explained explains a decision on a page from its record, as explain does a client,
// by the rules of a configuration.
func Explained(conf *config.Config, r *journal.Record) status.Explanation {
	e := explain.Recorded(conf, r)
	now := conf.Rules.Judge(&r.Request, &r.Facts)
	out := status.Explanation{
		Decision: explain.DecisionLines(&e.Decision), Reads: e.Reads, Again: explain.Command(&r.Request, &r.Facts, conf.Path),
	}
	if conf.Reply.Help != "" && r.Case != "" {
		out.Case = conf.Reply.Help + r.Case
	}
	if e.Allow.Key != "" {
		out.Allow, out.Exempt = e.Allow.Command(), e.Allow.Block()
	}
	if r.Config != conf.Hash {
		out.Since = since(&now)
	}
	for _, l := range e.Lookups {
		out.Lookups = append(out.Lookups, status.Lookup{Query: plain.Line(l.Query), Answer: explain.AnswerText(l.Answer)})
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
