package explain

import (
	"errors"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// recordedLookups are those that a record knows the outcome of.
func recordedLookups(r *journal.Record) []Lookup {
	f, client := &r.Facts, r.Request.Client
	var all []Lookup
	add := func(kind, about string, a resolver.Answer) {
		if a.Outcome == resolver.NotQueried {
			return
		}
		if why := f.Why(about); why != "" && a.Outcome == resolver.TempError {
			a.Err = errors.New(why)
		}
		all = append(all, Lookup{Query: kind + " " + about, Answer: a})
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

// Command is the command that judges the client anew. What the client sent
// is in it only if it is the name of a host: somebody may hand it to a shell.
func Command(req *policy.Request, f *policy.Facts, path string) string {
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
