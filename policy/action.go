package policy

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/policy/smtp"
)

// Action is what becomes of a request.
type Action uint8

// The actions, one row each in the table of actions. Their order means nothing:
// what is harder on a client is told by [Action.Milder].
const (
	DUNNO  Action = iota // no objection: Postfix goes on with its next restriction
	Defer                // 4xx: the sender tries again
	Reject               // 5xx: the sender gives up
	Info                 // DUNNO, and Postfix logs what would have happened (observe_reply)
	Tag                  // DUNNO, and the message gets a header that later filters can score
	Hold                 // the message waits in Postfix's hold queue for the administrator
	// NumActions is how many there are, for arrays of counts by action.
	NumActions
)

// action is all that an action is.
type action struct {
	name string // in rules and log lines
	// severity orders actions by what they cost the sender.
	severity int
	// rule: a rule may have it.
	rule bool
	// class is the first digit of the reply code that the sender reads; 0: the
	// action refuses nothing.
	class byte
	// text: the reply has the rule's text.
	text bool
	// reply is the action of access(5) that carries a decision out, up to the text; decided
	// names what the rules came to.
	reply func(d *Decision, decided string) string
}

var actions = [NumActions]action{
	DUNNO: {name: "dunno", rule: true, reply: func(*Decision, string) string { return "DUNNO" }},
	Info: {name: "info", text: true, reply: func(d *Decision, decided string) string {
		return "INFO would " + decided + " (" + d.Rule + "): "
	}},
	Tag: {name: "tag", rule: true, reply: func(d *Decision, _ string) string {
		return "PREPEND " + d.Header()
	}},
	Hold: {name: "hold", severity: 1, rule: true, text: true, reply: func(*Decision, string) string { return "HOLD " }},
	// A defer is DEFER_IF_PERMIT, so that a later hard reject still wins, unless the
	// rule names its code.
	Defer: {name: "defer", severity: 2, rule: true, class: '4', text: true, reply: func(d *Decision, _ string) string {
		if d.Code == (smtp.Code{}) || d.Downgraded || d.Waiting > 0 {
			return "DEFER_IF_PERMIT " + d.Code.Temporary() + " "
		}
		return d.Code.String() + " "
	}},
	// A reject names its code, since REJECT would be Postfix's access_map_reject_code.
	Reject: {name: "reject", severity: 3, rule: true, class: '5', text: true, reply: func(d *Decision, _ string) string {
		if d.Code == (smtp.Code{}) {
			return "550 5.7.1 "
		}
		return d.Code.String() + " "
	}},
}

// String is the action's name in rules and log lines.
func (a Action) String() string { return actions[a].name }

// Refuses reports whether the sender reads a refusal, a 4xx or a 5xx.
func (a Action) Refuses() bool { return actions[a].class != 0 }

// Permanent reports whether the sender reads a 5xx and gives up (RFC 5321
// section 4.2.1).
func (a Action) Permanent() bool { return actions[a].class == '5' }

// Final reports whether a rule of the action ends the judgement. After a tag it goes on.
func (a Action) Final() bool { return a != Tag }

// spares reports whether a rule of the action that may hold may spare the client a
// later reject.
func (a Action) spares() bool { return a.Final() && !a.Permanent() }

// TakesText reports whether a rule's text goes with the action.
func (a Action) TakesText() bool { return actions[a].text }

// Milder reports whether a costs the sender less than b does.
func (a Action) Milder(b Action) bool { return actions[a].severity < actions[b].severity }

// milder is the one of two actions that costs the sender less.
func milder(a, b Action) Action {
	if b.Milder(a) {
		return b
	}
	return a
}

// Actions lists the actions, the hardest on the sender first: those that a rule may
// have, or all.
func Actions(ofRules bool) []Action {
	var list []Action
	for a := NumActions; a > 0; a-- {
		if a := a - 1; actions[a].rule || !ofRules {
			list = append(list, a)
		}
	}
	slices.SortStableFunc(list, func(a, b Action) int { return actions[b].severity - actions[a].severity })
	return list
}

// ActionByName finds an action by its name in rules and log lines, which is in lower
// case.
func ActionByName(name string) (Action, bool) {
	i := slices.IndexFunc(actions[:], func(a action) bool { return a.name == name })
	return Action(max(i, 0)), i >= 0
}

// ParseAction reads the action of a rule, in any letter case. Info is not one.
func ParseAction(s string) (Action, error) {
	var names []string
	for _, a := range Actions(true) {
		if strings.EqualFold(s, a.String()) {
			return a, nil
		}
		names = append(names, a.String())
	}
	return DUNNO, fmt.Errorf("%.60q: want %s", s, alternatives(names))
}

// ParseCode reads the code of a rule and checks that it makes sense with the rule's
// action: 4xx for defer, 5xx for reject.
func ParseCode(s string, a Action) (smtp.Code, error) {
	if !a.Refuses() {
		return smtp.Code{}, fmt.Errorf("%.60q: action %s sends no code", s, a)
	}
	return smtp.ParseCode(s, actions[a].class, "action "+a.String())
}

// ReplyHead is the decision as an action of Postfix's access(5), up to the text where the
// action takes one, with a space before that: the value of the policy reply's "action"
// attribute, which package policy/reply completes. It may hold bytes that the client or
// the DNS chose; the writer of the reply makes them harmless and bounds them. OK is
// never sent: it would end the restrictions for a client that we merely have
// nothing against.
func (d *Decision) ReplyHead() string { return actions[d.Action].reply(d, d.Decided.String()) }

// headerName is the header that a tag adds to a message. maxTags bounds the names of rules
// in it, in bytes, so that the checks fit into a reply with them.
const headerName, maxTags = "X-Policyd-Rdns", 250

// Header is the header of a tag, for filters behind Postfix: "X-Policyd-Rdns: rule=…;
// name=…; fcrdns=…; helo=…". Several rules are told apart by commas; what would look
// like a further part is made a comma in a rule's name.
func (d *Decision) Header() string {
	tags := strings.ReplaceAll(strings.Join(d.Tags, ", "), ";", ",")
	if len(tags) > maxTags {
		tags = tags[:max(strings.LastIndex(tags[:maxTags], ", "), 0)] // names have 100 bytes at most
	}
	b := headerName + ": rule=" + tags
	for _, c := range []Check{CheckName, CheckFCrDNS, CheckHELO} {
		if result := d.Checks[c]; result != NotLearnt {
			b += "; " + c.String() + "=" + result.String()
		}
	}
	return b
}

// alternatives joins names as in "want reject, defer or dunno".
func alternatives(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}
