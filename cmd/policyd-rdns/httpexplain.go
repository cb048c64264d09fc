package main

import (
	"cmp"
	"errors"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/status"
	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// shownSummary is a decision as log prints it.
func shownSummary(r *journal.Record) status.Summary {
	return status.Summary{
		Client: clientText(&r.Request), Name: nameText(r), HELO: safe(r.Request.HELO),
		Rule: safe(r.Decision.Rule), Reason: cmp.Or(reason(r), "nothing is known against it"),
	}
}

// explained explains a decision from its record as explain does a client, by the
// rules that are in force now.
func (d *daemon) explained(r *journal.Record) status.Explanation {
	conf := d.current.Load().conf
	req, f := &r.Request, &r.Facts
	e := explanation{
		Request: *req, Lookups: recordedLookups(r), Facts: *f, Decision: r.Decision,
		Trials: conf.Rules.Trace(req, f), Exempt: exempt(conf, req, f, &r.Decision),
		Reads: wrapped(req, f, r.Decision.Action, r.Reply, "recipient"),
	}
	now := conf.Rules.Judge(req, f)
	out := status.Explanation{
		Decision: decisionLines(&e.Decision), Reads: e.Reads, Exempt: e.Exempt, Again: explainCommand(req, f, conf.Path),
	}
	if r.Config != conf.Hash {
		out.Since = since(&now)
	}
	for _, l := range e.Lookups {
		out.Lookups = append(out.Lookups, status.Lookup{Question: safe(l.Question), Answer: answerText(l.Answer)})
	}
	for _, fact := range e.facts() {
		out.Facts = append(out.Facts, status.Fact{Check: fact.check, Result: fact.result, Why: fact.why})
	}
	for i := range e.Trials {
		t := &e.Trials[i]
		out.Rules = append(out.Rules, status.Rule{
			Number: i + 1, Name: safe(t.Rule.Name), Action: ruleAction(t.Rule), Holds: t.Holds.String(), Entries: trialLines(t),
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
	return changed + "under which it would be: " + strings.Join(decisionLines(now), "; ") + "."
}

// recordedLookups are those that a record knows the outcome of.
func recordedLookups(r *journal.Record) []lookup {
	f, client := &r.Facts, r.Request.Client
	var all []lookup
	add := func(kind, about string, a resolver.Answer) {
		if a.Outcome == resolver.NotQueried {
			return
		}
		if why := f.Why(about); why != "" && a.Outcome == resolver.TempError {
			a.Err = errors.New(why)
		}
		all = append(all, lookup{Question: kind + " " + about, Answer: a})
	}
	ptr := resolver.Answer{Outcome: f.PTR}
	for i := range f.Names {
		ptr.Names = append(ptr.Names, f.Names[i].Name)
	}
	add("PTR", client.String(), ptr)
	kind := resolver.KindA
	if client.Is6() {
		kind = resolver.KindAAAA
	}
	heloGiven := false
	for i := range f.Names {
		n := &f.Names[i]
		heloGiven = heloGiven || n.Name == f.HELO.Name
		add(kind.String(), n.Name, resolver.Answer{Outcome: n.Forward.Outcome, Addrs: n.Forward.Addrs})
	}
	if !heloGiven {
		add(kind.String(), f.HELO.Name, resolver.Answer{Outcome: f.HELO.Forward.Outcome, Addrs: f.HELO.Forward.Addrs})
	}
	return all
}

// explainCommand is the command that judges the client anew. What the client sent
// is in it only if it is the name of a host: somebody may hand it to a shell.
func explainCommand(req *policy.Request, f *policy.Facts, path string) string {
	if !req.Client.IsValid() {
		return ""
	}
	call := "policyd-rdns explain " + req.Client.String()
	if f.HELO.Form == hostname.FQDN {
		call += " --helo " + f.HELO.Name
	}
	if path != "" {
		call += " -c " + path
	}
	return call
}
