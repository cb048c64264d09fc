// Package selinux knows what SELinux has to do with a policy service: Postfix's smtpd may
// connect to ports of one label, and to no unix socket but Postfix's own. Where it may not,
// Postfix takes default_action, with no word in its log that names the cause.
package selinux

import (
	"fmt"
	"path"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

const passes = "Postfix takes default_action for all mail, so that with DUNNO nobody is judged, and its log does not say why."

// Check looks whether SELinux lets Postfix connect to the endpoints of its calls.
func Check(x *machine.SELinux, calls []maincf.Endpoint) (all []finding.Finding) {
	if x.Mode != "Enforcing" && x.Mode != "Permissive" {
		return nil
	}
	told := map[string]bool{}
	for i := range calls {
		e := &calls[i]
		if told[e.Text] {
			continue
		}
		told[e.Text] = true
		all = append(all, check(x, e)...)
	}
	return all
}

func check(x *machine.SELinux, e *maincf.Endpoint) []finding.Finding {
	is := finding.Error
	if x.Mode == "Permissive" {
		is = finding.Info // so far it only notes
	}
	times, last := denied(x, e)
	labelled := e.Network == "inet" && has(x.Labelled, e.Port)
	switch {
	case labelled:
		return []finding.Finding{{ID: "selinux.port", Level: finding.OK, Title: "SELinux lets Postfix connect to " + plain.Brief(e.Text)}}
	case times > 0:
		return []finding.Finding{{
			ID: "selinux.denied", Level: is,
			Title: fmt.Sprintf("SELinux kept Postfix from %s, %s in a day, the last time at %s", plain.Brief(e.Text), plain.Plural(times, "time"), last),
			Why:   passes, Do: mend(e),
		}}
	case e.Network == "inet" && x.Unread == "":
		return []finding.Finding{{
			ID: "selinux.port", Level: undenied(is), Title: "SELinux may keep Postfix from " + plain.Brief(e.Text) + ": the port is not labelled " + machine.PolicyPort,
			Why: "Where it does, " + passes + unlogged(x), Do: mend(e),
		}}
	case e.Network == "inet":
		return []finding.Finding{{
			ID: "selinux.read", Level: finding.Info, Title: "Whether SELinux lets Postfix connect to " + plain.Brief(e.Text) + " is not known: " + plain.Brief(x.Unread),
			Why: "It does if the port is labelled " + machine.PolicyPort + ".", Do: mend(e),
		}}
	}
	return []finding.Finding{{
		ID: "selinux.socket", Level: undenied(is), Title: "SELinux keeps Postfix from unix sockets of other programs, and so from " + plain.Brief(e.Text) + ", unless a module of yours lets it",
		Why: passes, Do: mend(e),
	}}
}

// undenied is the level of what would be denied by the labels alone: a module or a boolean
// of the policy may let it all the same.
func undenied(is finding.Level) finding.Level {
	if is == finding.Error {
		return finding.Warning
	}
	return is
}

// unlogged says what the audit log has of it, which is no denial.
func unlogged(x *machine.SELinux) string {
	if x.LogUnread == "" {
		return " The audit log shows no denial within a day: nobody has tried, or a module of yours lets it."
	}
	return " Whether it has done so could not be read in the audit log: " + plain.Brief(x.LogUnread) + "."
}

// denied is how often in a day smtpd was kept from an endpoint, and when last.
func denied(x *machine.SELinux, e *maincf.Endpoint) (times int, last string) {
	for i := range x.Denied {
		d := &x.Denied[i]
		ours := e.Network == "inet" && d.Port == e.Port ||
			e.Network == "unix" && (d.Path != "" && strings.HasSuffix(d.Path, e.Path) || d.Name != "" && d.Name == path.Base(e.Path))
		if ours {
			times += d.Times
			last = d.Last.UTC().Format("2006-01-02 15:04:05 UTC")
		}
	}
	return times, last
}

// has reports whether a port is one of some ports and ranges.
func has(ports []string, port string) bool {
	n, err := strconv.Atoi(port)
	for _, p := range ports {
		from, to, ranged := strings.Cut(p, "-")
		low, errLow := strconv.Atoi(from)
		high, errHigh := strconv.Atoi(to)
		if p == port || ranged && err == nil && errLow == nil && errHigh == nil && low <= n && n <= high {
			return true
		}
	}
	return false
}

// mend are the lines that let Postfix connect.
func mend(e *maincf.Endpoint) []string {
	if e.Network == "inet" {
		if _, err := strconv.ParseUint(e.Port, 10, 16); err != nil {
			return []string{"# label the port of " + plain.Brief(e.Text) + ": semanage port -a -t " + machine.PolicyPort + " -p tcp PORT"}
		}
		return []string{"semanage port -a -t " + machine.PolicyPort + " -p tcp " + e.Port}
	}
	return []string{
		`# listen = ["127.0.0.1:10040"] below [server] of the configuration, and in main.cf inet:127.0.0.1:10040 instead of ` + plain.Brief(e.Text) + ":",
		"semanage port -a -t " + machine.PolicyPort + " -p tcp 10040",
		"systemctl disable --now policyd-rdns.socket",
		"systemctl restart policyd-rdns && postfix reload",
	}
}
