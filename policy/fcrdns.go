package policy

import "policyd-rdns/resolver"

// checkFCrDNS asks whether one of the client's names resolves to its address. It is
// RFC 8601's iprev with its permerror told apart: any name that confirms is a pass,
// whatever the others do, and a temporary failure beats a no.
var checkFCrDNS = check{
	name:     "fcrdns",
	question: "does one of its names resolve to the address?",
	good:     Pass,
	outcomes: []outcome{
		{Pass, "One does: that name is confirmed."},
		{Mismatch, "Names resolve, but none to the address."},
		{Unresolved, "None of its names resolves in the address family of the client."},
		{None, "There is no well-formed name to try."},
		{TempError, "The DNS could not say, or there are more names than the ten that are tried."},
	},
	ofNames: true,
	find:    findFCrDNS,
	queries: func(f *Facts, list []Query) []Query {
		if f.PTR != resolver.Found {
			return list
		}
		for i := range f.Names {
			if n := &f.Names[i]; n.Valid && n.Forward.Outcome == resolver.NotQueried {
				list = append(list, Query{Name: n.Name, To: &n.Forward})
			}
		}
		return list
	},
	evidence: func(_ *Request, f *Facts) []string {
		var all []string
		for i := range f.Names {
			if f.Names[i].Valid {
				all = append(all, f.Names[i].Name+" resolves to "+f.Names[i].Forward.String())
			}
		}
		return all
	},
	objection: func(c *Checks, _ *Request, f *Facts) string {
		switch c[CheckFCrDNS] {
		case Mismatch:
			return "name resolves to " + firstForward(f.Names)
		case Unresolved:
			return "name does not resolve"
		case TempError:
			if c[CheckPTR] == Found {
				return "name not confirmed, for trouble with the DNS"
			}
		}
		return ""
	},
}

func findFCrDNS(e *evaluation) Finding {
	f := e.facts
	switch {
	case f.nameless():
		return found(None)
	case f.PTR != resolver.Found:
		return undetermined(f.lacksConfirmation(), of(Pass, Mismatch, Unresolved, None))
	}
	no, doubt := Unresolved, f.MoreNames
	for i := range f.Names {
		l := &f.Names[i].Forward
		switch {
		case l.To(e.req.Client):
			return found(Pass)
		case l.Outcome == resolver.TempError:
			doubt = true
		case l.Outcome == resolver.Found:
			no = Mismatch
		}
	}
	if lacks := f.lacksConfirmation(); lacks != 0 || doubt {
		return undetermined(lacks, of(Pass, Mismatch, no))
	}
	return found(no)
}

// lacksConfirmation are the queries that tell which of the client's names confirm, as
// far as nobody has queried.
func (f *Facts) lacksConfirmation() CheckSet {
	if f.PTR == resolver.NotQueried {
		return checkSet(CheckPTR, CheckFCrDNS)
	}
	for i := range f.Names {
		if n := &f.Names[i]; n.Valid && n.Forward.Outcome == resolver.NotQueried {
			return checkSet(CheckFCrDNS)
		}
	}
	return 0
}

// firstForward is what the first name resolves to that resolves at all.
func firstForward(names []Name) string {
	for i := range names {
		if l := &names[i].Forward; len(l.Addrs) > 0 {
			return l.String()
		}
	}
	return "another address"
}
