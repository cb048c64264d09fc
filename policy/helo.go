package policy

import (
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// checkHELO asks whether HELO is the client's own: the first that holds of match, own,
// related, temperror, mismatch and unresolved.
var checkHELO = check{
	name:     "helo",
	question: "is HELO the client's own?",
	good:     Match,
	outcomes: []outcome{
		{Match, "It resolves to the client, or is the address literal of the client."},
		{Own, "It claims to be us: it is one of our own names or addresses."},
		{Related, "It is of the same organisational domain as a confirmed proper name of the " +
			"client; or, where only generic names are confirmed, it is proper, of their " +
			"domain, and resolves into the /24 or /64 of the client."},
		{Mismatch, "It resolves to other addresses, or is another address."},
		{Unresolved, "It does not resolve, is no full host name, or is an address literal of the " +
			"other address family."},
		{None, "There was no HELO, or not yet."},
		{TempError, "The DNS could not say."},
	},
	needs: AttrHELO,
	find:  findHELO,
	// It is a lookup of a name that anybody may say, which may find no room, unless the
	// name is known to be one of the client's.
	queries: func(f *Facts, list []Query) []Query {
		if h := &f.HELO; h.lacksForward() {
			list = append(list, Query{Name: h.Name, To: &h.Forward, Claimed: !f.heloIsAName()})
		}
		return list
	},
	evidence: func(_ *Request, f *Facts) []string {
		if f.HELO.Forward.Outcome == resolver.NotQueried {
			return nil
		}
		return []string{f.HELO.Name + " resolves to " + f.HELO.Forward.String()}
	},
	objection: func(c *Checks, _ *Request, f *Facts) string {
		switch c[CheckHELO] {
		case Own:
			return "HELO is our name"
		case TempError:
			return "HELO not learnt"
		case Mismatch:
			switch c[CheckHELOForm] {
			case BareIP:
				return ""
			case Literal:
				return "HELO is another address"
			}
			return "HELO resolves to " + f.HELO.Forward.String()
		case Unresolved:
			switch c[CheckHELOForm] {
			case Unqualified:
				return "HELO is no host name"
			case Malformed:
				return "HELO is malformed"
			case Literal:
				return "HELO is an address of the other family"
			}
			return "HELO does not resolve"
		}
		return ""
	},
}

func findHELO(e *evaluation) Finding {
	h := &e.facts.HELO
	own := e.claimsOwn()
	switch {
	case h.Form == hostname.FQDN:
		return findHELOHost(e, own)
	case h.Form == hostname.Missing:
		return found(None)
	case h.Form == hostname.Literal && h.Addr == e.req.Client:
		return found(Match)
	case own && h.Addr.IsValid():
		return found(Own)
	case h.Form == hostname.Literal && h.Addr.Is4() != e.req.Client.Is4():
		// A host of both families may say in HELO its address of the other one, of
		// which we know nothing.
		return found(Unresolved)
	case h.Form == hostname.Literal, h.Form == hostname.BareIP:
		return found(Mismatch)
	}
	return found(Unresolved)
}

// findHELOHost is the check of a HELO that is a host name.
func findHELOHost(e *evaluation, own bool) Finding {
	h := &e.facts.HELO
	var lacks CheckSet
	if h.lacksForward() {
		lacks = checkSet(CheckHELO)
	}
	switch {
	case h.Forward.To(e.req.Client):
		return found(Match)
	case own && h.Forward.Undetermined():
		return undetermined(lacks, of(Match, Own))
	case own:
		return found(Own)
	}
	possible, result := of(Match, Mismatch, Unresolved), NotLearnt
	switch h.Forward.Outcome {
	case resolver.Found:
		possible, result = of(Mismatch), Mismatch
	case resolver.None:
		possible, result = of(Unresolved), Unresolved
	}
	switch related, more := e.related(); {
	case related == Yes && lacks != 0:
		return undetermined(lacks, of(Match, Related))
	case related == Yes:
		f := found(Related)
		if h.Forward.Outcome == resolver.TempError {
			f.Possible = of(Match, Related)
		}
		return f
	case related == Undetermined:
		return undetermined(lacks|more, possible|of(Related))
	case related == Unknown:
		return undetermined(lacks, possible|of(Related))
	case h.Forward.Undetermined():
		return undetermined(lacks, possible)
	}
	return found(result)
}

// lacksForward reports whether nobody has queried what HELO resolves to.
func (g *HELO) lacksForward() bool {
	return g.Forward.Outcome == resolver.NotQueried && g.Form == hostname.FQDN
}

// claimsOwn reports whether HELO is a name or an address of ours. One that tells
// hosts apart only within a site is nobody's own, wherever it is said that it is
// ours: a stranger's host is called "mail" too, or has the same private address.
func (e *evaluation) claimsOwn() bool {
	h := &e.facts.HELO
	if h.Addr.IsValid() {
		return (h.Addr == e.req.Server || e.rules.OwnAddrs.Has(h.Addr)) && !address.Private(h.Addr) && !h.Addr.IsLoopback()
	}
	return h.Name != "" && (e.facts.OwnHELO || e.rules.OwnNames.Has(h.Name)) && !hostname.Local(h.Name)
}

// related reports whether HELO is of the organisational domain of a confirmed proper
// name; or, where only generic names confirm, of that of one of these, if it is
// itself proper and resolves into the client's network: a sender's hosts stand
// beside each other, and one of them is named. The domain alone would not do, for
// who has a generic name can say in HELO its provider's domain. lacks are the queries that
// would tell.
func (e *evaluation) related() (is Truth, lacks CheckSet) {
	f := e.facts
	switch {
	case f.nameless():
		return No, 0
	case f.PTR == resolver.NotQueried:
		return Undetermined, f.lacksConfirmation()
	case f.PTR != resolver.Found:
		return truthOf(hostname.Organisation(f.HELO.Name) != "").and(Unknown), 0
	}
	beside := e.beside()
	// Whether there is a confirmed name: proper and of the domain, proper and of
	// another, generic and of the domain.
	kin, stranger, generic := No, No, No
	if f.MoreNames {
		kin, stranger, generic = Unknown, Unknown, Unknown
	}
	doubtful := f.MoreNames // that only generic ones confirm can never be known
	org := ""
	for i := range f.Names {
		n := &f.Names[i]
		proper := e.rules.grade(n, true) == gradeProper
		if !proper && beside == No { // the public suffix list is long
			continue
		}
		confirmed := n.confirmed(e.req.Client)
		switch same := f.HELO.sharesDomain(n, &org); {
		case same && proper && confirmed == Yes:
			return Yes, 0
		case same && proper:
			kin = kin.or(confirmed)
		case proper:
			stranger, doubtful = stranger.or(confirmed), doubtful || confirmed == Unknown
		case same:
			generic = generic.or(confirmed)
		}
	}
	if kin == Unknown && (doubtful || beside == Unknown || generic == Unknown) {
		return Unknown, 0 // whatever else is learnt
	}
	return kin.or(beside.and(generic).and(stranger.not())), f.lacksConfirmation()
}

// sharesDomain reports whether a name is of HELO's organisational domain, which is
// looked up once, into org.
func (g *HELO) sharesDomain(n *Name, org *string) bool {
	switch {
	case n.Name == g.Name:
		return true
	case hostname.Strangers(n.Name, g.Name):
		return false
	case *org == "":
		*org = hostname.Organisation(g.Name)
	}
	return *org != "" && n.Organisation == *org
}

// beside reports whether HELO is a proper name that resolves into the client's
// network.
func (e *evaluation) beside() Truth {
	h := &e.facts.HELO
	if h.Verdict.Generic || e.rules.GenericNames.Has(h.Name) {
		return No
	}
	switch h.Forward.Outcome {
	case resolver.NotQueried:
		return Undetermined
	case resolver.TempError:
		return Unknown
	}
	return truthOf(address.Nearest(h.Forward.Addrs, e.req.Client) >= 0)
}

// afterOutcome is how true something is that was t until it met with an outcome
// that may leave it undetermined.
func afterOutcome(t Truth, o resolver.Outcome) Truth {
	switch {
	case o == resolver.NotQueried:
		return Undetermined
	case o == resolver.TempError && t == No:
		return Unknown
	}
	return t
}

// heloIsAName reports whether HELO is one of the client's names.
func (f *Facts) heloIsAName() bool {
	return len(f.Names) > 0 && f.Names[0].Valid && f.Names[0].Name == f.HELO.Name
}
