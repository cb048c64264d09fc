package machine

import (
	"context"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// SELinux is what that says and does about Postfix's connections; the zero value: there is
// none.
type SELinux struct {
	// Mode is "Enforcing", "Permissive" or "Disabled", as getenforce(8) says; empty: there
	// is none.
	Mode string
	// Labelled are the TCP ports, or ranges "from-to", that smtpd may connect to for a policy
	// service (postfix_policyd_port_t); Unread is why they are not known.
	Labelled []string
	Unread   string
	// Denied are connections of smtpd's that were denied within a day, each target once.
	Denied []Denial
	// LogUnread is why it is not known whether any was.
	LogUnread string
}

// Denial is what SELinux kept smtpd from.
type Denial struct {
	Port  string    // of TCP
	Path  string    // of a unix socket; empty with Name alone known
	Name  string    // of its file
	Last  time.Time // of them
	Times int
}

// PolicyPort is the type of ports that Postfix's smtpd may connect to for a policy service.
const PolicyPort = "postfix_policyd_port_t"

// auditLog is that of auditd(8).
const auditLog = "/var/log/audit/audit.log"

// deniedWithin is how old a denial may be: what was mended since is no news.
const deniedWithin = 24 * time.Hour

// selinux asks SELinux; where there is none that is all.
func (s *System) selinux(ctx context.Context, now time.Time) SELinux {
	mode, err := s.Run(ctx, "getenforce")
	if err != nil {
		return SELinux{}
	}
	x := SELinux{Mode: strings.TrimSpace(string(mode))}
	if x.Mode == "Disabled" {
		return x
	}
	if ports, err := s.Run(ctx, "semanage", "port", "-l"); err != nil {
		x.Unread = err.Error()
	} else {
		x.Labelled = labelled(string(ports))
	}
	if text, err := s.ReadEnd(auditLog); err != nil {
		x.LogUnread = err.Error()
	} else {
		x.Denied = denials(string(text), now.Add(-deniedWithin))
	}
	return x
}

// labelled are the TCP ports of policy services, of what "semanage port -l" prints.
func labelled(text string) (ports []string) {
	for line := range strings.Lines(text) {
		words := strings.Fields(strings.ReplaceAll(line, ",", " "))
		if len(words) > 2 && words[0] == PolicyPort && words[1] == "tcp" {
			ports = append(ports, words[2:]...)
		}
	}
	return ports
}

// maxDenials bounds the targets that are told apart.
const maxDenials = 100

// denied is one line of the audit log about a connection of smtpd's.
var denied = regexp.MustCompile(`^type=(?:AVC|USER_AVC) msg=audit\((\d{1,12})[.:].*\bdenied +\{ [a-z_ ]*\b(name_connect|connectto|write) .*\bscontext=[^ ]*:postfix_smtpd_t\b`)

// field finds a value of such a line: a number, or text in quotes.
func field(line, name string) string {
	_, rest, ok := strings.Cut(line, " "+name+"=")
	if !ok {
		return ""
	}
	if text, quoted := strings.CutPrefix(rest, `"`); quoted {
		value, _, _ := strings.Cut(text, `"`)
		return value
	}
	value, _, _ := strings.Cut(rest, " ")
	return strings.TrimSpace(value)
}

// denials are those of an audit log since a time. What the log cannot say for certain, as
// a line that is cut off, is none.
func denials(text string, since time.Time) (all []Denial) {
	for line := range strings.Lines(text) {
		m := denied.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		seconds, err := strconv.ParseInt(m[1], 10, 64)
		at := time.Unix(seconds, 0)
		if err != nil || at.Before(since) {
			continue
		}
		d := Denial{Last: at, Times: 1}
		switch class := field(line, "tclass"); {
		case m[2] == "name_connect" && class == "tcp_socket":
			d.Port = field(line, "dest")
		case m[2] == "connectto" && class == "unix_stream_socket":
			d.Path = field(line, "path")
		case m[2] == "write" && class == "sock_file":
			d.Name = field(line, "name")
		}
		if d.Port == "" && d.Path == "" && d.Name == "" {
			continue
		}
		i := slices.IndexFunc(all, func(o Denial) bool { return o.Port == d.Port && o.Path == d.Path && o.Name == d.Name })
		switch {
		case i >= 0:
			all[i].Times++
			all[i].Last = d.Last
		case len(all) < maxDenials:
			all = append(all, d)
		}
	}
	return all
}
