package replay

import (
	"hash/maphash"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// withoutObserved are the rules that decide.
func withoutObserved(rules *policy.Rules) *policy.Rules {
	enforced := *rules
	enforced.List = slices.DeleteFunc(slices.Clone(rules.List), func(r policy.Rule) bool { return r.Observe })
	return &enforced
}

// notLearnt reports whether a decision rests on what the DNS could not say today. It
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
		if name := config.Quote(d.Rule); p.ruling(d).action != r.action && !slices.Contains(rules, name) {
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
	m.decide(&j, &l, counts)
	l.Facts.Past, l.Decision.Checks[policy.CheckHistory] = policy.Past{}, policy.NotLearnt // which was but taken to be so
	if j.change != unchanged {
		l.ID, l.Config = mailID(a), m.after.Hash
		l.Text = strings.TrimSuffix(string(journal.JSON.Append(nil, &l.Record)), "\n")
		m.detail(&l, &j)
		if !a.Sender.Known {
			j.sender = "?"
		}
	}
	return j, true
}

// decide judges by what is known.
func (m *mailReplay) decide(j *judged, l *journal.Line, counts *mailCounts) {
	q, f := &l.Request, &l.Facts
	if m.enforcedBefore != nil {
		j.before, j.needs = m.mailRuling(m.enforcedBefore.Possible(q, f), f)
	}
	all := m.enforced.Possible(q, f)
	counts.news.add(q.Client, m.prospect(all, q, f))
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
	j.observed, j.unobserved = m.observed(q, f)
	l.Decision = all[len(all)-1]
}

// observed is what the rules under observation would have done, and whether that is
// all.
func (m *mailReplay) observed(q *policy.Request, f *policy.Facts) (would []policy.Ruling, more bool) {
	certain, possible := m.after.Rules.Observed(q, f)
	if f.Overload || f.Outage {
		observes := slices.ContainsFunc(m.after.Rules.List, func(r policy.Rule) bool { return r.Observe })
		return nil, observes
	}
	return certain, len(possible) > len(certain)
}

// mailID is the ID of a decision that nobody has made.
func mailID(a *maillog.Attempt) string {
	if a.QueueID == "" {
		return strconv.FormatInt(a.Time.UnixNano(), 36)
	}
	return a.QueueID
}
