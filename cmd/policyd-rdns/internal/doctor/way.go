package doctor

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// way is what becomes of strangers' mail for domains of ours at one service.
type way struct {
	// dies: no list refuses relaying, so that smtpd ends for every client.
	dies bool
	// taken is how many of the strangers' mails are accepted.
	taken int
	// Of most mail to these domains that is accepted, the daemon is asked about
	// nothing (unjudged), or about it.
	unjudged, judged []string
	// broken is what Postfix cannot make sense of and answers 451 to, for most;
	// it stands in brokenAt.
	broken     string
	brokenUnit int
	brokenAt   *place
	// undetermined are restrictions before a call of ours that may end its list.
	undetermined []string
}

// isBroken reports whether a unit of a list is what Postfix cannot make sense of.
func (w *way) isBroken(p *place, unit int) bool {
	return w.broken != "" && w.brokenAt == p && w.brokenUnit == unit && w.broken == p.units[unit].String()
}

// counts are of strangers, IPv4 and IPv6 ones apart: mail that is accepted from
// half of the world without a request is not judged.
type counts struct{ taken, unjudged [2]int }

func family(s *smtpd.Stranger) int {
	if s.Addr.Is4() {
		return 0
	}
	return 1
}

// fate is how often a call is reached, and what became of the other mail that came
// to its list.
type fate struct {
	reached, passed [2]int
	refused         int
	ends            []smtpd.Trace
}

// findWays finds the way in for every SMTP service, and which calls are reached.
func (x *examination) findWays() {
	x.ways = map[*maincf.Service]*way{}
	seen := map[string]*way{}
	for _, s := range x.servicesOf(maincf.MX, maincf.Submission, maincf.Internal) {
		places := x.placesOf(s)
		var id strings.Builder
		for _, p := range places {
			id.WriteString(p.id)
		}
		if w := seen[id.String()]; w != nil {
			x.ways[s] = w
			continue
		}
		w := x.wayOf(s, places)
		x.ways[s], seen[id.String()] = w, w
	}
	for _, c := range x.ours {
		c.judge()
	}
}

// judge determines whether the call is reached, by what became of the mail.
func (c *call) judge() {
	for n := range c.reached {
		if c.passed[n] > c.reached[n] {
			c.dead = true
		}
	}
	if c.reached == [2]int{} && c.refused > 0 {
		c.dead = true
	}
	if c.step().Via != "" || !c.dead {
		c.dead = false
		return
	}
	first := c.ends[0]
	if i := slices.IndexFunc(c.ends, func(t smtpd.Trace) bool { return t.Result == smtpd.Permit || t.Result == smtpd.Discard }); i >= 0 {
		first = c.ends[i]
	}
	c.ended, c.end, c.endUnit = first.Result, first.By, first.Unit
}

// placesOf are the lists of a service in the order of a session.
func (x *examination) placesOf(s *maincf.Service) []*place {
	var all []*place
	for _, p := range x.places {
		if p.Name != "etrn" && slices.Contains(p.services, s) {
			all = append(all, p)
		}
	}
	relay := slices.IndexFunc(all, func(p *place) bool { return p.Name == "relay" })
	if !x.relayFirst(s) {
		all[relay], all[relay+1] = all[relay+1], all[relay]
	}
	return all
}

// smtpdConfig is what the walks of a service go by.
func (x *examination) smtpdConfig(values maincf.Params) *smtpd.Config {
	return &smtpd.Config{
		Param: func(name string) string { return values.Expand(values[name]) },
		Table: x.m.Postfix.TableText,
	}
}

func (x *examination) wayOf(s *maincf.Service, places []*place) *way {
	values := x.m.Postfix.With(s)
	config := x.smtpdConfig(values)
	w := &way{}
	guarded := false
	lists := make([]maincf.List, len(places))
	for i, p := range places {
		lists[i] = p.params.List(p.units)
		guarded = guarded || (p.Name == "relay" || p.Name == "recipient") && config.GuardsRelay(lists[i].Units)
	}
	w.dies = !guarded
	for _, domain := range firstDomains(values) {
		var n counts
		for _, stranger := range smtpd.Strangers(domain) {
			j := journey{x: x, w: w, s: s}
			j.travel(config, places, lists, &stranger)
			n.add(family(&stranger), &j)
		}
		w.taken += n.taken[0] + n.taken[1]
		switch {
		case n.unjudged[0]*2 > n.taken[0] || n.unjudged[1]*2 > n.taken[1]:
			w.unjudged = append(w.unjudged, domain)
		case n.taken != [2]int{}:
			w.judged = append(w.judged, domain)
		}
	}
	if w.taken > 0 {
		w.broken = "" // for some only
	}
	return w
}

func (n *counts) add(family int, j *journey) {
	if !j.accepted {
		return
	}
	n.taken[family]++
	if !j.judged {
		n.unjudged[family]++
	}
}

// walk is that of smtpd, with the unit as written.
func walk(l *maincf.List, config *smtpd.Config, stage string, s *smtpd.Stranger) smtpd.Trace {
	t := config.Walk(stage, l.Units, s)
	if t.Unit >= 0 {
		t.Unit = l.From[t.Unit]
	}
	return t
}

// journey is the way of one recipient of one stranger through all lists.
type journey struct {
	x                *examination
	w                *way
	s                *maincf.Service
	accepted, judged bool
}

func (j *journey) travel(config *smtpd.Config, places []*place, lists []maincf.List, stranger *smtpd.Stranger) {
	for i, p := range places {
		t := walk(&lists[i], config, p.Name, stranger)
		j.note(p, &t, family(stranger))
		switch t.Result {
		case smtpd.Broken:
			j.w.broken, j.w.brokenUnit, j.w.brokenAt = t.By, t.Unit, p
			return
		case smtpd.Refuse:
			return
		case smtpd.Discard:
			j.accepted = true
			return
		}
	}
	j.accepted = true
}

// note counts the calls of ours in a list that were reached, and those that were
// not.
func (j *journey) note(p *place, t *smtpd.Trace, family int) {
	for _, c := range j.x.ours {
		if c.place != p {
			continue
		}
		switch {
		case slices.Contains(t.Calls, c.step().Arg):
			c.reached[family]++
			j.judged = j.judged || j.x.works(c, j.s)
			j.w.undetermined = withNew(j.w.undetermined, t.Undetermined...)
			continue
		case t.Result == smtpd.Permit || t.Result == smtpd.Discard:
			c.passed[family]++
		default:
			c.refused++
		}
		c.ends = append(c.ends, *t)
	}
}

// works reports whether a call that is reached gets to the daemon.
func (x *examination) works(c *call, s *maincf.Service) bool {
	return c.Bad == "" && c.silent == "" && x.reaches(c, s)
}

// firstDomains are some of the domains that strangers bring mail for.
func firstDomains(values maincf.Params) []string {
	const enough = 4
	all := values.Domains()
	if len(all) == 0 {
		return []string{"example.com"} // they are all in tables
	}
	return all[:min(len(all), enough)]
}
