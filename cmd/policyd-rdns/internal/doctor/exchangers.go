package doctor

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// checkExchangers looks for hosts that take mail for us and bring it on: what the
// daemon refuses then, they have to send back to whoever the sender was said to be.
func checkExchangers(x *examination) []Finding {
	var hosts, unread, missing []string
	known := 0
	for i := range x.m.Exchangers {
		e := &x.m.Exchangers[i]
		if e.Unread != "" {
			unread = append(unread, brief(e.Domain+": "+e.Unread))
			continue
		}
		known++
		if x.isSelf(e) {
			continue
		}
		strange := slices.DeleteFunc(slices.Clone(e.Addrs), x.v.OwnsClient)
		if len(strange) == 0 {
			continue
		}
		hosts = append(hosts, fmt.Sprintf("%s of %s", brief(e.Host), brief(e.Domain)))
		for _, a := range strange {
			missing = withNew(missing, a.String())
		}
	}
	var all []Finding
	switch {
	case len(hosts) > 0:
		all = append(all, Finding{
			"own.exchangers", Error, "Not in server.networks, and an MX host of your domains: " + and(hosts),
			"Such a host (a backup, a gateway) takes mail for you and brings it on. It is then the client that the daemon judges, and what is refused to it becomes a bounce to a sender who was made up. If it is this host itself, seen through NAT, put its name into helo.own_names instead.",
			x.tomlLine("server", "networks", slices.Concat(x.v.Networks, missing)),
		})
	case known > 0:
		all = append(all, Finding{ID: "own.exchangers", Level: OK, Title: "The MX hosts of your domains are this host or in server.networks"})
	}
	if len(unread) > 0 && slices.ContainsFunc(x.m.Servers, func(s machine.Server) bool { return s.Err == nil }) {
		all = append(all, Finding{
			ID: "own.exchangers-unseen", Level: Info, Title: "The DNS does not say which hosts take your mail: " + and(unread),
			Why: "A backup MX or a gateway has to be in server.networks: what is refused to it becomes a bounce.",
		})
	}
	return all
}

// isSelf reports whether an MX host is this one, by its name or by an address that
// Postfix knows to be its own.
func (x *examination) isSelf(e *machine.Exchanger) bool {
	if x.v.OwnsName(e.Host) || strings.EqualFold(e.Host, x.params().Expand("$myhostname")) {
		return true
	}
	outside := smtpd.Split(x.params().Expand("$proxy_interfaces $inet_interfaces"), smtpd.Separators)
	return slices.ContainsFunc(outside, func(word string) bool {
		p, ok := smtpd.Network(word)
		return ok && slices.Contains(e.Addrs, p.Addr())
	})
}
