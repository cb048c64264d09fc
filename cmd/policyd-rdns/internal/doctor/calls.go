package doctor

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// stage is a list of restrictions, in the order of a session.
type stage struct{ name, param string }

func stages() []stage {
	return []stage{
		{"client", "smtpd_client_restrictions"},
		{"helo", "smtpd_helo_restrictions"},
		{"sender", "smtpd_sender_restrictions"},
		{"relay", "smtpd_relay_restrictions"},
		{"recipient", "smtpd_recipient_restrictions"},
		{"data", "smtpd_data_restrictions"},
		{"end_of_data", "smtpd_end_of_data_restrictions"},
		{"etrn", "smtpd_etrn_restrictions"},
	}
}

// place is a list of restrictions as it holds for services of one kind.
type place struct {
	stage
	kind     kind
	services []*Service
	own      bool // the list is the services' own, set in master.cf
	params   params
	units    []unit
	steps    []step
}

// places are all lists of all SMTP services; services that share one are
// together.
func places(p *Postfix) []place {
	var all []place
	services := p.smtpd()
	for i := range services {
		s := &services[i]
		values := p.with(s)
		for _, stage := range stages() {
			own := slices.ContainsFunc(s.Options, func(o Option) bool { return o.Name == stage.param })
			list := units(values[stage.param])
			steps := values.steps(list)
			same := slices.IndexFunc(all, func(q place) bool {
				return q.stage == stage && q.kind == p.kindOf(s) && q.own == own && slices.Equal(q.steps, steps) &&
					slices.EqualFunc(q.units, list, slices.Equal[unit])
			})
			if same >= 0 {
				all[same].services = append(all[same].services, s)
				continue
			}
			all = append(all, place{stage, p.kindOf(s), []*Service{s}, own, values, list, steps})
		}
	}
	return all
}

// smtpd are the SMTP services; without master.cf the one that every Postfix has.
func (p *Postfix) smtpd() []Service {
	if p.MasterUnread != "" {
		return []Service{{Name: "smtp", Type: "inet", Chroot: "?", MaxProc: "-", Command: "smtpd"}}
	}
	var all []Service
	for _, s := range p.Services {
		if kindOf(&s) != notSMTP {
			all = append(all, s)
		}
	}
	return all
}

// kindOf is that of a service among the others: where all are on the loopback,
// that is where strangers come in.
func (p *Postfix) kindOf(s *Service) kind {
	k := kindOf(s)
	if k == internal && !slices.ContainsFunc(p.smtpd(), func(s Service) bool { return kindOf(&s) == mx }) {
		return mx
	}
	return k
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
	endpoint endpoint
	options  []Option // in braces
	braces   bool
	bad      string // what Postfix would not accept
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
		inner, ok := unbrace(arg)
		if !ok {
			c.bad = "the braces are not closed"
		}
		words = splitList(inner, separators)
	} else if arg != "" {
		words = []string{arg}
	}
	if len(words) == 0 {
		c.bad = "there is no service behind it"
		return c
	}
	c.endpoint = parseEndpoint(words[0])
	if c.endpoint.network != "inet" && c.endpoint.network != "unix" {
		c.bad = "want inet:host:port or unix:path"
	}
	for _, word := range words[1:] {
		name, value, ok := parameter(stripBraces(word))
		switch {
		case !ok:
			c.bad = "behind the service want name=value, and braces around one with spaces in it"
		case !slices.Contains(callOptions(), name):
			c.bad = "there is no option " + brief(name)
		}
		c.options = append(c.options, Option{name, value})
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
	return c.params.expand(c.params["smtpd_policy_service_"+name]), false
}

// findCalls sorts all calls by whose they are.
func (x *examination) findCalls() {
	for i := range x.places {
		p := &x.places[i]
		for at := range p.steps {
			if p.steps[at].name != callName {
				continue
			}
			c := parseCall(p, at)
			if x.isOurs(&c) {
				x.ours = append(x.ours, c)
			} else {
				x.others = append(x.others, c)
			}
		}
	}
}

// isOurs says that the daemon hears the call, from any of the services.
func (x *examination) isOurs(c *call) bool {
	for _, s := range c.services {
		for _, address := range x.listening() {
			if c.endpoint.listens(address, x.queue(), x.m.Postfix.chrooted(s)) {
				return true
			}
		}
	}
	// The right path from the wrong root is a call to this daemon that does not
	// reach it.
	return c.endpoint.network == "unix" && slices.ContainsFunc(x.listening(), func(address string) bool {
		file, ok := strings.CutPrefix(address, "unix:")
		return ok && sameFile(file, c.endpoint.path)
	})
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

func (x *examination) queue() string { return x.params().expand("$queue_directory") }

func (x *examination) params() params { return x.m.Postfix.Values }

func portText(ap netip.AddrPort) string { return strconv.Itoa(int(ap.Port())) }
