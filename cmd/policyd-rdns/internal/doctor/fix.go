package doctor

import (
	"slices"
	"strings"
	"time"
)

// recommendedTimeout is that of README.md: twice the daemon's default deadline.
const recommendedTimeout = 10 * time.Second

// line is the restriction that has Postfix call the daemon from a place, with what
// is set for the call that it has, if any, and does no harm.
func (x *examination) line(p *place, c *call) string {
	if c == nil {
		target := "inet:127.0.0.1:10040"
		if all := x.listening(); len(all) > 0 {
			target = endpointOf(all[0], x.queue())
		}
		return x.lineTo(target, nil)
	}
	return x.lineTo(x.target(p, c), c.options)
}

// target is how the place reaches what the call means.
func (x *examination) target(p *place, c *call) string {
	chroot := slices.ContainsFunc(p.services, func(s *Service) bool { return x.m.Postfix.chrooted(s) })
	for _, address := range x.listening() {
		if !c.endpoint.listens(address, x.queue(), chroot) {
			continue
		}
		if c.endpoint.network == "unix" {
			return c.endpoint.text
		}
		return endpointOf(address, x.queue())
	}
	if c.endpoint.network != "unix" {
		return c.endpoint.text
	}
	if target := endpointOf("unix:"+c.endpoint.path, x.queue()); !chroot || !strings.HasPrefix(target, "unix:/") {
		return target
	}
	return "unix:" + insideQueue
}

// insideQueue is the path of a socket that is proposed for a chroot.
const insideQueue = "private/policyd-rdns"

func (x *examination) lineTo(target string, options []Option) string {
	if x.m.Postfix.before(3, 0) {
		return callName + " " + target
	}
	kept := []Option{{"timeout", x.timeout().String()}, {"default_action", "DUNNO"}}
	for _, o := range options {
		switch o.Name {
		case "timeout":
			if d, ok := postfixTime(o.Value); ok && d > x.v.Deadline && d <= time.Minute {
				kept[0].Value = o.Value
			}
		case "default_action":
			if actionLevel(o.Value).rank() < Warning.rank() {
				kept[1].Value = o.Value
			}
		case "request_limit":
		default:
			if slices.Contains(callOptions(), o.Name) {
				kept = append(kept, o)
			}
		}
	}
	words := []string{target}
	for _, o := range kept {
		word := o.Name + "=" + o.Value
		if strings.ContainsAny(o.Value, separators) {
			word = "{ " + o.Name + " = " + o.Value + " }"
		}
		words = append(words, word)
	}
	return callName + " { " + strings.Join(words, ", ") + " }"
}

// timeout is one that the daemon keeps to in any case.
func (x *examination) timeout() time.Duration {
	if x.v.Deadline < recommendedTimeout {
		return recommendedTimeout
	}
	return (x.v.Deadline + 5*time.Second).Truncate(time.Second)
}

// set is the command that gives a place another list.
func (p *place) set(list []unit) []string {
	texts := make([]string, len(list))
	for i, u := range list {
		texts[i] = u.String()
	}
	value := strings.Join(texts, ", ")
	if !p.own {
		return []string{"postconf -e " + quoteShell(p.param+" = "+value)}
	}
	var lines []string
	flat, ok := withoutSpaces(list)
	for _, s := range p.services {
		if ok {
			lines = append(lines, "postconf -P "+quoteShell(s.String()+"/"+p.param+"="+flat))
			continue
		}
		lines = append(lines, "# in master.cf, below "+s.String()+", for what is there of "+p.param+":", "  -o { "+p.param+" = "+value+" }")
	}
	return lines
}

// withoutSpaces is a list as "postconf -P" takes it, which has no white space. It
// is not ok if a value within braces needs some.
func withoutSpaces(list []unit) (flat string, ok bool) {
	var words []string
	for _, u := range list {
		for _, word := range splitList(u.String(), separators) {
			if inner, braces := unbrace(word); braces {
				word = "{" + strings.Join(splitList(inner, separators), ",") + "}"
			}
			words = append(words, word)
		}
	}
	flat = strings.Join(words, ",")
	return flat, !strings.ContainsAny(flat, " \t\r\n")
}

// mended is the list of a place with the daemon called once, properly and in its
// proper place, which is at. It is not ok if the call is within a class or a
// parameter of its own.
func (x *examination) mended(p *place) (list []unit, at int, ok bool) {
	calls := x.callsAt(p)
	var first *call
	for i := range calls {
		if !calls[i].written() {
			return nil, 0, false
		}
		first = &calls[0]
	}
	for i, u := range p.units {
		if !slices.ContainsFunc(calls, func(c call) bool { return c.step().unit == i }) {
			list = append(list, u)
		}
	}
	if len(list) == 0 && p.name == "recipient" && first == nil {
		list = asUnits([]string{"permit_mynetworks", "permit_sasl_authenticated", "reject_unauth_destination"})
	}
	at = p.proper(list)
	return slices.Insert(list, at, unit{x.line(p, first)}), at, true
}

// rewire is the command that mends a place. All findings about one place have the
// same, so that one does not undo the other.
func (x *examination) rewire(p *place) []string {
	if best := x.bestPlace(p.services[0]); best != nil && best != p && len(x.callsAt(p)) > 0 {
		return x.without(p) // it is called elsewhere
	}
	list, _, ok := x.mended(p)
	if !ok {
		return x.byHand(p)
	}
	return p.set(list)
}

// rewireWith is rewire with more restrictions before the call.
func (x *examination) rewireWith(p *place, names []string) []string {
	list, at, ok := x.mended(p)
	if !ok {
		return x.byHand(p)
	}
	return p.set(slices.Insert(list, at, asUnits(names)...))
}

// without is the command that takes the daemon's calls out of a place.
func (x *examination) without(p *place) []string {
	var list []unit
	for i, u := range p.units {
		ours := slices.ContainsFunc(x.callsAt(p), func(c call) bool { return c.step().unit == i })
		if !ours {
			list = append(list, u)
		}
	}
	return p.set(list)
}

// callsAt are the daemon's calls of one place.
func (x *examination) callsAt(p *place) []call {
	var all []call
	for _, c := range x.ours {
		if c.place == p {
			all = append(all, c)
		}
	}
	return all
}

// written says that the call stands in the list itself, rather than in a class or
// in a parameter that the list names.
func (c *call) written() bool {
	u := c.units[c.step().unit]
	return c.step().class == "" && len(u) > 1 && strings.EqualFold(u[len(u)-2], callName)
}

// byHand says where a call that is not in the list itself is to be changed.
func (x *examination) byHand(p *place) []string {
	var lines []string
	for _, c := range x.callsAt(p) {
		where := c.units[c.step().unit].String()
		if c.step().class != "" {
			where = "the class " + c.step().class
		}
		lines = append(lines, "# where "+brief(where)+" is set, for "+c.param+":", x.line(p, &c))
	}
	return lines
}

// proper is where in a list the daemon is best called: behind what lets our own
// clients pass and refuses to relay or to unknown recipients, and before what ends
// the list.
func (p *place) proper(list []unit) int {
	at := 0
	for i, u := range list {
		steps := p.params.steps([]unit{u})
		if slices.ContainsFunc(steps, func(s step) bool { return ends(s.name) }) {
			if at > 0 {
				return at
			}
			return i
		}
		for _, s := range steps {
			if s.name == "permit_mynetworks" || s.name == "permit_sasl_authenticated" || s.name == "reject_unlisted_recipient" || guardsRelay(s.name) {
				at = i + 1
			}
		}
	}
	if at == 0 {
		return len(list)
	}
	return at
}

// ends says that nothing behind the restriction is looked at.
func ends(name string) bool {
	switch name {
	case "permit", "reject", "defer":
		return true
	}
	return false
}

// guardsRelay says that the restriction refuses recipients that are not ours.
func guardsRelay(name string) bool {
	return name == "reject_unauth_destination" || name == "defer_unauth_destination"
}
