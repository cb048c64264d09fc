package policy

import (
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
}

func (r *Rules) scene(req *Request, f *Facts) *scene {
	s := &scene{req: req, facts: f, rules: r}
	name, strength := s.name()
	s.checks = Checks{
		CheckPTR:      s.ptr(),
		CheckFCrDNS:   s.fcrdns(),
		CheckName:     name,
		CheckStrength: strength,
		CheckHELOForm: s.heloForm(),
		CheckHELO:     s.helo(),
		CheckHELOName: s.heloName(),
	}
	return s
}

// learnt translates an outcome that settles nothing.
func learnt(o resolver.Outcome) Result {
	if o == resolver.NotAsked {
		return NotLearnt
	}
	return TempError
}

func (s *scene) ptr() Result {
	switch s.facts.PTR {
	case resolver.None:
		return None
	case resolver.Found:
		if s.nameless() {
			return Malformed
		}
		return Found
	}
	return learnt(s.facts.PTR)
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
func (s *scene) fcrdns() Result {
	f := s.facts
	if s.nameless() {
		return None
	}
	if f.PTR != resolver.Found {
		return learnt(f.PTR)
	}
	elsewhere, doubt, open := false, f.MoreNames, false
	for i := range f.Names {
		l := &f.Names[i].Lead
		switch {
		case l.To(s.req.Client):
			return Pass
		case l.Outcome == resolver.NotAsked:
			open = true
		case l.Outcome == resolver.TempError:
			doubt = true
		case l.Outcome == resolver.Found:
			elsewhere = true
		}
	}
	switch {
	case open:
		return NotLearnt
	case doubt:
		return TempError
	case elsewhere:
		return Mismatch
	}
	return Unresolved
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
func (s *scene) name() (name, strength Result) {
	f := s.facts
	if s.nameless() {
		return None, None
	}
	if f.PTR != resolver.Found {
		return learnt(f.PTR), learnt(f.PTR)
	}
	confirmed, all := gradeNone, gradeNone
	var possible [gradeNone + 1]bool // what the open names could bring
	unasked := false
	for i := range f.Names {
		n := &f.Names[i]
		all = min(all, s.grade(n, false))
		if n.Lead.To(s.req.Client) {
			confirmed = min(confirmed, s.grade(n, true))
		} else if n.Lead.open() {
			possible[s.grade(n, true)] = true
			unasked = unasked || n.Lead.Outcome == resolver.NotAsked
		}
	}
	if f.MoreNames {
		possible[gradeProper], possible[gradeFull] = true, true
	}
	now := confirmed
	if now == gradeNone {
		now = all
	}
	sameName, sameStrength := true, true
	for g := gradeProper; g < gradeNone; g++ {
		if !possible[g] {
			continue
		}
		then := min(confirmed, g)
		sameName = sameName && (then == gradeProper) == (now == gradeProper)
		sameStrength = sameStrength && then == now
	}
	doubt := TempError
	if unasked {
		doubt = NotLearnt
	}
	name, strength = doubt, doubt
	if sameName {
		name = Generic
		if now == gradeProper {
			name = Proper
		}
	}
	if sameStrength {
		strength = [...]Result{gradeProper: None, gradeWord: Word, gradeHalf: Half, gradeFull: Full}[now]
	}
	return name, strength
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
func (s *scene) helo() Result {
	h := &s.facts.HELO
	own := s.claimsOwn()
	switch h.Form {
	case hostname.Missing:
		return None
	case hostname.Literal:
		if h.Addr == s.req.Client {
			return Match
		}
		return or(own, Own, Mismatch)
	case hostname.BareIP:
		return or(own, Own, Mismatch)
	case hostname.Unqualified, hostname.Malformed:
		return or(own, Own, Unresolved)
	}
	switch {
	case h.Lead.To(s.req.Client):
		return Match
	case own && (!h.Lead.open() || !canMatch(h, s.req)):
		return Own
	case own || h.Lead.Outcome == resolver.NotAsked:
		return learnt(h.Lead.Outcome)
	}
	if r := s.related(); r != Mismatch {
		return r
	}
	switch h.Lead.Outcome {
	case resolver.Found:
		return Mismatch
	case resolver.None:
		return Unresolved
	}
	return TempError
}

func or(cond bool, yes, no Result) Result {
	if cond {
		return yes
	}
	return no
}

// claimsOwn says that the greeting is a name or an address of ours.
func (s *scene) claimsOwn() bool {
	h := &s.facts.HELO
	if s.facts.OwnHELO || localhost(h.Name) {
		return true
	}
	if h.Addr.IsValid() {
		return h.Addr == s.req.Server || s.rules.OwnAddrs.Has(h.Addr)
	}
	return h.Name != "" && s.rules.OwnNames.Has(h.Name)
}

// localhost says that a name never leaves the host (RFC 6761 section 6.3; the
// longer one is what old resolvers' set-ups made of it).
func localhost(name string) bool {
	return name == "localhost" || name == "localhost.localdomain"
}

// canMatch says whether a look-up of the greeting could show that it is the
// client's own.
func canMatch(h *Greeting, req *Request) bool {
	return h.Form == hostname.FQDN && (!localhost(h.Name) || req.Client.IsLoopback())
}

// related is Related if the greeting is of the same organisational domain as a
// confirmed proper name, Mismatch if it is not, and else TempError or
// NotLearnt, whichever it is that leaves it open.
func (s *scene) related() Result {
	f := s.facts
	org := hostname.Organisation(f.HELO.Name)
	if org == "" || s.nameless() {
		return Mismatch
	}
	if f.PTR != resolver.Found {
		return learnt(f.PTR)
	}
	result := Mismatch
	if f.MoreNames {
		result = TempError
	}
	for i := range f.Names {
		n := &f.Names[i]
		if s.grade(n, true) != gradeProper || hostname.Organisation(n.Name) != org {
			continue
		}
		switch {
		case n.Lead.To(s.req.Client):
			return Related
		case n.Lead.Outcome == resolver.NotAsked:
			result = NotLearnt
		case n.Lead.Outcome == resolver.TempError && result == Mismatch:
			result = TempError
		}
	}
	return result
}
