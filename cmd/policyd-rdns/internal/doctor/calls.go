package doctor

import (
	"net/netip"
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
	steps    []step
}

// places are all lists of all SMTP services; services that share one are
// together.
func places(p *maincf.Postfix) []place {
	var all []place
	services := p.SMTPD()
	for i := range services {
		s := &services[i]
		values := p.With(s)
		for _, stage := range smtpd.Stages() {
			own := slices.ContainsFunc(s.Options, func(o maincf.Option) bool { return o.Name == stage.Param })
			list := smtpd.Units(values[stage.Param])
			q := place{Stage: stage, kind: p.KindOf(s), services: []*maincf.Service{s}, own: own, params: values, units: list, steps: stepsOf(values, list)}
			q.addNamed(p.TableText)
			same := slices.IndexFunc(all, func(r place) bool {
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
	at       int // of the place's steps
	endpoint maincf.Endpoint
	options  []maincf.Option // in braces
	braces   bool
	bad      string // what Postfix would not accept
	silent   string // why nobody answers there
	// dead: the mail of most strangers never comes to it. ended is what becomes of
	// that mail, by the restriction end of the unit endUnit.
	dead    bool
	ended   smtpd.Result
	end     string
	endUnit int
}

func (c *call) step() *step { return &c.steps[c.at] }

// before are the steps that come before it.
func (c *call) before() []step { return c.steps[:c.at] }

// parseCall reads the argument of check_policy_service (smtpd_check.c,
// policy_client_register).
func parseCall(p *place, at int) call {
	c := call{place: p, at: at}
	arg := p.steps[at].arg
	var words []string
	if strings.HasPrefix(arg, "{") {
		c.braces = true
		inner, ok := smtpd.Unbrace(arg)
		if !ok {
			c.bad = "the braces are not closed"
		}
		words = smtpd.Split(inner, smtpd.Separators)
	} else if arg != "" {
		words = []string{arg}
	}
	if len(words) == 0 {
		c.bad = "there is no service behind it"
		return c
	}
	c.endpoint = maincf.ParseEndpoint(words[0])
	if !c.endpoint.Valid() {
		c.bad = "want inet:host:port or unix:path"
	}
	if next := p.steps[at].unit + 1; p.steps[at].class == "" && next < len(p.units) && isStray(p.units[next]) {
		c.bad = "options of a call stand in braces with it"
	}
	for _, word := range words[1:] {
		name, value, ok := maincf.Parameter(maincf.StripBraces(word))
		switch {
		case !ok:
			c.bad = "behind the service want name=value, and braces around one with spaces in it"
		case !slices.Contains(callOptions(), name):
			c.bad = "there is no option " + brief(name)
		}
		c.options = append(c.options, maincf.Option{Name: name, Value: value})
	}
	return c
}

// callOptions are those of a check_policy_service in braces (SMTPD_POLICY_README,
// "Advanced policy client configuration").
func callOptions() []string {
	return []string{"timeout", "max_idle", "max_ttl", "request_limit", "retry_delay", "try_limit", "default_action", "policy_context"}
}

// option is the value of an option of a call, or else the parameter that holds
// for all; own is whether it is the call's own.
func (c *call) option(name string) (value string, own bool) {
	for _, o := range c.options {
		if o.Name == name {
			value, own = o.Value, true
		}
	}
	if own {
		return value, true
	}
	return c.params.Expand(c.params["smtpd_policy_service_"+name]), false
}

// isStray reports whether a unit is no restriction, but an option of a call that
// was written without braces.
func isStray(u smtpd.Unit) bool {
	name, _, ok := maincf.Parameter(maincf.StripBraces(u[0]))
	return ok && len(u) == 1 && slices.Contains(callOptions(), name)
}

// maxCalls bounds the calls that are looked at, of all lists of all services
// together: classes that hold each other twice may double them.
const maxCalls = 500

// findCalls sorts all calls by whose they are. One to where nobody listens is
// ours if the service has no other of ours: the daemon has moved.
func (x *examination) findCalls() {
	var silent []call
	found := 0
	for i := range x.places {
		p := &x.places[i]
		for at := range p.steps {
			if p.steps[at].name != smtpd.CallName || found == maxCalls {
				continue
			}
			found++
			c := parseCall(p, at)
			c.silent = x.m.Silent[c.endpoint.Text]
			switch {
			case x.isOurs(&c):
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

// isOurs says that the daemon hears the call, from any of the services.
func (x *examination) isOurs(c *call) bool {
	for _, s := range c.services {
		for _, address := range x.listening() {
			if c.endpoint.Listens(address, x.queue(), x.m.Postfix.Chrooted(s)) {
				return true
			}
		}
	}
	if meant, ok := c.endpoint.Meant(); ok {
		c.bad = "want " + meant.Text
		if slices.ContainsFunc(x.listening(), func(address string) bool { return meant.Listens(address, x.queue(), false) }) {
			return true
		}
	}
	// The right path from the wrong root is a call to this daemon that does not
	// reach it.
	return c.endpoint.Network == "unix" && slices.ContainsFunc(x.listening(), func(address string) bool {
		file, ok := strings.CutPrefix(address, "unix:")
		return ok && maincf.SameFile(file, c.endpoint.Path)
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
	if ap.Addr().Is4() {
		only = "ipv4"
	}
	all := protocols == "" || strings.Contains(protocols, "all") || ap.Addr() == netip.IPv6Unspecified()
	return all || strings.Contains(protocols, only)
}

// listening are the addresses of the configuration, and those that systemd holds
// for the daemon.
func (x *examination) listening() []string {
	all := slices.Clone(x.v.Listen)
	for _, address := range x.m.Unit.Socket.Listen {
		if !slices.Contains(all, address) {
			all = append(all, address)
		}
	}
	return all
}

func (x *examination) queue() string { return x.params().Expand("$queue_directory") }

func (x *examination) params() maincf.Params { return x.m.Postfix.Values }
