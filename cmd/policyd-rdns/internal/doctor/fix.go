package doctor

import (
	"maps"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// recommendedTimeout is that of README.md: twice the daemon's default deadline.
const recommendedTimeout = 10 * time.Second

// line is the restriction that has Postfix call the daemon from a place, with what
// is set for the call that it has, if any, and does no harm.
func (x *examination) line(p *place, c *call) string {
	if c == nil {
		return x.lineTo(x.near(p), nil)
	}
	return x.lineTo(x.target(p, c), c.Options)
}

// near is how a place gets to the daemon: the first of its addresses that all its
// services reach.
func (x *examination) near(p *place) string {
	for _, address := range x.listening() {
		e := maincf.ParseEndpoint(maincf.EndpointOf(address, x.queue()))
		if !slices.ContainsFunc(p.services, func(s *maincf.Service) bool {
			return !e.Listens(address, x.queue(), x.m.Postfix.Chrooted(s)) || !x.speaks(s, address)
		}) {
			return e.Text
		}
	}
	return maincf.EndpointOf(x.listening()[0], x.queue())
}

// target is how the place reaches what the call means.
func (x *examination) target(p *place, c *call) string {
	e := c.Endpoint
	if meant, ok := e.Meant(); ok {
		e = meant
	}
	chroot := slices.ContainsFunc(p.services, func(s *maincf.Service) bool { return x.m.Postfix.Chrooted(s) })
	for _, address := range x.listening() {
		if !e.Listens(address, x.queue(), chroot) || !x.speaks(p.services[0], address) {
			continue
		}
		if e.Network == "unix" {
			return e.Text
		}
		return maincf.EndpointOf(address, x.queue())
	}
	if e.Network != "unix" || c.silent != "" {
		return x.near(p)
	}
	if target := maincf.EndpointOf("unix:"+e.Path, x.queue()); !chroot || !strings.HasPrefix(target, "unix:/") {
		return target
	}
	return "unix:" + insideQueue
}

// insideQueue is the path of the socket in policyd-rdns.socket, below the queue
// directory, and of one that is proposed for a chroot.
const insideQueue = "private/policyd-rdns"

func (x *examination) lineTo(target string, options []maincf.Option) string {
	if x.m.Postfix.Before(3, 0) {
		return smtpd.CallName + " " + target
	}
	kept := []maincf.Option{{Name: "timeout", Value: x.timeout().String()}, {Name: "default_action", Value: "DUNNO"}}
	for _, o := range options {
		switch o.Name {
		case "timeout":
			if d, ok := maincf.Time(o.Value); ok && d > x.v.Deadline && d <= time.Minute {
				kept[0].Value = o.Value
			}
		case "default_action":
			if actionLevel(o.Value).Rank() < Warning.Rank() {
				kept[1].Value = o.Value
			}
		case "request_limit":
		default:
			if slices.Contains(maincf.CallOptions(), o.Name) {
				kept = append(kept, o)
			}
		}
	}
	words := []string{target}
	for _, o := range kept {
		word := o.Name + "=" + o.Value
		if strings.ContainsAny(o.Value, smtpd.Separators) {
			word = "{ " + o.Name + " = " + o.Value + " }"
		}
		words = append(words, word)
	}
	return smtpd.CallName + " { " + strings.Join(words, ", ") + " }"
}

// timeout is one that the daemon keeps to in any case.
func (x *examination) timeout() time.Duration {
	if x.v.Deadline < recommendedTimeout {
		return recommendedTimeout
	}
	return (x.v.Deadline + 5*time.Second).Truncate(time.Second)
}

// set is the command that gives a place another list.
func (x *examination) set(p *place, list []smtpd.Unit) []string {
	texts := make([]string, len(list))
	for i, u := range list {
		texts[i] = u.String()
	}
	value := strings.Join(texts, ", ")
	if !p.own {
		return x.setMain(p.Param, value)
	}
	var lines []string
	flat, ok := smtpd.WithoutSpaces(list)
	for _, s := range p.services {
		if ok {
			lines = append(lines, x.command("-P", s.String()+"/"+p.Param+"="+flat))
			continue
		}
		lines = append(lines, "# in master.cf, below "+s.String()+", for what is there of "+p.Param+":", "  -o { "+p.Param+" = "+value+" }")
	}
	return lines
}

// mended is the list of a place with the daemon called once, properly and in its
// proper place, which is at. It is not ok if the call is within a class or a
// parameter of its own.
func (x *examination) mended(p *place) (list []smtpd.Unit, at int, ok bool) {
	calls := x.callsAt(p)
	var first *call
	for _, c := range calls {
		if !c.written() {
			return nil, 0, false
		}
		first = calls[0]
	}
	list = x.otherUnits(p, calls)
	if len(list) == 0 && p.Name == "recipient" && first == nil {
		list = smtpd.Alone(smtpd.OwnFirst("reject_unauth_destination"))
	}
	at, end := x.proper(p, list)
	list, at = smtpd.Hoist(list, at, end)
	needs := x.ways[p.services[0]].dies && len(x.placeOf(p.services[0], "relay").units) == 0 ||
		end == smtpd.Permit && at < len(list) || end != smtpd.Refuse && !p.guardsBefore(list[:at])
	if p.Name == "recipient" && needs && !x.relayRefusedFirst(p.services[0]) {
		list, at = smtpd.Guarded(list, at)
	}
	return slices.Insert(list, at, smtpd.Unit{x.line(p, first)}), at, true
}

// guardsBefore reports whether relaying is refused by these units.
func (p *place) guardsBefore(list []smtpd.Unit) bool {
	return slices.ContainsFunc(p.params.Steps(list), func(s maincf.Step) bool { return smtpd.RefusesRelay(s.Name) && !s.Warn })
}

// otherUnits are the units of a list without those calls, and without what Postfix
// cannot make sense of: calls of others, options that stand alone.
func (x *examination) otherUnits(p *place, calls []*call) []smtpd.Unit {
	for _, c := range x.others {
		if c.place == p && c.Bad != "" && c.written() {
			calls = append(slices.Clip(calls), c)
		}
	}
	w, config := x.ways[p.services[0]], x.smtpdConfig(p.params)
	var list []smtpd.Unit
	stray := false
	for i, u := range p.units {
		if slices.ContainsFunc(calls, func(c *call) bool { return c.step().Unit == i }) {
			stray = true
			continue
		}
		stray = stray && maincf.IsStray(u)
		switch rest, warn := u.CutWarn(); {
		case stray:
		case !strings.Contains(u[0], "$") && config.Strange(rest):
			if !warn {
				list = append(list, smtpd.Meant(rest)...)
			}
		case !w.isBroken(p, i):
			list = append(list, u)
		}
	}
	return list
}

// repair is the command that takes out of a list what Postfix cannot make sense
// of. The daemon is called from there if it was to be; where the service calls it
// from nowhere, it is called at the recipient.
func (x *examination) repair(p *place) []string {
	s := p.services[0]
	switch {
	case len(x.callsAt(p)) > 0, !x.means(s) && p.Name == "recipient":
		return x.rewire(p)
	case x.means(s):
		return x.set(p, x.otherUnits(p, nil))
	}
	return append(x.set(p, x.otherUnits(p, nil)), x.rewire(x.placeOf(s, "recipient"))...)
}

// guard is the command that has a service refuse to relay: in the list that there
// is for that, or else in that for recipients.
func (x *examination) guard(s *maincf.Service) []string {
	relay, recipient := x.placeOf(s, "relay"), x.placeOf(s, "recipient")
	if len(relay.units) == 0 {
		if best := x.bestPlace(s); best == nil || best == recipient {
			return x.rewire(recipient)
		}
		list, _ := smtpd.Guarded(x.otherUnits(recipient, nil), 0)
		return x.set(recipient, list)
	}
	var list []smtpd.Unit
	for _, u := range relay.units {
		name, warn := u.CutWarn()
		if !warn && strings.EqualFold(name[0], "permit") {
			break
		}
		if !warn || !smtpd.RefusesRelay(strings.ToLower(name[0])) {
			list = append(list, u)
		}
	}
	list, _ = smtpd.Guarded(list, len(list))
	return x.set(relay, list)
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
	return x.set(p, list)
}

// rewireWith is rewire with more restrictions before the call.
func (x *examination) rewireWith(p *place, names []string) []string {
	list, at, ok := x.mended(p)
	if !ok {
		return x.byHand(p)
	}
	there := p.params.Steps(list[:at])
	names = slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return slices.ContainsFunc(there, func(s maincf.Step) bool { return s.Name == name && !s.Warn })
	})
	return x.set(p, slices.Insert(list, at, smtpd.Alone(names)...))
}

// without is the command that takes the daemon's calls out of a place.
func (x *examination) without(p *place) []string {
	return x.set(p, x.otherUnits(p, x.callsAt(p)))
}

// callsAt are the daemon's calls of one place.
func (x *examination) callsAt(p *place) []*call {
	var all []*call
	for _, c := range x.ours {
		if c.place == p {
			all = append(all, c)
		}
	}
	return all
}

// written reports whether the call stands in the list itself, rather than in a class or
// in a parameter that the list names.
func (c *call) written() bool {
	u := c.units[c.step().Unit]
	return c.step().Class == "" && len(u) > 1 && strings.EqualFold(u[len(u)-2], smtpd.CallName)
}

// byHand says where a call that is not in the list itself is to be changed.
func (x *examination) byHand(p *place) []string {
	var lines []string
	for _, c := range x.callsAt(p) {
		where := c.units[c.step().Unit].String()
		if c.step().Class != "" {
			where = "the class " + c.step().Class
		}
		lines = append(lines, "# where "+brief(where)+" is set, for "+c.Param+":", x.line(p, c))
	}
	return lines
}

// proper is where in a list the daemon is best called: behind what lets our own
// clients pass and refuses to relay or to unknown recipients, and before what ends
// the list for most, by end.
func (x *examination) proper(p *place, list []smtpd.Unit) (at int, end smtpd.Result) {
	last, end := x.lastUnit(p, list)
	for i, u := range list[:last] {
		for _, s := range p.params.Steps([]smtpd.Unit{u}) {
			if slices.Contains(smtpd.OwnFirst("reject_unlisted_recipient"), s.Name) || smtpd.RefusesRelay(s.Name) {
				at = i + 1
			}
		}
	}
	if at == 0 {
		return last, end
	}
	return at, end
}

// lastUnit is the first unit of a list that ends it for most strangers once the
// recipient is known; what mynetworks holds is not looked at.
func (x *examination) lastUnit(p *place, written []smtpd.Unit) (last int, end smtpd.Result) {
	values := maps.Clone(p.params)
	values["mynetworks"], values["smtpd_delay_reject"] = "", "yes"
	config := x.smtpdConfig(values)
	l := p.params.List(written)
	n := make([]int, len(written))
	results := make([]smtpd.Result, len(written))
	strangers := smtpd.Strangers(firstDomains(p.params)[0])
	for i := range strangers {
		if t := walk(&l, config, p.Name, &strangers[i]); t.Unit >= 0 {
			n[t.Unit]++
			if results[t.Unit] == smtpd.Dunno || t.Result == smtpd.Permit {
				results[t.Unit] = t.Result
			}
		}
	}
	for i := range n { // five are one IPv6 address in three: not most
		if n[i] > 5 && (n[i]*2 > len(strangers) || results[i] == smtpd.Permit || results[i] == smtpd.Discard) {
			return i, results[i]
		}
	}
	return len(written), smtpd.Dunno
}
