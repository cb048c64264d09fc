package doctor

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// place is a list of restrictions as it holds for services of one kind.
type place struct {
	smtpd.Stage
	kind     maincf.Kind
	services []*maincf.Service
	own      bool // the list is the services' own, set in master.cf
	params   maincf.Params
	id       string // unlike that of any other place
	units    []smtpd.Unit
	steps    []maincf.Step
}

// places are all lists of all SMTP services; services that share one are
// together.
func places(p *maincf.Postfix) []*place {
	var all []*place
	services := p.SMTPD()
	for i := range services {
		s := &services[i]
		values := p.With(s)
		for _, stage := range smtpd.Stages() {
			own := slices.ContainsFunc(s.Options, func(o maincf.Option) bool { return o.Name == stage.Param })
			list := smtpd.Units(values[stage.Param])
			q := &place{Stage: stage, kind: p.KindOf(s), services: []*maincf.Service{s}, own: own, params: values, units: list, steps: values.Named(values.Steps(list), p.TableText)}
			same := slices.IndexFunc(all, func(r *place) bool {
				return r.Stage == q.Stage && r.kind == q.kind && r.own == q.own && slices.Equal(r.steps, q.steps) &&
					slices.EqualFunc(r.units, q.units, slices.Equal[smtpd.Unit])
			})
			if same >= 0 {
				all[same].services = append(all[same].services, s)
				continue
			}
			q.id = strconv.Itoa(len(all)) + " "
			all = append(all, q)
		}
	}
	return all
}

// names are the services, as postconf writes them.
func (p *place) names() string {
	var names []string
	for _, s := range p.services {
		names = append(names, brief(s.String()))
	}
	return and(names)
}

// call is one check_policy_service of one place.
type call struct {
	*place
	at int // of the place's steps
	maincf.Call
	silent string // why nobody answers there
	fate
	// dead: the mail of most strangers never comes to it. ended is what becomes of
	// that mail, by the restriction end of the unit endUnit.
	dead    bool
	ended   smtpd.Result
	end     string
	endUnit int
}

func (c *call) step() *maincf.Step { return &c.steps[c.at] }

// before are the steps that come before it.
func (c *call) before() []maincf.Step { return c.steps[:c.at] }

// parseCall reads a call of a place.
func parseCall(p *place, at int) *call {
	c := &call{place: p, at: at, Call: maincf.ParseCall(p.steps[at].Arg)}
	if next := p.steps[at].Unit + 1; p.steps[at].Class == "" && next < len(p.units) && maincf.IsStray(p.units[next]) {
		c.Bad = "options of a call stand in braces with it"
	}
	return c
}

// option is the value of an option of a call, or else the parameter that holds
// for all; own is whether it is the call's own.
func (c *call) option(name string) (value string, own bool) {
	for _, o := range c.Options {
		if o.Name == name {
			value, own = o.Value, true
		}
	}
	if own {
		return value, true
	}
	return c.params.Expand(c.params["smtpd_policy_service_"+name]), false
}

// maxCalls bounds the calls that are looked at, of all lists of all services
// together: classes that hold each other twice may double them.
const maxCalls = 500

// findCalls sorts all calls by whose they are. One to where nobody listens is
// ours if the service has no other of ours: the daemon has moved.
func (x *examination) findCalls() {
	var silent []*call
	found := 0
	for _, p := range x.places {
		for at := range p.steps {
			if p.steps[at].Name != smtpd.CallName || found == maxCalls {
				continue
			}
			found++
			c := parseCall(p, at)
			c.silent = x.m.Silent[c.Endpoint.Text]
			switch {
			case x.isOurs(c):
				c.silent = ""
				x.ours = append(x.ours, c)
			case c.silent != "":
				silent = append(silent, c)
			default:
				x.others = append(x.others, c)
			}
		}
	}
	calling := x.callers()
	for _, c := range silent {
		if slices.ContainsFunc(c.services, func(s *maincf.Service) bool { return slices.Contains(calling, s) }) {
			x.others = append(x.others, c)
		} else {
			x.ours = append(x.ours, c)
		}
	}
}

// isOurs reports whether the daemon hears the call, from any of the services.
func (x *examination) isOurs(c *call) bool {
	for _, s := range c.services {
		for _, address := range x.listening() {
			if c.Endpoint.Listens(address, x.queue(), x.m.Postfix.Chrooted(s)) {
				return true
			}
		}
	}
	if meant, ok := c.Endpoint.Meant(); ok {
		c.Bad = "want " + meant.Text
		if slices.ContainsFunc(x.listening(), func(address string) bool { return meant.Listens(address, x.queue(), false) }) {
			return true
		}
	}
	// The right path from the wrong root is a call to this daemon that does not
	// reach it.
	return c.Endpoint.Network == "unix" && slices.ContainsFunc(x.listening(), func(address string) bool {
		file, ok := strings.CutPrefix(address, "unix:")
		return ok && maincf.SameFile(file, c.Endpoint.Path)
	})
}

// speaks reports whether Postfix talks to the address family at all
// (inet_protocols); "inet:localhost:port" goes to the families that it does.
func (x *examination) speaks(s *maincf.Service, address string) bool {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return true // a unix socket
	}
	protocols := x.get(s, "inet_protocols")
	only := "ipv6"
	if ap.Addr().Unmap().Is4() {
		only = "ipv4"
	}
	all := protocols == "" || strings.Contains(protocols, "all")
	return all || strings.Contains(protocols, only)
}

// listening are the addresses of the configuration, and those that systemd holds
// for the daemon. Without any, systemd is to hold the socket of the unit as it
// comes.
func (x *examination) listening() []string {
	all := withNew(slices.Clone(x.v.Listen), x.m.Unit.Socket.Listen...)
	if len(all) == 0 {
		all = append(all, "unix:"+path.Join(x.queue(), insideQueue))
	}
	return all
}

func (x *examination) queue() string { return x.params().Expand("$queue_directory") }

func (x *examination) params() maincf.Params { return x.m.Postfix.Values }
