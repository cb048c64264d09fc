package maincf

import (
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Domains are the domains that Postfix takes mail for, as far as its parameters
// name them. The names of the host itself come last: few have mail.
func (p Params) Domains() []string {
	var all, hosts []string
	for _, name := range []string{"mydestination", "virtual_alias_domains", "virtual_mailbox_domains", "relay_domains"} {
		for _, word := range smtpd.Split(p.Expand(p[name]), smtpd.Separators) {
			word = strings.ToLower(strings.TrimSuffix(word, "."))
			switch {
			case strings.ContainsAny(word, ":/!$[]{}@") || strings.HasPrefix(word, "."):
			case word == "localhost" || strings.HasPrefix(word, "localhost.") || slices.Contains(all, word) || slices.Contains(hosts, word):
			case word == strings.ToLower(p.Expand("$myhostname")) || !strings.Contains(word, "."):
				hosts = append(hosts, word)
			default:
				all = append(all, word)
			}
		}
	}
	return append(all, hosts...)
}
