package policy

import (
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// scene is what the entries of rules look at: one request, its facts, the
// checks drawn from them, and the lists of the configuration.
type scene struct {
	req    *Request
	facts  *Facts
	rules  *Rules
	checks Checks
	// possible holds for each check that is not settled what it could still
	// turn out to be. A greeting that is none of ours is no forgery of our
	// name, however little the DNS can say of it; one that is related may be a
	// match as well.
	possible [numChecks]results
}

func (r *Rules) scene(req *Request, f *Facts) scene {
	s := scene{req: req, facts: f, rules: r}
	s.assess()
	return s
}

func (s *scene) assess() {
	s.ptr()
	s.fcrdns()
	s.name()
	s.checks[CheckHELOForm] = s.heloForm()
	s.helo()
	s.checks[CheckHELOName] = s.heloName()
	if s.facts.Unread != 0 {
		s.forget()
	}
}

// forget leaves the checks undetermined whose outcome could not be read.
func (s *scene) forget() {
	for c := range numChecks {
		if s.facts.Unread.Has(c) {
			s.leave(c, resolver.NotAsked, of(checkResults[c]...))
		}
	}
}

// leave leaves a check unsettled: because of what was not asked, or else because
// the DNS could not say.
func (s *scene) leave(c Check, o resolver.Outcome, possible results) {
	s.checks[c], s.possible[c] = TempError, possible
	if o == resolver.NotAsked {
		s.checks[c] = NotLearnt
		s.possible[c] |= of(TempError)
	}
}

func (s *scene) ptr() {
	switch {
	case s.facts.PTR == resolver.None:
		s.checks[CheckPTR] = None
	case s.nameless():
		s.checks[CheckPTR] = Malformed
	case s.facts.PTR == resolver.Found:
		s.checks[CheckPTR] = Found
	default:
		s.leave(CheckPTR, s.facts.PTR, of(Found, None, Malformed))
	}
}

// nameless says that the client is known to have no well-formed name.
func (s *scene) nameless() bool {
	switch s.facts.PTR {
	case resolver.None:
		return true
	case resolver.Found:
		// Malformed names are among the facts only if there are no others.
		names := s.facts.Names
		return !s.facts.MoreNames && (len(names) == 0 || !names[0].Valid)
	}
	return false
}

// fcrdns is RFC 8601's iprev with its permerror told apart: any name that
// confirms is a pass, whatever the others do, and a doubt beats a no.
func (s *scene) fcrdns() {
	f := s.facts
	if s.nameless() {
		s.checks[CheckFCrDNS] = None
		return
	}
	if f.PTR != resolver.Found {
		s.leave(CheckFCrDNS, f.PTR, of(Pass, Mismatch, Unresolved, None))
		return
	}
	no := Unresolved
	doubt, open := f.MoreNames, false
	for i := range f.Names {
		l := &f.Names[i].Lead
		switch {
		case l.To(s.req.Client):
			s.checks[CheckFCrDNS] = Pass
			return
		case l.Outcome == resolver.NotAsked:
			open = true
		case l.Outcome == resolver.TempError:
			doubt = true
		case l.Outcome == resolver.Found:
			no = Mismatch
		}
	}
	switch {
	case open:
		s.leave(CheckFCrDNS, resolver.NotAsked, of(Pass, Mismatch, no))
	case doubt:
		s.leave(CheckFCrDNS, resolver.TempError, of(Pass, Mismatch, no))
	default:
		s.checks[CheckFCrDNS] = no
	}
}

// A grade orders names from chosen to plainly generic, so that the grade of
// several names is their least: generic only if all are, and no stronger than
// the weakest.
type grade uint8

const (
	gradeProper grade = iota
	gradeWord
	gradeHalf
	gradeFull
	gradeNone // of no names: greater than any
)

// grade is the grade of a name, if it is confirmed or if it is not. The
// configuration's list of proper names speaks of confirmed ones only: anyone
// may claim the name of a well-known host in his own reverse zone.
func (s *scene) grade(n *Name, confirmed bool) grade {
	if confirmed && s.rules.ProperNames.Has(n.Name) {
		return gradeProper
	}
	if s.rules.GenericNames.Has(n.Name) {
		return gradeFull
	}
	if !n.Verdict.Generic {
		return gradeProper
	}
	switch n.Verdict.Strength {
	case hostname.Full:
		return gradeFull
	case hostname.Half:
		return gradeHalf
	}
	return gradeWord
}

// name grades the confirmed names, or all well-formed ones if none confirms.
// Which of them confirm may be open; the result is known all the same if every
// way that it can turn out gives the same.
func (s *scene) name() {
	f := s.facts
	if s.nameless() {
		s.checks[CheckName], s.checks[CheckStrength] = None, None
		return
	}
	if f.PTR != resolver.Found {
		s.leave(CheckName, f.PTR, of(Proper, Generic, None))
		s.leave(CheckStrength, f.PTR, of(Full, Half, Word, None))
		return
	}
	confirmed, all := gradeNone, gradeNone
	var open [gradeNone]bool // what names that may yet confirm would bring
	why := resolver.TempError
	for i := range f.Names {
		n := &f.Names[i]
		all = min(all, s.grade(n, false))
		switch {
		case n.Lead.To(s.req.Client):
			confirmed = min(confirmed, s.grade(n, true))
		case n.Lead.open():
			open[s.grade(n, true)] = true
			why = min(why, n.Lead.Outcome) // NotAsked is the least
		}
	}
	if f.MoreNames {
		open = [gradeNone]bool{true, true, true, true}
	}
	ends := of() // as strengths; None is a proper name
	if confirmed != gradeNone {
		ends |= of(gradeStrength[confirmed])
	} else if all != gradeNone {
		ends |= of(gradeStrength[all])
	}
	for g, may := range open {
		if may {
			ends |= of(gradeStrength[min(confirmed, grade(g))])
		}
	}
	s.settle(ends, why)
}

var gradeStrength = [gradeNone]Result{gradeProper: None, gradeWord: Word, gradeHalf: Half, gradeFull: Full}

// settle sets name and strength, given the strengths that are possible.
func (s *scene) settle(ends results, why resolver.Outcome) {
	switch {
	case ends == of(None):
		s.checks[CheckName] = Proper
	case !ends.has(None):
		s.checks[CheckName] = Generic
	default:
		s.leave(CheckName, why, of(Proper, Generic))
	}
	for _, strength := range gradeStrength {
		if ends == of(strength) {
			s.checks[CheckStrength] = strength
			return
		}
	}
	s.leave(CheckStrength, why, ends)
}

// greeted is false before the client had to greet: no rule about the greeting
// holds then, for there is nothing to hold against the client.
func (s *scene) greeted() bool {
	return s.req.HELO != "" || s.req.mailBegun()
}

func (s *scene) heloForm() Result {
	switch s.facts.HELO.Form {
	case hostname.FQDN:
		return FQDN
	case hostname.Literal:
		return Literal
	case hostname.Unqualified:
		return Unqualified
	case hostname.BareIP:
		return BareIP
	case hostname.Malformed:
		return Malformed
	}
	if s.greeted() {
		return Missing
	}
	return NotLearnt
}

func (s *scene) heloName() Result {
	h := &s.facts.HELO
	if h.Form != hostname.FQDN {
		return None
	}
	if h.Verdict.Generic {
		return Generic
	}
	return Proper
}

// helo finds the first that holds of match, own, related, temperror, mismatch
// and unresolved.
func (s *scene) helo() {
	h := &s.facts.HELO
	own := s.claimsOwn()
	switch h.Form {
	case hostname.FQDN:
		s.heloHost(own)
	case hostname.Missing:
		s.checks[CheckHELO] = None
	case hostname.Literal:
		s.checks[CheckHELO] = s.heloLiteral(own)
	case hostname.BareIP:
		s.checks[CheckHELO] = or(own, Own, Mismatch)
	default:
		s.checks[CheckHELO] = Unresolved
	}
}

// heloLiteral is helo of an address literal. A host of both families may greet with
// its address of the other one, of which we know nothing.
func (s *scene) heloLiteral(own bool) Result {
	switch addr := s.facts.HELO.Addr; {
	case addr == s.req.Client:
		return Match
	case own:
		return Own
	case addr.Is4() != s.req.Client.Is4():
		return Unresolved
	}
	return Mismatch
}

// heloHost is helo of a greeting that is a host name.
func (s *scene) heloHost(own bool) {
	h := &s.facts.HELO
	if h.Lead.To(s.req.Client) {
		s.checks[CheckHELO] = Match
		return
	}
	why := h.Lead.Outcome
	if own {
		s.checks[CheckHELO] = Own
		if h.Lead.open() {
			s.leave(CheckHELO, why, of(Match, Own))
		}
		return
	}
	possible := of(Match, Mismatch, Unresolved)
	switch why {
	case resolver.Found:
		possible, s.checks[CheckHELO] = of(Mismatch), Mismatch
	case resolver.None:
		possible, s.checks[CheckHELO] = of(Unresolved), Unresolved
	}
	switch related := s.related(); {
	case related == yes && why == resolver.NotAsked:
		s.leave(CheckHELO, why, of(Match, Related))
	case related == yes:
		s.checks[CheckHELO] = Related
		if why == resolver.TempError {
			s.possible[CheckHELO] = of(Match, Related)
		}
	case related == open:
		s.leave(CheckHELO, resolver.NotAsked, possible|of(Related))
	case related == unknown:
		s.leave(CheckHELO, why, possible|of(Related))
	case h.Lead.open():
		s.leave(CheckHELO, why, possible)
	}
}

func or(cond bool, yes, no Result) Result {
	if cond {
		return yes
	}
	return no
}

// claimsOwn reports whether HELO is a name or an address of ours. One that tells
// hosts apart only within a site is nobody's own, wherever it is said that it is
// ours: a stranger's host is called "mail" too, or has the same private address.
func (s *scene) claimsOwn() bool {
	h := &s.facts.HELO
	if h.Addr.IsValid() {
		return (h.Addr == s.req.Server || s.rules.OwnAddrs.Has(h.Addr)) && !address.Private(h.Addr) && !h.Addr.IsLoopback()
	}
	return h.Name != "" && (s.facts.OwnHELO || s.rules.OwnNames.Has(h.Name)) && !hostname.Local(h.Name)
}

// related says whether HELO is of the organisational domain of a confirmed proper
// name; or, where only generic names confirm, of that of one of these, if it is
// itself proper and resolves into the client's network: a sender's hosts stand
// beside each other, and one of them is named. The domain alone would not do, for
// who has a generic name can greet with its provider's domain.
func (s *scene) related() truth {
	f := s.facts
	switch {
	case s.nameless():
		return no
	case f.PTR == resolver.NotAsked:
		return open
	case f.PTR != resolver.Found:
		return truthOf(hostname.Organisation(f.HELO.Name) != "").and(unknown)
	}
	beside := s.beside()
	// Whether there is a confirmed name: proper and of the domain, proper and of
	// another, generic and of the domain.
	kin, stranger, generic := no, no, no
	if f.MoreNames {
		kin, stranger, generic = unknown, unknown, unknown
	}
	doubtful := f.MoreNames // that only generic ones confirm can never be known
	org := ""
	for i := range f.Names {
		n := &f.Names[i]
		proper := s.grade(n, true) == gradeProper
		if !proper && beside == no { // the public suffix list is long
			continue
		}
		confirmed := n.confirmed(s.req.Client)
		switch same := f.HELO.sharesDomain(n.Name, &org); {
		case same && proper && confirmed == yes:
			return yes
		case same && proper:
			kin = kin.or(confirmed)
		case proper:
			stranger, doubtful = stranger.or(confirmed), doubtful || confirmed == unknown
		case same:
			generic = generic.or(confirmed)
		}
	}
	if kin == unknown && (doubtful || beside == unknown || generic == unknown) {
		return unknown // whatever else is learnt
	}
	return kin.or(beside.and(generic).and(stranger.not()))
}

// sharesDomain reports whether a name is of HELO's organisational domain, which is
// looked up once, into org.
func (g *Greeting) sharesDomain(name string, org *string) bool {
	switch {
	case name == g.Name:
		return true
	case hostname.Strangers(name, g.Name):
		return false
	case *org == "":
		*org = hostname.Organisation(g.Name)
	}
	return *org != "" && hostname.Organisation(name) == *org
}

// beside says whether HELO is a proper name that resolves into the client's
// network.
func (s *scene) beside() truth {
	h := &s.facts.HELO
	if h.Verdict.Generic || s.rules.GenericNames.Has(h.Name) {
		return no
	}
	switch h.Lead.Outcome {
	case resolver.NotAsked:
		return open
	case resolver.TempError:
		return unknown
	}
	return truthOf(nearest(h.Lead.Addrs, s.req.Client) >= 0)
}

// unsettled is how true something is that was t until it met with an outcome
// that may leave it open.
func unsettled(t truth, o resolver.Outcome) truth {
	switch {
	case o == resolver.NotAsked:
		return open
	case o == resolver.TempError && t == no:
		return unknown
	}
	return t
}
