// Package maincf is Postfix's configuration as postconf(1) prints it: parameters,
// services, and the lookup tables that are text. It expands names within values as
// postconf(5) says, for what was printed elsewhere without -x.
//
// What is promised: any text is read, in bounded time and size; what makes no
// sense is passed over. What is left to others: what the parameters mean.
package maincf

import (
	"maps"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// MaxText bounds each text that is read, in bytes: the output of postconf, a
// file. What is beyond is not looked at.
const MaxText = 4 << 20

// Postfix is what postconf(1) says.
type Postfix struct {
	// Unread is why the parameters are not known; empty: they are.
	Unread string
	// MasterUnread is why the services are not known.
	MasterUnread string
	// Values are the parameters as written: those that are set, and those that
	// have their default if postconf said it. Names are not expanded.
	Values map[string]string
	// Services are those of master.cf, in order.
	Services []Service
	// Tables are the texts of lookup tables that are files on this host, by their
	// names: "cidr:/etc/postfix/clients".
	Tables map[string]string
}

// Folder is where the configuration is, if that is not where Postfix's commands
// look by themselves.
func (p *Postfix) Folder() string {
	switch dir := p.Values["config_directory"]; dir {
	case "/etc/postfix", "/usr/local/etc/postfix", "/usr/pkg/etc/postfix", "/opt/local/etc/postfix", "/opt/homebrew/etc/postfix":
		return ""
	default:
		return dir
	}
}

// TableText is the text of a lookup table, if it was read.
func (p *Postfix) TableText(name string) (text string, ok bool) {
	text, ok = p.Tables[name]
	return text, ok
}

// Defaults are those of Postfix that the checks look at and that no release
// since 2.10 has changed (postconf(5)), for when only what is set was read.
func Defaults() map[string]string {
	return map[string]string{
		"queue_directory":                     "/var/spool/postfix",
		"mail_owner":                          "postfix",
		"default_process_limit":               "100",
		"smtpd_delay_reject":                  "yes",
		"smtpd_peername_lookup":               "yes",
		"soft_bounce":                         "no",
		"smtpd_reject_unlisted_recipient":     "yes",
		"smtpd_relay_restrictions":            "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}",
		"mydestination":                       "$myhostname, localhost.$mydomain, localhost",
		"smtpd_policy_service_timeout":        "100s",
		"smtpd_policy_service_default_action": "451 4.3.5 Server configuration problem",
		"smtpd_policy_service_request_limit":  "0",
	}
}

// ParsePostfix reads what postconf(1) prints: parameters ("postconf",
// "postconf -n") and services ("postconf -M"), in one text or several, in any
// order, or the files main.cf and master.cf themselves. What it cannot make
// sense of it passes over. Of parameters that occur twice the last holds, as in
// main.cf.
func ParsePostfix(texts ...string) Postfix {
	p := Postfix{Values: Defaults()}
	found := 0
	for _, text := range texts {
		for _, line := range smtpd.LogicalLines(text[:min(len(text), MaxText)]) {
			if name, value, ok := Parameter(line); ok {
				p.Values[name] = value
				found++
			} else if s, ok := parseService(line); ok {
				p.Services = append(p.Services, s)
			}
		}
	}
	if found == 0 {
		p.Unread = "there is no parameter in it"
	}
	if len(p.Services) == 0 {
		p.MasterUnread = "there is no service in it"
	}
	return p
}

// Parameter reads "name = value".
func Parameter(line string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(line, "=")
	name = strings.TrimSpace(name)
	if !ok || name == "" || strings.ContainsFunc(name, func(c rune) bool { return !isNameByte(c) }) {
		return "", "", false
	}
	return name, strings.TrimSpace(value), true
}

// isNameByte: of the names of parameters, those of services ("a-b_limit")
// included.
func isNameByte(c rune) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

// With are the parameters of a service: those of main.cf and over them its own.
func (p *Postfix) With(s *Service) Params {
	if s == nil || len(s.Options) == 0 {
		return p.Values
	}
	all := Params(maps.Clone(p.Values))
	for _, o := range s.Options {
		all[o.Name] = o.Value
	}
	return all
}

// Version is the release as a pair to compare, 3.7 as {3, 7}; known is false if
// nothing was said.
func (p *Postfix) Version() (major, minor int, known bool) {
	first, rest, _ := strings.Cut(p.Values["mail_version"], ".")
	major, err := strconv.Atoi(first)
	if err != nil {
		return 0, 0, false
	}
	end := 0
	for end < len(rest) && '0' <= rest[end] && rest[end] <= '9' {
		end++
	}
	minor, _ = strconv.Atoi(rest[:end])
	return major, minor, true
}

// Before reports whether the release is known to be older than major.minor.
func (p *Postfix) Before(major, minor int) bool {
	a, b, known := p.Version()
	return known && (a < major || a == major && b < minor)
}
