package policy_test

import (
	"errors"
	"hash/fnv"
	"math/rand/v2"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

// holdDoubt checks what is promised about doubts for one client and some ways
// in which its doubts can be settled.
func holdDoubt(t *testing.T, rules *policy.Rules, client string, random *rand.Rand) {
	t.Helper()
	judge := func(client string) policy.Decision {
		e, err := cases.Client(client)
		if err != nil {
			t.Fatalf("%s: %v", client, err)
		}
		agree(t, "random", rules, &e)
		return rules.Judge(&e.Req, &e.Facts)
	}
	d := judge(client)
	for range 40 {
		certain := cases.Settled(client, random)
		s := judge(certain)
		if d.Decided == policy.Reject && s.Decided != policy.Reject {
			t.Errorf("%s: %s, though it would be %s with %s", client, cases.Told(d), cases.Told(s), certain)
			return
		}
		if s.Downgraded && judge(certain+" past:known:correspondent:sender spf:none").Downgraded {
			t.Errorf("%s: %s without any doubt", certain, cases.Told(s))
			return
		}
	}
	for range 10 {
		known := cases.Queried(client, random)
		got := judge(known)
		if !d.Undetermined && !cases.Alike(got, d) {
			t.Errorf("%s: %s, but %s with %s", client, cases.Told(d), cases.Told(got), known)
			return
		}
		if on := judgedOn(t, rules, client, known); cases.Told(on) != cases.Told(got) {
			t.Errorf("%s: %s, but %s where the judgement goes on from %s", known, cases.Told(got), cases.Told(on), client)
			return
		}
	}
}

// judgedOn is what becomes of a client that was judged briefly before more was known.
func judgedOn(t *testing.T, rules *policy.Rules, client, known string) (d policy.Decision) {
	t.Helper()
	before, err := cases.Client(client)
	after, err2 := cases.Client(known)
	if err = errors.Join(err, err2); err != nil {
		t.Fatalf("%s: %v", client, err)
	}
	var j policy.Judging
	f := before.Facts
	j.Begin(rules, &before.Req, &f, true)
	j.Judge(&d)
	f = after.Facts
	j.Judge(&d)
	return d
}

// holdDoubtOf makes the case of a fuzz input.
func holdDoubtOf(t *testing.T, data []byte) {
	t.Helper()
	h := fnv.New64a()
	_, _ = h.Write(data)
	random := rand.New(rand.NewPCG(h.Sum64(), 0))
	d := cases.Dice(data)
	var rules policy.Rules
	rules.OnDoubt = policy.Defer
	lines := d.Rules()
	for _, line := range lines {
		if err := cases.Setting(&rules, line); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
	}
	holdDoubt(t, &rules, d.Client(), random)
	if t.Failed() {
		t.Logf("the rules were\n%s", strings.Join(lines, "\n"))
	}
}

// FuzzNoDoubtRejects: whatever the rules say, who is rejected would be so
// whatever the DNS had said where it could not say anything. Nothing that was
// not queried could change a decision.
func FuzzNoDoubtRejects(f *testing.F) {
	random := rand.NewChaCha8([32]byte{1})
	for n := range 40 {
		data := make([]byte, 4*n)
		_, _ = random.Read(data)
		f.Add(data)
	}
	f.Fuzz(holdDoubtOf)
}

// TestNoDoubtRejects is the same for many random cases, and for the tables.
func TestNoDoubtRejects(t *testing.T) {
	for _, file := range []string{"rules.txt", "builtin.txt", "history.txt"} {
		for _, tt := range cases.Read(t, file) {
			holdDoubt(t, tt.Rules, tt.Text, rand.New(rand.NewPCG(1, 2)))
		}
	}
	random := rand.NewChaCha8([32]byte{2})
	for range 500 {
		data := make([]byte, 120)
		_, _ = random.Read(data)
		holdDoubtOf(t, data)
		if t.Failed() {
			return
		}
	}
}
