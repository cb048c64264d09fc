package doctor

import (
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/decisions"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/selinux"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/stack"
)

// findings are those of packages that look at one thing.
func findings(found []finding.Finding) (all []Finding) {
	for _, f := range found {
		all = append(all, Finding(f))
	}
	return all
}

func checkLog(x *examination) []Finding { return findings(decisions.Check(x.v.LogFile, &x.m.Log)) }

// checkSELinux looks whether Postfix may connect where it calls the daemon.
func checkSELinux(x *examination) []Finding {
	var calls []maincf.Endpoint
	for _, c := range x.ours {
		calls = append(calls, c.Endpoint)
	}
	return findings(selinux.Check(&x.m.SELinux, calls))
}

// checkStack says where changes belong, if Postfix is one of a known stack.
func checkStack(x *examination) []Finding {
	return findings(stack.Check(x.params(), len(x.ours) > 0))
}
