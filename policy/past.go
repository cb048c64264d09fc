package policy

import (
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// Past is what is remembered of a client before a request: the merged record of its
// parties (policy/history). The zero value: nobody has asked.
type Past struct {
	// Asked reports whether somebody was asked. What nobody could tell then counts as
	// not remembered.
	Asked bool
	// NAT reports whether others stand behind the client's address, so that nothing is
	// remembered of it.
	NAT bool
	// FirstContact and LastContact are of messages, as LastPass is of one that passed
	// on its merits. Zero: there was none.
	FirstContact time.Time
	LastContact  time.Time
	LastPass     time.Time
	// PassDays is 1 after the first pass, and 1 more for each 20 h between it and the
	// last one; 0: there was none.
	PassDays int
	// Returned is when the client last came back with a message that it had been
	// deferred for, this request included. Zero: never.
	Returned time.Time
	// Objected is when the series of objections to this address began that is not over.
	// Zero: there is none.
	Objected time.Time
	// Party is the one that tells most for the client, as people write it: an address,
	// a network, a name. Empty: none is remembered.
	Party string
	// Correspondent reports whether the domain of MAIL FROM is one that users of ours
	// have written to, DomainAsked whether somebody was asked that.
	Correspondent bool
	DomainAsked   bool
	// DomainKnown reports whether the domain of MAIL FROM is known as a sender by its own
	// passes, as a client is.
	DomainKnown bool
	// Unsure reports whether who was asked could not tell in time whether more is
	// remembered, of the client or of the domain.
	Unsure bool
}

// Sender is what is remembered of the domain of MAIL FROM. What nobody has asked is
// Undetermined, and what could not be learnt Unknown.
type Sender struct {
	Correspondent Truth // users of ours have written to it
	Known         Truth // as a sender, by its own passes
}

// Parties are what a client is remembered by, beside its address and what follows from
// that.
type Parties struct {
	// Organisation is the organisational domain of its confirmed proper names, if all
	// agree and HELO is the client's own: the hosts of a sender's pool are one party.
	// Empty: there is none.
	Organisation string
	// HELO is a HELO that resolves to the client: it stays when a PTR record is lost.
	// Empty: there is none.
	HELO string
	// Sender is the domain of MAIL FROM. It is remembered only to spare one that lost its
	// name in the DNS: the check history does not see it. Empty: there is none.
	Sender string
}

// Parties are what a client is remembered by. lacks are the queries that would tell more;
// what the DNS could not say is none.
func (r *Rules) Parties(req *Request, f *Facts) (p Parties, lacks CheckSet) {
	j := judgings.Get().(*Judging)
	j.Begin(r, req, f, false)
	j.drawn = 0
	p, lacks = j.parties()
	j.Forget()
	judgings.Put(j)
	return p, lacks
}

func (e *evaluation) parties() (p Parties, lacks CheckSet) {
	f := e.facts
	if spf := f.SPF.Result; spf == NotLearnt || spf == Own || spf == Pass {
		p.Sender = e.req.SenderDomain()
	}
	helo := e.finding(CheckHELO)
	lacks = e.lacksParties()
	if !helo.only(Match, Related) {
		return p, lacks
	}
	if helo.only(Match) && f.HELO.Name != "" {
		p.HELO = f.HELO.Name
	}
	p.Organisation = e.organisation()
	return p, lacks
}

// organisation is the organisational domain of the client's confirmed proper names;
// empty: there is none, they disagree, or it is one of strangers to each other.
func (e *evaluation) organisation() (all string) {
	f := e.facts
	for i := range f.Names {
		n := &f.Names[i]
		if !n.Forward.To(e.req.Client) || e.rules.grade(n, true) != gradeProper {
			continue
		}
		if n.Organisation == "" || all != "" && n.Organisation != all {
			return ""
		}
		all = n.Organisation
	}
	if all != "" && e.rules.Strangers.Has(all) {
		return ""
	}
	return all
}

// lacksParties are the queries that tell by what the client is remembered.
func (e *evaluation) lacksParties() CheckSet {
	return e.facts.lacksConfirmation() | e.finding(CheckHELO).Lacks
}

// unsureOfPast reports whether more may be remembered of the client than is known of it: the
// store did not tell in time, or the DNS did not by what the client is remembered.
func (e *evaluation) unsureOfPast() bool {
	f := e.facts
	helo := e.finding(CheckHELO)
	switch {
	case f.Past.Unsure, helo.Possible.Has(Match), helo.Possible.Has(Related):
		return true
	case !helo.only(Match, Related):
		return false // it has no names to be remembered by
	}
	return f.PTR == resolver.TempError || slices.ContainsFunc(f.Names, func(n Name) bool { return n.Valid && n.Forward.Outcome == resolver.TempError })
}

// Messages reports whether a request is of a stage at which clients are remembered: from
// RCPT on, where it is about a message.
func (r *Request) Messages() bool {
	switch r.State {
	case "RCPT", "DATA", "END-OF-MESSAGE":
		return true
	}
	return false
}

// remembers reports whether rules that look at what is remembered may hold of a request.
func (e *evaluation) remembers() bool { return !e.facts.Past.NAT && e.req.Messages() }

// waiting is for how long a reject that is true is still a defer, in seconds; 0: it is a
// reject. lacks are the queries that would tell.
func (e *evaluation) waiting(r *Rule) (seconds int, lacks CheckSet) {
	period := e.rules.DeferFor
	if r.DeferFor != nil {
		period = *r.DeferFor
	}
	names := e.rules.Grace > period && r.looksAtNames()
	if period == 0 && !names || !e.remembers() {
		return 0, 0
	}
	history := e.finding(CheckHistory)
	if history.Result == NotLearnt && history.Lacks != 0 {
		return 0, history.Lacks
	}
	if names && (history.Result == Known || e.unsureOfPast()) {
		period = e.rules.Grace
	}
	begun := e.facts.Past.Objected
	if begun.IsZero() || begun.After(e.req.Time) {
		begun = e.req.Time
	}
	left := period - e.req.Time.Sub(begun)
	return int(max(left+time.Second-1, 0) / time.Second), 0
}

// held adds to a reject that is true whether it is a defer all the same, and for how many
// seconds; what it lacks are the queries that would tell.
func (e *evaluation) held(r *Rule, h holding) (seconds int, _ holding) {
	if seconds, h.lacks = e.waiting(r); seconds > 0 || h.lacks != 0 {
		return seconds, h
	}
	switch rescued := e.rescued(r); rescued.truth {
	case Undetermined:
		h.lacks = rescued.lacks
	case Unknown:
		h.doubtful = true
	case Yes:
		h.rescued = true
	}
	return 0, h
}

// rescued reports whether a reject that is true is a defer all the same, for as long as it
// holds: the client has lost its name in the DNS, and the domain of MAIL FROM, which is known
// as a sender, says that the client sends for it.
func (e *evaluation) rescued(r *Rule) holding {
	past := &e.facts.Past
	switch {
	case !r.missesName() || !e.remembers() || e.req.SenderDomain() == "":
		return holds(No)
	case !past.DomainAsked:
		return holding{truth: Undetermined, lacks: checkSet(CheckHistory)}
	case !past.DomainKnown && !past.Unsure:
		return holds(No)
	}
	return e.vouched()
}

// missesName reports whether a rule objects to there being no name of the client that
// resolves to it.
func (r *Rule) missesName() bool {
	for i := range r.When {
		if w, ok := r.When[i].cond.(*wanted); ok && w.results&missing[w.check] != 0 && w.results&^(missing[w.check]|of(TempError)) == 0 {
			return true
		}
	}
	return false
}

// missing are the results of checks that say that there is no such name.
var missing = [NumChecks]Results{
	CheckPTR:    of(None, Malformed),
	CheckFCrDNS: of(None, Unresolved, Mismatch),
}

// looksAtNames reports whether a rule objects to the client's names in the DNS, which a
// hoster's outage may take away for days.
func (r *Rule) looksAtNames() bool {
	for i := range r.When {
		if r.When[i].kind.ofNames {
			return true
		}
	}
	return false
}

// forgetful reports whether rule i, which is true, is so only because nothing good is
// remembered of the client; or, where it is not sure that nothing is, whether a rule before
// it is false for that, which would have spared the client.
func (e *evaluation) forgetful(r *Rule, i int) bool {
	unsure := e.unsureOfPast()
	if r.needs()&AttrPast == 0 && !unsure {
		return false
	}
	history := e.finding(CheckHistory)
	was := *history
	*history, e.kindly = found(Known), true
	best := r.holds(e, i).truth == Yes
	e.kindly = e.facts.Past.Unsure // of a domain the DNS has nothing to tell
	for j := 0; j < i && best && unsure; j++ {
		before := &e.rules.List[j]
		best = !before.spares() || before.needs()&AttrPast == 0 || before.holds(e, j).truth == No
	}
	*history, e.kindly = was, false
	return !best
}

// Noted is what history notes of a decision.
type Noted uint8

// What may be noted, of requests about messages alone ([Request.Messages]).
const (
	// NotedContact: a message came.
	NotedContact Noted = 1 << iota
	// NotedPass: it was decided as DUNNO on its merits: no rule held, no exemption, none
	// that might have decided was unknown, and the DNS answered.
	NotedPass
	// NotedObjection: a reject rule was true without any doubt, and was answered with a
	// 4xx or a 5xx.
	NotedObjection
	// NotedDeferral: the client was told to come again.
	NotedDeferral
	// NotedCorrespondent: a user of ours, or a host, writes to the recipient.
	NotedCorrespondent
)

// note sets what is to be noted of a decision that is determined.
func (e *evaluation) note(d *Decision) {
	if !e.remembers() {
		return
	}
	if d.Exempt || d.Early {
		if d.Exempt && (e.req.Authenticated || e.req.Client.IsLoopback() || e.ownClient()) {
			d.Noted = NotedCorrespondent
		}
		return
	}
	d.Noted = NotedContact
	f := e.facts
	switch {
	case d.Rule == "" && !e.unsure && !e.spared && !f.Outage && !f.Overload:
		d.Noted |= NotedPass
	case d.Mode == Enforce && d.Action.Refuses():
		if d.Action == Defer {
			d.Noted |= NotedDeferral
		}
		if d.Decided == Reject || d.Waiting > 0 || d.Rescued {
			d.Noted |= NotedObjection
		}
	}
}

// SenderDomain is the domain of MAIL FROM, in lower case; empty: it has none.
func (r *Request) SenderDomain() string { return domainOf(r.Sender) }

// RecipientDomain is the domain of RCPT TO, in lower case; empty: it has none.
func (r *Request) RecipientDomain() string { return domainOf(r.Recipient) }

func domainOf(mailbox string) string {
	at := strings.LastIndexByte(mailbox, '@')
	if at < 0 {
		return ""
	}
	return hostname.Normal(mailbox[at+1:])
}

// ofSender reports whether a confirmed name, or a HELO that resolves to the client, is of
// the organisational domain of MAIL FROM; of an organisation of strangers to each other, of
// the domain itself.
func (e *evaluation) ofSender() (is Truth, lacks CheckSet) {
	domain := e.req.SenderDomain()
	of := hostname.Organisation(domain)
	if of == "" {
		return No, 0
	}
	strangers := e.rules.Strangers.Has(of)
	kin := func(name, organisation string) bool {
		if strangers {
			return strings.HasSuffix("."+name, "."+domain)
		}
		return organisation == of
	}
	f := e.facts
	if h := &f.HELO; h.Name != "" && !hostname.Strangers(h.Name, of) && kin(h.Name, hostname.Organisation(h.Name)) {
		switch helo := e.finding(CheckHELO); {
		case helo.Result == Match && helo.Possible == 0:
			return Yes, 0
		case helo.Possible.Has(Match) && helo.Lacks != 0:
			is, lacks = Undetermined, helo.Lacks
		case helo.Possible.Has(Match):
			is = Unknown
		}
	}
	if f.nameless() {
		return is, lacks
	}
	names := afterOutcome(No, f.PTR)
	if f.MoreNames {
		names = afterOutcome(names, resolver.TempError)
	}
	for i := range f.Names {
		n := &f.Names[i]
		if !n.Valid || !kin(n.Name, n.Organisation) {
			continue
		}
		if n.Forward.To(e.req.Client) {
			return Yes, 0
		}
		names = afterOutcome(names, n.Forward.Outcome)
	}
	if names == Undetermined {
		lacks |= f.lacksConfirmation()
	}
	return is.or(names), lacks
}
