package policy_test

import (
	"hash/fnv"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

// How an exemption holds for a client.
const (
	holdsNot = "no"
	holdsYes = "yes"
	unclear  = "unknown"
	early    = "not known yet"
	open     = "open"
)

// howHolds is how an exemption holds, by what becomes of a client whom all but the
// exemption rejects.
func howHolds(rules *policy.Rules, exempt *policy.Rule, e *cases.Evidence) string {
	alone := *rules
	alone.Mode = policy.Enforce
	alone.List = []policy.Rule{*exempt, {Name: "all others", Action: policy.Reject}}
	switch d := alone.Judge(&e.Req, &e.Facts); {
	case d.Undetermined:
		return open
	case d.Early:
		return early
	case d.Exempt:
		return holdsYes
	case d.Action == policy.Reject:
		return holdsNot
	}
	return unclear
}

// defers reports whether an exemption holds, by the conditions alone: those of a rule that
// defers only where it holds.
func defers(rules *policy.Rules, exempt policy.Rule, e *cases.Evidence) bool {
	alone := *rules
	exempt.Exempt, exempt.Action = false, policy.Defer
	alone.List = []policy.Rule{exempt}
	d := alone.Judge(&e.Req, &e.Facts)
	return d.Decided == policy.Defer
}

// exemptCase makes rules, one exemption more and a client from bytes. Nothing of what
// can be queried is left open.
func exemptCase(t *testing.T, data []byte) (lines []string, rules *policy.Rules, exempt policy.Rule, client string) {
	t.Helper()
	h := fnv.New64a()
	_, _ = h.Write(data)
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	d := cases.Dice(data)
	lines = d.Rules()
	// The conditions of other rules make exemptions: some that stand there, and one more.
	more := d.Rules()[1:]
	for i := range more {
		_, when, _ := strings.Cut(more[i], " when")
		more[i] = "exempt e: when" + when
	}
	lines = slices.Insert(lines, 1, more[1:min(len(more), 3)]...)
	if random.IntN(4) == 0 {
		lines = append(lines, "builtin")
	}
	rules = rulesOf(t, strings.Join(lines, "; "))
	exempt = rulesOf(t, more[0]).List[0]
	exempt.Name = "one more"
	return lines, rules, exempt, cases.Queried(d.Client(), random)
}

// holdExempt checks what is promised of one more exemption, and tells how it holds.
func holdExempt(t *testing.T, data []byte) string {
	t.Helper()
	lines, rules, exempt, client := exemptCase(t, data)
	e, err := cases.Client(client)
	if err != nil {
		t.Fatalf("%s: %v", client, err)
	}
	how := howHolds(rules, &exempt, &e)
	if given := e.Req.HELO != "" || e.Req.State == "RCPT"; given && (how == holdsYes) != defers(rules, exempt, &e) {
		t.Errorf("%s: the exemption holds: %s; the same as a rule that defers: %v\nthe rules were\n%s", client, how, how != holdsYes, strings.Join(lines, "\n"))
	}
	others := slices.IndexFunc(rules.List, func(r policy.Rule) bool { return !r.Exempt })
	for at := range others + 1 {
		with := *rules
		with.List = slices.Insert(slices.Clone(rules.List), at, exempt)
		before, after := rules.Judge(&e.Req, &e.Facts), with.Judge(&e.Req, &e.Facts)
		if before.Undetermined || after.Undetermined {
			return open
		}
		for _, d := range []*policy.Decision{&before, &after} {
			// What would be without SPF is another judgement, of a client that may meet another exemption.
			d.Would = slices.DeleteFunc(d.Would, func(v policy.Ruling) bool {
				return slices.ContainsFunc(with.List, func(r policy.Rule) bool { return r.Name == v.Rule && !r.Observe })
			})
		}
		if why := weakened(how, &before, &after); why != "" {
			t.Errorf("%s: one more exemption, which holds: %s, made %s of %s: %s\nthe rules were\n%s", client, how,
				cases.Told(after), cases.Told(before), why, strings.Join(lines, "\n"))
		}
	}
	return how
}

// weakened says what an exemption did that it must not; empty: nothing.
func weakened(how string, before, after *policy.Decision) string {
	switch {
	case cases.Told(*after) == cases.Told(*before):
		return ""
	case how == holdsNot:
		return "it holds for others"
	case how == holdsYes:
		if after.Decided != policy.DUNNO || after.Action != policy.DUNNO || !after.Exempt {
			return "want dunno"
		}
		return ""
	case how == early:
		if after.Action != policy.DUNNO || !after.Early {
			return "want dunno for now"
		}
		return ""
	}
	return softened(before, after)
}

// softened says what is more than a reject that became a defer.
func softened(before, after *policy.Decision) string {
	switch {
	case after.Rule != before.Rule || !slices.Equal(after.Tags, before.Tags):
		return "another rule decides"
	case after.Decided != before.Decided && (before.Decided != policy.Reject || after.Decided != policy.Defer || !after.Downgraded):
		return "want a defer instead of a reject, or no change"
	case len(after.Would) != len(before.Would):
		return "another rule would hold"
	}
	for i, now := range after.Would {
		if was := before.Would[i]; now != was && (now.Rule != was.Rule || was.Action != policy.Reject || now.Action != policy.Defer) {
			return "want a defer instead of a reject among those observed, or no change"
		}
	}
	return ""
}

// FuzzExemptWeakensNothingElse: one more exemption makes a dunno of those whom it holds
// for, and of a reject a defer where nobody can tell whether it does. Of all others
// nothing changes.
func FuzzExemptWeakensNothingElse(f *testing.F) {
	random := rand.NewChaCha8([32]byte{3})
	for n := range 40 {
		data := make([]byte, 6*n)
		_, _ = random.Read(data)
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) { holdExempt(t, data) })
}

// TestExemptWeakensNothingElse is the same for many random cases, among which are enough
// of each kind.
func TestExemptWeakensNothingElse(t *testing.T) {
	random := rand.NewChaCha8([32]byte{4})
	seen := map[string]int{}
	const all = 4000
	for range all {
		data := make([]byte, 200)
		_, _ = random.Read(data)
		seen[holdExempt(t, data)]++
		if t.Failed() {
			return
		}
	}
	for _, how := range []string{holdsNot, holdsYes, unclear, early} {
		if seen[how] < all/200 {
			t.Errorf("of %d cases %d hold: %s; want more of them (%v)", all, seen[how], how, seen)
		}
	}
}
