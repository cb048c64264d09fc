package policy

import (
	"slices"
	"sync"
	"time"

	"policyd-rdns/policy/match"
	"policyd-rdns/policy/smtp"
)

// Mode says whether decisions are carried out.
type Mode uint8

// The modes.
const (
	Enforce     Mode = iota
	Observe          // decide and log everything, answer DUNNO
	ObserveInfo      // the same, but answer INFO where something would have happened (Postfix 3.0 and later)
)

// String is the mode's name in log lines.
func (m Mode) String() string {
	if m == Enforce {
		return "enforce"
	}
	return "observe"
}

// Rules is what the configuration makes of the facts. It is not modified once
// it is in use.
type Rules struct {
	Mode    Mode
	OnDoubt Action // of a reject that the DNS could not settle: Defer or DUNNO
	// OnOutage is what becomes of what a doubt would make a defer while no DNS
	// server answers: DUNNO or Defer.
	OnOutage Action
	List     []Rule // the first that holds decides

	Networks     match.Prefixes // our own; a client in them is "own"
	OwnNames     match.Names    // that only we may say in HELO
	OwnAddrs     match.Prefixes // that only we may say in HELO
	ProperNames  match.Names    // confirmed, never generic
	GenericNames match.Names    // always generic
	Strangers    match.Names    // organisations whose customers are strangers to each other
	AllowList    string         // zone of the allow-list, without final dot; empty: none is asked

	// DeferFor is how long a client is told 4xx by reject rules before it is told 5xx,
	// Grace the same of a known client by rules about its names in the DNS.
	DeferFor time.Duration
	Grace    time.Duration
	// Keep is how long a party is known after its last pass; 0: for ever.
	Keep time.Duration

	prepared prepared
}

// A Ruling is what one rule makes of a request.
type Ruling struct {
	Action Action
	Rule   string
}

// Decision is what becomes of a request, and why.
type Decision struct {
	// Action is what Postfix is told, Decided what the rules came to. They
	// differ where nothing is enforced.
	Action  Action
	Decided Action
	Rule    string // that decided; empty: none held
	// Exempt: the rule that decided is an exemption, and Why what stands beside it.
	Exempt bool
	Why    string
	Code   smtp.Code // of the rule
	Text   string    // of the rule, with its placeholders
	// Doubtful: it is Downgraded, and would be something else if the DNS had said more.
	Doubtful bool
	// Downgraded reports whether a doubt made less of a reject.
	Downgraded bool
	// Would lists what rules under observation would have done, and of a defer the reject
	// that it would have been without SPF.
	Would []Ruling
	// Tags are the rules that tag the message. With Action Tag the reply adds the header.
	Tags []string
	// Early: Rule may spare the client, and looks at what this stage of the dialogue
	// cannot know yet. Action is DUNNO: a later call judges.
	Early bool
	// Waiting is for how many seconds more Rule is a defer, before it is the reject that
	// it says (defer_for, grace); 0: it does not wait.
	Waiting int
	// Rescued: Rule is a reject, and a defer only since the domain of MAIL FROM is known and
	// says that the client sends for it.
	Rescued bool
	Mode    Mode
	Checks  Checks
	// Noted is what history notes of it.
	Noted Noted
	// Undetermined: the facts do not hold what the rules need, so that there
	// is no decision; Action is DUNNO. It is never so after gathering (policy/gather).
	Undetermined bool
	// Lacks are the queries that would determine the decision, those of later rules
	// included that may come to matter.
	Lacks CheckSet
}

// CarriedOut reports whether Postfix is told what the rules came to.
func (d *Decision) CarriedOut() bool { return d.Action == d.Decided || d.Action == Tag }

// Remembers reports whether the rules look at what is remembered of clients, so that it is
// worth remembering.
func (r *Rules) Remembers() bool {
	return r.DeferFor > 0 || r.Grace > 0 || slices.ContainsFunc(r.List, func(rule Rule) bool {
		return rule.DeferFor != nil && *rule.DeferFor > 0 || rule.needs()&AttrPast != 0
	})
}

// Judge decides about a request by its facts: the first rule that holds.
//
// A rule that is false is passed over. One that is true decides. An unknown
// reject becomes OnDoubt; an unknown rule of another action is passed over, but
// every later reject becomes a defer, for the unknown one might have spared the
// client, and likewise one that is false only because its unless lists
// temperror. A reject that rests on a temperror becomes a defer. So a doubt
// never becomes a 5xx whatever the rules say, and a doubt that could not have
// rejected delays nobody. Rules under observation change nothing. A tag decides nothing:
// the judgement goes on, and a tag that is unknown is none.
//
// An entry whose key this stage of the dialogue cannot know yet (the recipient before
// RCPT) is unknown too. A rule that may spare the client then is waited for: the answer
// is DUNNO, and a later call judges.
//
// In an outage of all DNS servers a defer that a doubt has made, or that rests
// on a temperror, becomes OnOutage, and DUNNO if this daemon is overloaded: our
// own trouble must not stop mail.
//
// It is a pure function: the same request (its time included), facts and rules
// give the same decision. A client without an address is never objected to.
func (r *Rules) Judge(req *Request, f *Facts) Decision { return r.once(req, f, false) }

// Decide is Judge for those who do not ask what the checks came to: there are no Checks in
// the decision, of which many nobody needs to come to it. It takes a fifth less.
func (r *Rules) Decide(req *Request, f *Facts) Decision { return r.once(req, f, true) }

func (r *Rules) once(req *Request, f *Facts, unchecked bool) (d Decision) {
	j := judgings.Get().(*Judging)
	j.Begin(r, req, f, false)
	j.unchecked = unchecked
	j.Judge(&d)
	j.Forget()
	judgings.Put(j)
	return d
}

// judgings are used again: checks are called by way of a table, so that an evaluation is
// never on a stack.
var judgings = sync.Pool{New: func() any { return new(Judging) }}

// Judging is a number of judgements that follow each other on the way to one decision,
// while facts are learnt, and only that.
type Judging struct{ evaluation }

// Begin begins with a request and what is known of it. If briefly, a decision that is
// undetermined has no Checks, and Lacks is only what the first rule needs that lacks
// something; the next judgement goes on with that rule, for what those before it came to
// no further fact changes.
func (j *Judging) Begin(r *Rules, req *Request, f *Facts, briefly bool) { j.begin(r, req, f, briefly) }

// Judge is [Rules.Judge], into d, which is the same for each judgement.
func (j *Judging) Judge(d *Decision) { j.judge(d) }

// Parties is [Rules.Parties], as far as the facts tell.
func (j *Judging) Parties() Parties {
	j.drawn = 0
	p, _ := j.parties()
	j.drawn = 0
	return p
}

// Holding holds tables against one request.
type Holding struct{ *Judging }

// Hold begins to hold tables of the rules against a request and its facts.
func (r *Rules) Hold(req *Request, f *Facts) Holding {
	j := judgings.Get().(*Judging)
	j.Begin(r, req, f, false)
	j.drawn = 0
	return Holding{j}
}

// May reports whether it makes a difference to a judgement that a table is among the rules,
// as a rule's When or in its Unless: false if it surely does not hold.
func (h Holding) May(t Table) bool {
	all := t.holds(&h.evaluation)
	return all.truth != No || all.doubtful
}

// End ends it.
func (h Holding) End() {
	h.Forget()
	judgings.Put(h.Judging)
}

// Forget keeps nothing alive of what was judged.
func (j *Judging) Forget() { j.req, j.facts, j.rules = nil, nil, nil }

func (e *evaluation) judge(d *Decision) {
	if e.from == 0 {
		*d, e.spared, e.unsure = Decision{Mode: e.rules.Mode}, false, false
	}
	d.Undetermined, d.Lacks, e.drawn = false, 0, 0
	if e.at = -1; !e.req.Client.IsValid() {
		return
	}
	e.goDown(d)
	d.Lacks = d.Lacks.next()
	if !d.Undetermined {
		e.compare(d)
		d.answered(e.req)
		e.note(d)
		e.from = 0
	}
	if !e.unchecked && (!d.Undetermined || !e.brief) {
		d.Checks = e.results()
	}
}

// compare adds to a decision that refuses what would have been decided if the domain of the
// sender had nothing to say for the client, if that is more.
func (e *evaluation) compare(d *Decision) {
	if spf := e.facts.SPF.Result; spf != Own && spf != Pass || !d.Decided.Refuses() || e.firm != nil {
		return
	}
	without, _ := comparisons.Get().(*comparison)
	defer comparisons.Put(without)
	other := &without.decision
	*other, without.facts = Decision{}, *e.facts
	without.facts.SPF.Result, without.facts.Past.DomainKnown = None, false
	without.evaluation = evaluation{}
	without.begin(e.rules, e.req, &without.facts, true)
	without.goDown(other)
	if !other.Undetermined && d.Decided.Milder(other.Decided) {
		d.Would = append(d.Would, Ruling{other.Decided, other.Rule})
	}
	without.req, without.facts = nil, Facts{}
}

// comparison is a judgement beside another.
type comparison struct {
	evaluation
	facts    Facts
	decision Decision
}

// comparisons are used again.
var comparisons = sync.Pool{New: func() any { return new(comparison) }}

// goDown holds the rules against the request, one after the other.
func (e *evaluation) goDown(d *Decision) {
	var late CheckSet // queries that are made only if a rule behind would refuse
	begin := 0        // rule that lacks one of them
	e.tried = 0
	for i := e.next(e.from); i < len(e.rules.List); i = e.next(i + 1) {
		rule := &e.rules.List[i]
		h := rule.holds(e, i)
		wait := 0
		switch {
		case h.truth == No:
			e.spared = e.spared || h.doubtful && rule.spares()
			continue
		case h.truth == Unknown && h.early:
			if rule.spares() {
				e.wait(i, d)
				return
			}
			continue
		case h.truth == Unknown && !rule.Observe:
			e.unsure = true
		case h.truth == Yes && rule.Action.Permanent() && !h.doubtful && !e.spared:
			if wait, h = e.held(rule, h); h.lacks != 0 {
				h.truth = Undetermined
			}
		}
		switch {
		case h.truth == Undetermined && !d.Undetermined && rule.Action == DUNNO && !rule.Observe && h.lacks != 0 && h.lacks&^notBefore[ours] == 0:
			if late == 0 {
				begin = i
			}
			late |= h.lacks
			continue
		case late == 0:
			begin = i
		case rule.Action != DUNNO || rule.Observe:
			d.Undetermined, d.Lacks, late = true, d.Lacks|late, 0
		}
		switch {
		case h.truth == Undetermined:
			d.Undetermined = true
			d.Lacks |= h.lacks
		case d.Undetermined:
			if h.truth == Yes && !rule.Observe && rule.Action.Final() {
				return // whatever comes behind does not matter
			}
		default:
			if e.apply(i, h, wait, d) {
				e.at = i
				return
			}
		}
		if d.Undetermined && e.brief {
			e.from = begin
			return
		}
	}
}

// wait is the decision where rule i may spare the client and cannot be known yet: that of
// a rule right behind it that surely spares him, or else the answer of a later call.
func (e *evaluation) wait(i int, d *Decision) {
	for j := i + 1; j < len(e.rules.List) && e.rules.List[j].Action == DUNNO; j++ {
		if rule := &e.rules.List[j]; !rule.Observe && rule.holds(e, j).truth == Yes {
			e.at = j
			d.decide(rule, DUNNO, false)
			return
		}
	}
	e.at = i
	d.Rule, d.Early = e.rules.List[i].Name, true
}

// Possible are the decisions that the rules may come to, whatever the unknown keys of the
// request are (Request.Unknown): the last one is what holds if no rule before it does
// that looks at one of them. None: the facts do not hold what the rules need.
func (r *Rules) Possible(req *Request, f *Facts) []Decision {
	e := r.evaluate(req, f)
	all := e.possible(false)
	if len(f.Errors) > 0 && len(all) > 0 {
		// An exemption that is both doubtful and not known may or may not be one.
		all = slices.Concat(e.possible(true), all)
	}
	return all
}

// possible goes down the rules: each that may hold may decide or not. With strict,
// exemptions that may hold do not.
func (e *evaluation) possible(strict bool) []Decision {
	list := e.rules.List
	e.firm = make([]bool, len(list))
	for i := range list {
		e.firm[i] = strict && list[i].Action == DUNNO
	}
	var all []Decision
	for {
		var d Decision
		if e.judge(&d); d.Undetermined {
			return nil
		}
		all = append(all, d)
		i := e.at
		if i < 0 || e.firm[i] || list[i].needs()&e.req.Unknown == 0 {
			return all
		}
		e.firm[i] = true
	}
}

// Observed is what the rules under observation would do whatever the unknown keys of the
// request are, and what they may do.
func (r *Rules) Observed(req *Request, f *Facts) (certain, possible []Ruling) {
	observed := *r
	observed.List = slices.DeleteFunc(slices.Clone(r.List), func(rule Rule) bool { return !rule.Observe })
	e := observed.evaluate(req, f)
	e.firm = make([]bool, len(observed.List))
	var may, will Decision
	e.judge(&may)
	for i := range e.firm {
		e.firm[i] = true
	}
	e.judge(&will)
	return will.Would, may.Would
}

// apply takes rule i, which is not false, into a decision, and reports whether that is
// made now. wait is for how many seconds a reject is a defer.
func (e *evaluation) apply(i int, h holding, wait int, d *Decision) (decided bool) {
	rule := &e.rules.List[i]
	action, determined := e.outcome(rule, h)
	doubt := h.truth == Unknown || h.doubtful || e.spared
	if action.Permanent() && (wait > 0 || h.rescued || e.forgetful(rule, i)) {
		action = Defer
	} else {
		wait, h.rescued = 0, false
	}
	switch {
	case rule.Observe:
		// What a doubt makes of it is to be seen too, if it is anything.
		if h.truth == Yes || determined && action != DUNNO {
			d.Would = append(d.Would, Ruling{action, rule.Name})
		}
	case !rule.Action.Final():
		if h.truth == Yes {
			d.Tags = append(d.Tags, rule.Name)
		}
	case !determined:
		e.spared = true
	default:
		d.Waiting, d.Rescued = wait, h.rescued
		d.decide(rule, action, doubt)
		return true
	}
	return false
}

// outcome is what a rule that is not false comes to. Not determined: it is passed over.
func (e *evaluation) outcome(rule *Rule, h holding) (a Action, determined bool) {
	switch {
	case h.truth == Unknown && rule.Action.Permanent():
		return milder(e.rules.OnDoubt, e.doubt()), true
	case h.truth == Unknown:
		return DUNNO, false
	case rule.Action.Permanent() && (e.spared || h.doubtful), rule.Action.Refuses() && h.doubtful:
		return milder(rule.Action, e.doubt()), true
	}
	return rule.Action, true
}

// doubt is the most that a doubt may come to.
func (e *evaluation) doubt() Action {
	switch {
	case e.facts.Overload:
		return DUNNO
	case e.facts.Outage:
		return e.rules.OnOutage
	}
	return Defer
}

// decide has a rule decide; doubt: the DNS could not say all.
func (d *Decision) decide(rule *Rule, a Action, doubt bool) {
	d.Decided, d.Rule = a, rule.Name
	d.Exempt, d.Why = rule.Exempt, rule.Why
	d.Downgraded = a.Milder(rule.Action) && d.Waiting == 0 && !d.Rescued
	if !actions[a].text {
		return
	}
	d.Code, d.Text, d.Doubtful = rule.Code, rule.Text, d.Downgraded && doubt
}

// answered sets what Postfix is told.
func (d *Decision) answered(req *Request) {
	switch {
	case d.Decided == DUNNO && len(d.Tags) > 0 && d.Mode == Enforce && req.takesHeader():
		d.Action = Tag
	case d.Mode == Enforce || d.Decided == DUNNO:
		d.Action = d.Decided
	case d.Mode == ObserveInfo:
		d.Action = Info
	}
}
