package doctor

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// get is a parameter as it holds for a service.
func (x *examination) get(s *maincf.Service, name string) string {
	values := x.m.Postfix.With(s)
	return strings.TrimSpace(values.Expand(values[name]))
}

// command is a line for postconf(1), which names Postfix's folder where that is
// not the one that it takes by itself.
func (x *examination) command(option, argument string) string {
	line := "postconf "
	if dir := x.m.Postfix.Folder(); dir != "" {
		line += "-c " + finding.QuoteShell(dir) + " "
	}
	return line + option + " " + finding.QuoteShell(argument)
}

// setMain is the command that sets a parameter in main.cf.
func (x *examination) setMain(name, value string) []string {
	return []string{x.command("-e", name+" = "+value)}
}

// setFor is the command that sets a parameter where it is set now: for one
// service in master.cf, or in main.cf.
func (x *examination) setFor(s *maincf.Service, name, value string) []string {
	if s.Sets(name) {
		return []string{x.command("-P", s.String()+"/"+name+"="+value)} // of one word
	}
	return x.setMain(name, value)
}

// callers are the services that call the daemon, each once.
func (x *examination) callers() []*maincf.Service {
	var all []*maincf.Service
	for _, c := range x.ours {
		all = withNew(all, c.services...)
	}
	return all
}

// once leaves of findings of one check that come to the same the first: services
// that share their parameters share the finding.
func once(all []Finding) []Finding {
	var kept []Finding
	for _, f := range all {
		same := func(g Finding) bool {
			return g.ID == f.ID && slices.Equal(g.Do, f.Do) && (len(f.Do) > 0 || g.Title == f.Title)
		}
		if !slices.ContainsFunc(kept, same) {
			kept = append(kept, f)
		}
	}
	return kept
}

// checkDelayReject looks at what the daemon is told before RCPT.
func checkDelayReject(x *examination, c *call) []Finding {
	var all []Finding
	early := c.Name == "client" || c.Name == "helo" || c.Name == "sender"
	for _, s := range c.services {
		if !early || c.dead || x.get(s, "smtpd_delay_reject") != "no" {
			continue
		}
		all = append(all, Finding{
			"postfix.delay-reject", Error, fmt.Sprintf("smtpd_delay_reject = no, and the daemon is called in %s (%s)", c.Param, brief(s.String())),
			"It is then asked before Postfix knows the recipient, and in client restrictions before the HELO and the login: users who would log in are refused, mail to postmaster is, and rules about HELO do not hold.",
			append(x.setFor(s, "smtpd_delay_reject", "yes"), x.ifEnded(c)...),
		})
	}
	return all
}

// ifEnded is the command that mends a list which only a recipient that is known
// ends before the call.
func (x *examination) ifEnded(c *call) []string {
	if last, _ := x.lastUnit(c.place, c.units); last < c.step().Unit {
		return x.rewire(c.place)
	}
	return nil
}

// whereSet is a finding about each service that calls the daemon and has a parameter
// set to a value for which another is better. Its title has the service in it.
func (x *examination) whereSet(name, value, better string, f Finding) []Finding {
	var all []Finding
	for _, s := range x.callers() {
		if x.get(s, name) == value {
			one := f
			one.Title = fmt.Sprintf(f.Title, brief(s.String()))
			one.Do = x.setFor(s, name, better)
			all = append(all, one)
		}
	}
	return all
}

// checkPeerName says what smtpd_peername_lookup = no changes.
func checkPeerName(x *examination) []Finding {
	return x.whereSet("smtpd_peername_lookup", "no", "yes", Finding{
		ID: "postfix.peername", Level: Info, Title: "smtpd_peername_lookup = no (%s)",
		Why: "The daemon queries the DNS itself and is not touched. But Postfix's own log says \"unknown\" for every client, client_name in the decision log too, and tables and exceptions by client name do not match.",
	})
}

// checkFront looks at what stands between the client and smtpd.
func checkFront(x *examination) []Finding {
	if x.m.Postfix.Unread != "" {
		return nil
	}
	var all []Finding
	for _, s := range x.servicesOf(maincf.MX) {
		all = append(all, x.checkXCLIENT(s)...)
		behind := s.Type == "pass"
		proxy := x.get(s, "smtpd_upstream_proxy_protocol")
		if behind {
			if proxy != "" {
				all = append(all, Finding{
					"postfix.proxy", Error, "smtpd_upstream_proxy_protocol is set for an smtpd behind postscreen (" + brief(s.String()) + ")",
					"postscreen hands the client's address on in its own way. Such an smtpd waits for a header that never comes; the parameter is for services without postscreen.",
					[]string{
						x.command("-e", "postscreen_upstream_proxy_protocol = "+proxy),
						x.command("-P", s.String()+"/smtpd_upstream_proxy_protocol="),
					},
				})
			}
			proxy = x.get(s, "postscreen_upstream_proxy_protocol")
			all = append(all, Finding{
				ID: "postfix.postscreen", Level: Info, Title: "postscreen is in front: clients that it turns away are not asked about",
				Why: "Its access list and temporary allow list are its own; the daemon's exemptions do not hold there.",
			})
		}
		if proxy != "" {
			all = append(all, Finding{
				ID: "postfix.proxy", Level: Info, Title: fmt.Sprintf("Clients come in through a proxy that speaks %s (%s)", brief(proxy), brief(s.String())),
				Why: "The proxy has to send that header with each connection, and nobody else may reach the port: whoever can is believed to be any client.",
			})
		}
	}
	return all
}

// checkXCLIENT looks at who may say who the client is.
func (x *examination) checkXCLIENT(s *maincf.Service) []Finding {
	hosts := x.get(s, "smtpd_authorized_xclient_hosts")
	if hosts == "" {
		return nil
	}
	f := Finding{
		ID: "postfix.xclient", Level: Info, Title: fmt.Sprintf("These may say which client is before Postfix (XCLIENT): %s", brief(hosts)),
		Why: "What they say is what the daemon judges. There should be nobody but your own proxies.",
	}
	for _, word := range smtpd.Split(hosts, smtpd.Separators) {
		word = strings.TrimPrefix(word, "static:")
		if prefix, ok := smtpd.Network(word); word == "all" || ok && prefix.Bits() < 8 {
			f.Level = Error
			f.Title = "Anybody may say which client is before Postfix (XCLIENT): " + brief(hosts)
			f.Why = "A spammer passes as any host, your own included."
			f.Do = x.setFor(s, "smtpd_authorized_xclient_hosts", "")
		}
	}
	return []Finding{f}
}

// checkSoftBounce looks for what makes a 4xx of each 5xx.
func checkSoftBounce(x *examination) []Finding {
	return x.whereSet("soft_bounce", "yes", "no", Finding{
		ID: "postfix.soft-bounce", Level: Warning, Title: "soft_bounce = yes (%s): the daemon's 550 goes out as 450",
		Why: "Nobody is refused; senders try again for days. It is meant for the first hour after a change. To watch rules, mode = \"observe\" is better.",
	})
}

// checkLimits compares the smtpd processes, each of which has a connection for
// each different text of a call, to what the daemon takes.
func checkLimits(x *examination) []Finding {
	if x.m.Postfix.Unread != "" || len(x.ours) == 0 {
		return nil
	}
	most := 0
	var unlimited []string
	for _, s := range x.callers() {
		n := x.m.Postfix.Processes(s)
		if n == 0 {
			unlimited = append(unlimited, brief(s.String()))
		}
		most += n * x.connectionsOf(s)
	}
	switch {
	case len(unlimited) > 0:
		return []Finding{{
			"limits.connections", Warning, fmt.Sprintf("Any number of smtpd processes may run (%s); the daemon takes %d connections", and(unlimited), x.v.Connections),
			"Each process has a connection of its own. Beyond server.max_connections they wait, and Postfix's timeout runs.",
			[]string{x.command("-e", "default_process_limit = 100"), "# and in master.cf \"-\" for 0 in the column maxproc of " + and(unlimited)},
		}}
	case most > x.v.Connections:
		return []Finding{{
			"limits.connections", Warning, fmt.Sprintf("Up to %d smtpd processes want a connection each; the daemon takes %d", most, x.v.Connections),
			"Those beyond server.max_connections wait, and Postfix's timeout runs. The change waits for a restart of the daemon.",
			[]string{"# in " + x.file() + ":", "[server]", "max_connections = " + strconv.Itoa((most/100+2)*100)},
		}}
	}
	return []Finding{{
		ID: "limits.connections", Level: OK,
		Title: fmt.Sprintf("At most %d connections from Postfix; the daemon takes %d", most, x.v.Connections),
	}}
}

// connectionsOf is how many connections a process of the service may have: one
// for each text, for Postfix tells services apart by that.
func (x *examination) connectionsOf(s *maincf.Service) int {
	var texts []string
	for _, c := range x.ours {
		if slices.Contains(c.services, s) {
			texts = withNew(texts, c.step().Arg)
		}
	}
	return len(texts)
}

// file is the daemon's configuration file, or where one would be.
func (x *examination) file() string {
	if x.v.Path == "" {
		return "/etc/policyd-rdns/config.toml"
	}
	return x.v.Path
}
