package reply

import (
	"policyd-rdns/policy"
	"policyd-rdns/policy/casenumber"
)

// causes are what the results of checks mean to who is refused for them, in the order in
// which he can mend them: without a name of the address there is nothing else to mend.
// A check that is not here is for him a rule of this site.
var causes = []struct {
	check  policy.Check
	result policy.Result
	cause  casenumber.Cause
}{
	{policy.CheckPTR, policy.None, casenumber.NoPTR},
	{policy.CheckPTR, policy.Malformed, casenumber.MalformedPTR},
	{policy.CheckFCrDNS, policy.Unresolved, casenumber.Unresolved},
	{policy.CheckFCrDNS, policy.Mismatch, casenumber.Elsewhere},
	{policy.CheckFCrDNS, policy.None, casenumber.NoPTR},
	{policy.CheckName, policy.Generic, casenumber.Generic},
	{policy.CheckName, policy.None, casenumber.NoPTR},
	{policy.CheckStrength, policy.Word, casenumber.Generic},
	{policy.CheckStrength, policy.Half, casenumber.Generic},
	{policy.CheckStrength, policy.Full, casenumber.Generic},
	{policy.CheckKind, policy.Dynamic, casenumber.Generic},
	{policy.CheckKind, policy.Static, casenumber.Generic},
	{policy.CheckKind, policy.Server, casenumber.Generic},
	{policy.CheckKind, policy.Unspecified, casenumber.Generic},
	{policy.CheckHELO, policy.Own, casenumber.HELOOurs},
	{policy.CheckHELOForm, policy.BareIP, casenumber.HELOBare},
	{policy.CheckHELOForm, policy.Literal, casenumber.HELOLiteral},
	{policy.CheckHELOForm, policy.Unqualified, casenumber.HELONoName},
	{policy.CheckHELOForm, policy.Malformed, casenumber.HELONoName},
	{policy.CheckHELOForm, policy.Missing, casenumber.HELOMissing},
	{policy.CheckHELO, policy.Unresolved, casenumber.HELOUnresolved},
	{policy.CheckHELO, policy.Mismatch, casenumber.HELOElsewhere},
	{policy.CheckHELO, policy.None, casenumber.HELOMissing},
	{policy.CheckHELOName, policy.Generic, casenumber.HELOGeneric},
	{policy.CheckSPF, policy.Fail, casenumber.SPF},
	{policy.CheckSPF, policy.SoftFail, casenumber.SPF},
	{policy.CheckSPF, policy.Neutral, casenumber.SPF},
	{policy.CheckSPF, policy.None, casenumber.SPF},
	{policy.CheckSPF, policy.PermError, casenumber.SPF},
}

// asked are the checks that the rules look at when they hold, by the names of the rules.
func asked(list []policy.Rule) map[string]policy.CheckSet {
	of := map[string]policy.CheckSet{}
	for i := range list {
		var set policy.CheckSet
		for j := range list[i].When {
			c, ok := policy.CheckByName(list[i].When[j].Key)
			if !ok {
				continue
			}
			set.Add(c)
			if c == policy.CheckHELO {
				set.Add(policy.CheckHELOForm) // which tells why it is not the client's
			}
		}
		of[list[i].Name] = set
	}
	return of
}

// cause is why a client is refused.
func (t *Texts) cause(d *policy.Decision) casenumber.Cause {
	if d.Doubtful {
		return casenumber.Undetermined
	}
	of := t.asked[d.Rule]
	if d.Decided == policy.Defer && d.Waiting == 0 && of.Has(policy.CheckHistory) && d.Checks[policy.CheckHistory] == policy.New {
		return casenumber.Wait
	}
	for i := range causes {
		if c := &causes[i]; of.Has(c.check) && d.Checks[c.check] == c.result {
			return c.cause
		}
	}
	return casenumber.Other
}
