package policy

import "strings"

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

	Networks     Prefixes // our own; a client in them is "own"
	OwnNames     Names    // that only we may greet with
	OwnAddrs     Prefixes // that only we may greet with
	ProperNames  Names    // confirmed, never generic
	GenericNames Names    // always generic
}

// A Verdict is what one rule makes of a request.
type Verdict struct {
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
	Code    Code   // of the rule
	Text    string // what the sender reads, filled in
	// Downgraded says that a doubt made less of a reject.
	Downgraded bool
	// Would lists what rules under observation would have done.
	Would  []Verdict
	Mode   Mode
	Checks Checks
	// Open says that the facts do not hold what the rules need, so that there
	// is no decision; Action is DUNNO. It is never so after Gather.
	Open bool
}

// Judge decides about a request by its facts: the first rule that holds.
//
// A rule that is false is passed over. One that is true decides. An unknown
// reject becomes OnDoubt; an unknown rule of another action is passed over, but
// every later reject becomes a defer, for the unknown one might have spared the
// client, and likewise one that is false only because its unless lists
// temperror. A reject that rests on a temperror becomes a defer. So a doubt
// never becomes a 5xx whatever the rules say, and a doubt that could not have
// rejected delays nobody. Rules under observation change nothing.
//
// In an outage of all DNS servers a defer that a doubt has made, or that rests
// on a temperror, becomes OnOutage, and DUNNO if this daemon is overloaded: our
// own trouble must not stop mail.
//
// It is a pure function: the same request (its time included), facts and rules
// give the same decision. A client without an address is never objected to.
func (r *Rules) Judge(req *Request, f *Facts) Decision {
	if !req.Client.IsValid() {
		return Decision{Mode: r.Mode}
	}
	s := r.scene(req, f)
	d := Decision{Mode: r.Mode, Checks: s.checks}
	doubt := false // a rule that might have spared the client was passed over
	for i := range r.List {
		rule := &r.List[i]
		holds, doubtful := rule.holds(&s)
		if holds == no {
			doubt = doubt || doubtful && rule.Action != Reject && !rule.Observe
			continue
		}
		if holds == open {
			d.Open = true
			return d
		}
		action, settled := s.outcome(rule, holds, doubt, doubtful)
		switch {
		case rule.Observe:
			// What a doubt makes of it is to be seen too, if it is anything.
			if holds == yes || settled && action != DUNNO {
				d.Would = append(d.Would, Verdict{action, rule.Name})
			}
		case !settled:
			doubt = true
		default:
			d.decide(rule, action, &s)
			return d.answered()
		}
	}
	return d.answered()
}

// outcome is what a rule that is not false comes to: spared says that a rule
// before it might have spared the client, doubtful that it rests on a temperror
// itself. Not settled: it is passed over.
func (s *scene) outcome(rule *Rule, holds truth, spared, doubtful bool) (a Action, settled bool) {
	switch {
	case holds == unknown && rule.Action == Reject:
		return min(s.rules.OnDoubt, s.doubt()), true
	case holds == unknown:
		return DUNNO, false
	case rule.Action == Reject && (spared || doubtful), rule.Action == Defer && doubtful:
		return s.doubt(), true
	}
	return rule.Action, true
}

// doubt is the most that a doubt may come to.
func (s *scene) doubt() Action {
	switch {
	case s.facts.Overload:
		return DUNNO
	case s.facts.Outage:
		return s.rules.OnOutage
	}
	return Defer
}

func (d *Decision) decide(rule *Rule, a Action, s *scene) {
	d.Decided, d.Rule = a, rule.Name
	d.Downgraded = a < rule.Action
	if a == DUNNO {
		return
	}
	d.Code = rule.Code
	d.Text = s.fill(rule.Text)
	if d.Downgraded {
		d.Text = "temporary DNS failure: " + d.Text
	}
}

// answered sets what Postfix is told.
func (d Decision) answered() Decision {
	switch {
	case d.Mode == Enforce || d.Decided == DUNNO:
		d.Action = d.Decided
	case d.Mode == ObserveInfo:
		d.Action = Info
	}
	return d
}

// Texts names the placeholders of a rule's text: the client's address, its
// greeting, its confirmed or else first name, and the recipient.
func Texts() []string { return []string{"{client}", "{helo}", "{name}", "{recipient}"} }

// maxValueText bounds what a placeholder brings into a text.
const maxValueText = 100

func (s *scene) fill(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	out := make([]byte, 0, len(text)+maxValueText)
	for {
		before, rest, found := strings.Cut(text, "{")
		out = append(out, before...)
		if !found {
			return string(out)
		}
		key, after, closed := strings.Cut(rest, "}")
		known := closed
		switch key {
		case "client":
			out = s.req.Client.AppendTo(out)
		case "helo":
			out = append(out, clip(s.req.HELO, maxValueText)...)
		case "name":
			out = append(out, clip(s.bestName(), maxValueText)...)
		case "recipient":
			out = append(out, clip(s.req.Recipient, maxValueText)...)
		default:
			known = false
		}
		if text = after; !known {
			out = append(out, '{')
			text = rest
		}
	}
}

func (s *scene) bestName() string {
	f := s.facts
	for i := range f.Names {
		if f.Names[i].Lead.To(s.req.Client) {
			return f.Names[i].Name
		}
	}
	if len(f.Names) > 0 {
		return f.Names[0].Name
	}
	return "unknown"
}

func clip(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s
}
