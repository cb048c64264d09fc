// Package refusal says what is wrong with what refusals are to name: whom to write to, and
// the page.
package refusal

import (
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/match"
)

const (
	// maxHelp bounds reply.help, in bytes: with a case number of IPv4 behind it, the URL
	// has at most 60, and lines of mail leave it whole.
	maxHelp = 32
	// maxContact bounds reply.contact.
	maxContact = 100
)

// BadContact says what is wrong with reply.contact; empty: nothing.
func BadContact(contact string) string {
	local, domain, at := match.SplitMailbox(contact)
	const odd = "\"(),:;<>@[\\]{} "
	switch {
	case contact == "":
	case len(contact) > maxContact || !printable(contact):
		return fmt.Sprintf("want at most %d printable ASCII characters", maxContact)
	case local == "" || strings.ContainsAny(local, odd) || at && !hostname.Valid(domain):
		return `want a mail address such as "postmaster@example.com", its part before the @, or ""`
	}
	return ""
}

// BadHelp says what is wrong with reply.help; empty: nothing.
func BadHelp(help string) string {
	u, err := url.Parse(help)
	const form = `want a URL such as "https://mx.example.com/rdns/"`
	switch {
	case help == "":
	case err != nil || !printable(help) || u.Scheme != "https" && u.Scheme != "http" || !isHost(u.Hostname()) || u.User != nil:
		return form
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "" || strings.ContainsAny(help, "%#&{}\"<> "):
		return "mail programs cut a URL with %, &, ? or # in it: " + form
	case !strings.HasSuffix(help, "/"):
		return "the number of the case goes behind it: want a / at the end"
	case len(help) > maxHelp:
		return fmt.Sprintf("has %d bytes; want at most %d, so that the URL of a case is not cut or broken on its way", len(help), maxHelp)
	}
	return ""
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c < ' ' || c > '~' })
}

// isHost reports whether a text is an address or may be a host's name.
func isHost(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	form, _ := hostname.ParseHELO(host)
	return form == hostname.FQDN || form == hostname.Unqualified
}
