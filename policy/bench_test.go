package policy_test

import (
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/resolver"
)

// confirmed is a client that is well set up.
func confirmed(b *testing.B) (cases.Evidence, policy.Rules) {
	b.Helper()
	e, err := cases.Client("203.0.113.10 mail.example.com>me helo:mail.example.com>me from:<a@example.com> to:b@example.net")
	if err != nil {
		b.Fatal(err)
	}
	return e, policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()}
}

func BenchmarkJudge(b *testing.B) {
	e, rules := confirmed(b)
	b.ReportAllocs()
	for b.Loop() {
		if d := rules.Judge(&e.Req, &e.Facts); d.Decided != policy.DUNNO {
			b.Fatal(cases.Told(d))
		}
	}
}

func BenchmarkJudgeReject(b *testing.B) {
	e, rules := confirmed(b)
	e.Facts.PTR, e.Facts.Names = resolver.None, nil
	b.ReportAllocs()
	for b.Loop() {
		if d := rules.Judge(&e.Req, &e.Facts); d.Decided != policy.Reject {
			b.Fatal(cases.Told(d))
		}
	}
}
