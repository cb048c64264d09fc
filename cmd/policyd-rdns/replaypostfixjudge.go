package main

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/postfix/maillog"
)

// withoutObserved are the rules that decide.
func withoutObserved(rules *policy.Rules) *policy.Rules {
	enforced := *rules
	enforced.List = slices.DeleteFunc(slices.Clone(rules.List), func(r policy.Rule) bool { return r.Observe })
	return &enforced
}

// asks says whether a rule looks at one of the keys.
func asks(r *policy.Rule, keys []string) bool {
	has := func(t policy.Table) bool { return slices.ContainsFunc(keys, t.Has) }
	return has(r.When) || slices.ContainsFunc(r.Unless, has)
}

// strip leaves out the entries of a table that have one of the keys.
func strip(t policy.Table, keys []string) policy.Table {
	return slices.DeleteFunc(slices.Clone(t), func(e policy.Entry) bool { return slices.Contains(keys, e.Key) })
}

// loosened is a rule that holds wherever the rule may hold, whatever the answers
// to some keys are.
func loosened(r *policy.Rule, keys []string) policy.Rule {
	loose := *r
	loose.When = strip(r.When, keys)
	loose.Unless = slices.DeleteFunc(slices.Clone(r.Unless), func(t policy.Table) bool {
		return slices.ContainsFunc(keys, t.Has)
	})
	return loose
}

// tightened is a rule that holds only where the rule holds whatever the answers
// are; false: nowhere.
func tightened(r *policy.Rule, keys []string) (policy.Rule, bool) {
	if slices.ContainsFunc(keys, r.When.Has) {
		return *r, false
	}
	tight := *r
	tight.Unless = nil
	for _, t := range r.Unless {
		rest := strip(t, keys)
		if len(rest) == 0 {
			return *r, false
		}
		tight.Unless = append(tight.Unless, rest)
	}
	return tight, true
}

// possible are the decisions that enforced rules may come to, whatever the answers
// to the unknown keys are: the last one is that which holds if none of the rules
// before it does. None: the facts do not say enough.
func possible(rules *policy.Rules, q *policy.Request, f *policy.Facts, unknown []string) []policy.Decision {
	all := walk(rules, q, f, unknown, false)
	if len(f.Errors) > 0 && len(all) > 0 {
		// An exemption that is both doubtful and not known may or may not be one.
		all = slices.Concat(walk(rules, q, f, unknown, true), all)
	}
	return all
}

// walk goes down the rules: at each that may hold, it may decide or not. With
// strict, exemptions that may hold do not.
func walk(rules *policy.Rules, q *policy.Request, f *policy.Facts, unknown []string, strict bool) []policy.Decision {
	rest := *rules
	rest.List = make([]policy.Rule, 0, len(rules.List))
	open := map[string]*policy.Rule{} // by name, which is unique
	for i := range rules.List {
		r := &rules.List[i]
		if !asks(r, unknown) {
			rest.List = append(rest.List, *r)
			continue
		}
		if strict && r.Action == policy.DUNNO {
			if tight, ok := tightened(r, unknown); ok {
				rest.List = append(rest.List, tight)
			}
			continue
		}
		open[r.Name] = r
		rest.List = append(rest.List, loosened(r, unknown))
	}
	var all []policy.Decision
	for {
		d := rest.Judge(q, f)
		if d.Open {
			return nil
		}
		all = append(all, d)
		r := open[d.Rule]
		if r == nil {
			return all
		}
		delete(open, d.Rule)
		i := slices.IndexFunc(rest.List, func(other policy.Rule) bool { return other.Name == d.Rule })
		if tight, ok := tightened(r, unknown); ok {
			rest.List[i] = tight
		} else {
			rest.List = slices.Delete(rest.List, i, i+1)
		}
	}
}

// notLearnt says that a decision rests on what the DNS could not say today. It
// tells nothing of the day when the mail came.
func notLearnt(d *policy.Decision, f *policy.Facts) bool {
	return len(f.Errors) > 0 && (d.Downgraded || d.Decided == policy.Defer)
}

// What is missing of a decision about mail, beside what the log does not hold.
const needsDNS = "the DNS could not say"

// mailRuling is what rules come to about mail, or what is missing.
func (p *replayer) mailRuling(all []policy.Decision, f *policy.Facts) (r ruling, needs string) {
	last := &all[len(all)-1]
	r = p.ruling(last)
	var rules []string
	for i := range all {
		d := &all[i]
		if notLearnt(d, f) {
			return r, needsDNS
		}
		if name := tomlString(d.Rule); p.ruling(d).action != r.action && !slices.Contains(rules, name) {
			rules = append(rules, name)
		}
	}
	if len(rules) == 0 {
		return r, ""
	}
	return r, r.action.String() + ", unless decided by " + strings.Join(rules, " or ")
}

// judgeMail judges mail that Postfix has accepted. It is false for what is only
// counted.
func (m *mailReplay) judgeMail(one *mail, counts *mailCounts) (judged, bool) {
	a := &one.Attempt
	counts.add(a)
	if a.Forwarded || a.Outcome == maillog.Unfinished {
		return judged{}, false
	}
	l := journal.Line{}
	l.Request = mailRequest(a)
	j := judged{at: a.Time}
	if a.Message != "" {
		j.message = max(maphash.String(m.seed, a.Message), 1)
	}
	if !judgedAttempt(a) {
		j.before.action = policy.Defer
		if a.Outcome == maillog.Refused {
			j.before.action = policy.Reject
		}
		j.after = j.before
		return j, true
	}
	l.Facts = m.learner.facts(one.learning, &l.Request)
	m.decide(&j, &l, unknownKeys(a), counts)
	if j.change != unchanged {
		l.ID, l.Config = mailID(a), m.after.hash
		l.Text = strings.TrimSuffix(string(journal.JSON.Append(nil, &l.Record)), "\n")
		m.detail(&l, &j)
		if !a.Sender.Known {
			j.sender = "?"
		}
		if a.Time.IsZero() {
			j.row.cells[columnTime] = "-"
		}
	}
	return j, true
}

// decide judges by what is known.
func (m *mailReplay) decide(j *judged, l *journal.Line, unknown []string, counts *mailCounts) {
	q, f := &l.Request, &l.Facts
	if m.enforcedBefore != nil {
		j.before, j.needs = m.mailRuling(possible(m.enforcedBefore, q, f, unknown), f)
	}
	all := possible(m.enforced, q, f, unknown)
	after, needs := m.mailRuling(all, f)
	j.after = after
	if j.needs == "" {
		j.needs = needs
	}
	j.change = changeOf(j.before.action, j.after.action)
	if m.enforcedBefore == nil && j.change == unchanged {
		j.before.rule = j.after.rule // Postfix has none
	}
	if j.needs != "" {
		j.change = undecided
	}
	if j.needs == needsDNS {
		counts.unlearnt++
	}
	j.observed, j.unobserved = m.observed(q, f, unknown)
	l.Decision = all[len(all)-1]
	if slices.Contains(unknown, "helo") {
		for _, c := range []policy.Check{policy.CheckHELO, policy.CheckHELOForm, policy.CheckHELOName} {
			l.Decision.Checks[c] = policy.NotLearnt
		}
	}
}

// observed is what the rules under observation would have done, and whether that is
// all.
func (m *mailReplay) observed(q *policy.Request, f *policy.Facts, unknown []string) (would []policy.Verdict, more bool) {
	var some, all policy.Rules
	some, all = *m.after.rules, *m.after.rules
	some.List, all.List = nil, nil
	for i := range m.after.rules.List {
		r := &m.after.rules.List[i]
		switch {
		case !r.Observe:
		case asks(r, unknown):
			all.List = append(all.List, loosened(r, unknown))
		default:
			some.List = append(some.List, *r)
			all.List = append(all.List, *r)
		}
	}
	if f.Overload || f.Outage {
		return nil, len(all.List) > 0
	}
	would = some.Judge(q, f).Would
	return would, len(all.Judge(q, f).Would) > len(would)
}

// mailID is the ID of a decision that nobody has made.
func mailID(a *maillog.Attempt) string {
	if a.QueueID == "" {
		return strconv.FormatInt(a.Time.UnixNano(), 36)
	}
	return a.QueueID
}
