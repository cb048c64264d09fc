// Package stacked knows what greylists beside the daemon: each of them has a client come
// again that the other has come again already, and mail that is wanted waits for both.
package stacked

import (
	"fmt"
	"path"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// deepTests are the tests of postscreen(8) after the 220 greeting. A client that passes
// them reads 450 once, since postscreen cannot hand a connection on in the midst of SMTP.
var deepTests = []string{"postscreen_pipelining_enable", "postscreen_non_smtp_command_enable", "postscreen_bare_newline_enable"}

// IsPostscreen reports whether a service is postscreen.
func IsPostscreen(s *maincf.Service) bool { return path.Base(s.Command) == "postscreen" }

// DeepTests looks at the deep protocol tests of a postscreen. off gives the command that
// switches one off.
func DeepTests(get func(name string) string, off func(name string) []string) []finding.Finding {
	var on, do []string
	for _, name := range deepTests {
		if get(name) == "yes" {
			on, do = append(on, name), append(do, off(name)...)
		}
	}
	if len(on) == 0 {
		return nil
	}
	return []finding.Finding{{
		ID: "greylist.postscreen", Level: finding.Warning, Title: "postscreen's deep protocol tests have each new client come again: " + plain.List(on, "and"),
		Why: "Who passes them reads 450 and comes again, from another host of its pool perhaps, and then our rules may have it come again once more. Its other tests (greeting, block lists) do not delay so: these are to be switched off.",
		Do:  append(do, "postfix reload"),
	}}
}

// greylister is a policy service that greylists.
type greylister struct {
	name  string
	ports []string // where it usually listens; one that others use too is not here
	off   string   // how it is switched off when nobody calls it
	// always: it does nothing else.
	always bool
}

// greylisters are those that are in use with Postfix, by their usual places: 10023 is of
// Debian's and FreeBSD's postgrey, 60000 of its own documentation.
var greylisters = []greylister{
	{"postgrey", []string{"10023", "60000"}, "systemctl disable --now postgrey", true},
	{"sqlgrey", []string{"2501"}, "systemctl disable --now sqlgrey", true},
	{"gld", []string{"2525"}, "systemctl disable --now gld", true},
	{"iredapd", []string{"7777"}, `# take "greylisting" out of plugins in /opt/iredapd/settings.py, and restart iredapd`, false},
}

// Service looks at a policy service that Postfix calls, by a step of a list of
// restrictions.
func Service(e *maincf.Endpoint, step, list string) []finding.Finding {
	for i := range greylisters {
		g := &greylisters[i]
		if !g.listens(e) {
			continue
		}
		f := finding.Finding{
			ID: "greylist." + g.name, Level: finding.Warning, Title: fmt.Sprintf("%s greylists beside the daemon: %s in %s", g.name, plain.Brief(e.Text), list),
			Why: "A client that it had come again, our rules may have come again once more; and it has every new one wait, ours only those whose reverse DNS is poor. \"policyd-rdns history --import-postgrey\" takes over whom postgrey knows.",
			Do:  []string{fmt.Sprintf("# take %q out of %s", plain.Brief(step), list), "postfix reload", g.off},
		}
		if !g.always {
			f.Level = finding.Info
			f.Title = fmt.Sprintf("%s may greylist beside the daemon: %s in %s", g.name, plain.Brief(e.Text), list)
			f.Do = []string{g.off}
		}
		return []finding.Finding{f}
	}
	return nil
}

// listens reports whether an endpoint is usually that of the service: a port of its own,
// or a socket or a host that is named for it.
func (g *greylister) listens(e *maincf.Endpoint) bool {
	if e.Network == "unix" {
		return strings.Contains(strings.ToLower(e.Path), g.name)
	}
	if strings.Contains(strings.ToLower(e.Host), g.name) || e.Port == g.name {
		return true
	}
	for _, port := range g.ports {
		if e.Port == port {
			return true
		}
	}
	return false
}

// Milters looks at the milters of a service: rspamd, where it usually listens itself or in
// the containers of mail stacks, and milter-greylist.
func Milters(value string) (all []finding.Finding) {
	for _, word := range smtpd.Split(value, smtpd.Separators) {
		if inner, ok := smtpd.Unbrace(word); ok { // with options of its own, Postfix 3.0
			if words := smtpd.Split(inner, smtpd.Separators); len(words) > 0 {
				word = words[0]
			}
		}
		text := strings.ToLower(word)
		switch {
		case strings.Contains(text, "greylist"):
			all = append(all, finding.Finding{
				ID: "greylist.milter-greylist", Level: finding.Warning, Title: "milter-greylist greylists beside the daemon: " + plain.Brief(word) + " in smtpd_milters",
				Why: "A client that it had come again, our rules may have come again once more.",
				Do:  []string{fmt.Sprintf("# take %q out of smtpd_milters", plain.Brief(word)), "postfix reload", "systemctl disable --now milter-greylist"},
			})
		case isRspamd(text):
			all = append(all, finding.Finding{
				ID: "greylist.rspamd", Level: finding.Info, Title: "rspamd may greylist beside the daemon: " + plain.Brief(word) + " in smtpd_milters",
				Why: "Its module greylist is on wherever rspamd has a Redis, and has mail come again whose score is high enough. A client that our rules had come again then waits twice.",
				Do:  []string{"# in /etc/rspamd/local.d/greylist.conf (of mailcow: data/conf/rspamd/local.d):", "enabled = false;", "# and restart rspamd"},
			})
		}
	}
	return all
}

// isRspamd reports whether a milter is rspamd's proxy: port 11332, or a host or a socket of
// its name, as mailcow's rspamd:9900 and Mailu's antispam:11332.
func isRspamd(text string) bool {
	e := maincf.ParseEndpoint(text)
	return e.Port == "11332" || strings.Contains(text, "rspamd")
}
