package policy

import (
	"context"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// checkHELO asks whether HELO is the client's own: the first that holds of match, own,
// related, temperror, mismatch and unresolved.
var checkHELO = check{
	name:     "helo",
	question: "is HELO the client's own?",
	results:  []Result{Match, Own, Related, Mismatch, Unresolved, None, TempError},
	needs:    AttrHELO,
	find:     findHELO,
	query:    &query{begin: (*inquiry).beginHELO, take: (*inquiry).takeHELO},
	evidence: func(_ *Request, f *Facts) []string {
		if f.HELO.Lead.Outcome == resolver.NotAsked {
			return nil
		}
		return []string{f.HELO.Name + " leads to " + f.HELO.Lead.String()}
	},
	objection: func(c *Checks, _ *Request, f *Facts) string {
		switch c[CheckHELO] {
		case Own:
			return "greets with our name"
		case TempError:
			return "greeting not learnt"
		case Mismatch:
			switch c[CheckHELOForm] {
			case BareIP:
				return ""
			case Literal:
				return "greets with another address"
			}
			return "greeting leads to " + f.HELO.Lead.String()
		case Unresolved:
			switch c[CheckHELOForm] {
			case Unqualified:
				return "greeting is no host name"
			case Malformed:
				return "greeting is malformed"
			}
			return "greeting leads nowhere"
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
	case own:
		return found(Own)
	case h.Form == hostname.Literal, h.Form == hostname.BareIP:
		return found(Mismatch)
	}
	return found(Unresolved)
}

// findHELOHost is the check of a HELO that is a host name.
func findHELOHost(e *evaluation, own bool) Finding {
	h := &e.facts.HELO
	ask := e.lacksHELO()
	switch {
	case h.Lead.To(e.req.Client):
		return found(Match)
	case own && h.Lead.open() && canMatch(h, e.req):
		return undetermined(ask, of(Match, Own))
	case own:
		return found(Own)
	}
	possible, result := of(Match, Mismatch, Unresolved), NotLearnt
	switch h.Lead.Outcome {
	case resolver.Found:
		possible, result = of(Mismatch), Mismatch
	case resolver.None:
		possible, result = of(Unresolved), Unresolved
	}
	switch related, more := e.related(); {
	case related == Yes && ask != 0:
		return undetermined(ask, of(Match, Related))
	case related == Yes:
		f := found(Related)
		if h.Lead.Outcome == resolver.TempError {
			f.possible = of(Match, Related)
		}
		return f
	case related == Undetermined:
		return undetermined(ask|more, possible|of(Related))
	case related == Unknown:
		return undetermined(ask, possible|of(Related))
	case h.Lead.open():
		return undetermined(ask, possible)
	}
	return found(result)
}

// lacksHELO are the queries that tell what HELO resolves to, if nobody has asked.
func (e *evaluation) lacksHELO() Queries {
	if h := &e.facts.HELO; h.Lead.Outcome == resolver.NotAsked && canMatch(h, e.req) {
		return queries(CheckHELO)
	}
	return 0
}

// claimsOwn reports whether HELO is a name or an address of ours.
func (e *evaluation) claimsOwn() bool {
	h := &e.facts.HELO
	if e.facts.OwnHELO || localhost(h.Name) {
		return true
	}
	if h.Addr.IsValid() {
		return h.Addr == e.req.Server || e.rules.OwnAddrs.Has(h.Addr)
	}
	return h.Name != "" && e.rules.OwnNames.Has(h.Name)
}

// localhost reports whether a name never leaves the host (RFC 6761 section 6.3; the
// longer one is what old resolvers' set-ups made of it).
func localhost(name string) bool {
	return name == "localhost" || name == "localhost.localdomain"
}

// canMatch reports whether a lookup of HELO could show that it is the
// client's own.
func canMatch(h *Greeting, req *Request) bool {
	return h.Form == hostname.FQDN && (!localhost(h.Name) || req.Client.IsLoopback())
}

// related reports whether HELO is of the same organisational domain as a
// confirmed proper name, and the queries that would tell.
func (e *evaluation) related() (Truth, Queries) {
	f := e.facts
	if f.nameless() {
		return No, 0
	}
	if f.PTR == resolver.NotAsked {
		return Undetermined, f.lacksConfirmation()
	}
	if f.PTR != resolver.Found {
		if hostname.Organisation(f.HELO.Name) == "" {
			return No, 0
		}
		return unsettled(No, f.PTR), 0
	}
	result := No
	if f.MoreNames {
		result = Unknown
	}
	org := ""
	for i := range f.Names {
		n := &f.Names[i]
		if e.rules.grade(n, true) != gradeProper {
			continue
		}
		if n.Name != f.HELO.Name { // the public suffix list is long
			if org == "" {
				org = hostname.Organisation(f.HELO.Name)
			}
			if org == "" || hostname.Organisation(n.Name) != org {
				continue
			}
		}
		if n.Lead.To(e.req.Client) {
			return Yes, 0
		}
		result = unsettled(result, n.Lead.Outcome)
	}
	if result == Undetermined {
		return Undetermined, f.lacksConfirmation()
	}
	return result, 0
}

// unsettled is how true something is that was t until it met with an outcome
// that may leave it open.
func unsettled(t Truth, o resolver.Outcome) Truth {
	switch {
	case o == resolver.NotAsked:
		return Undetermined
	case o == resolver.TempError && t == No:
		return Unknown
	}
	return t
}

// beginHELO asks what HELO resolves to.
func (in *inquiry) beginHELO(ctx context.Context) progress {
	if in.lacksHELO() == 0 {
		return idle
	}
	return in.forward(ctx, in.facts.HELO.Name, &in.facts.HELO.Lead)
}

func (in *inquiry) takeHELO(ctx context.Context) {
	in.take(ctx, in.facts.HELO.Name, &in.facts.HELO.Lead)
}
