package doctor

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
	"policyd-rdns/resolver"
)

// Exchanger is a host that the DNS names for mail to one of our domains.
type Exchanger struct {
	Domain string
	Unread string // why the hosts of the domain are not known
	Host   string
	Addrs  []netip.Addr
}

// Bounds of what is asked about exchangers.
const (
	maxDomains    = 20
	maxExchangers = 20 // of one domain
)

// exchangers asks for the MX hosts of our domains and their addresses.
func (s *System) exchangers(ctx context.Context, p *maincf.Postfix) []Exchanger {
	if s.Mail == nil || p.Unread != "" {
		return nil
	}
	domains := ownDomains(p.Values)
	var all []Exchanger
	for _, domain := range domains[:min(len(domains), maxDomains)] {
		a := s.Mail.LookupMX(ctx, domain)
		if a.Outcome == resolver.TempError {
			all = append(all, Exchanger{Domain: domain, Unread: a.Err.Error()})
			continue
		}
		for _, host := range a.Names[:min(len(a.Names), maxExchangers)] {
			if host == "." || slices.ContainsFunc(all, func(e Exchanger) bool { return e.Host == host }) {
				continue
			}
			e := Exchanger{Domain: domain, Host: host}
			for _, network := range []string{"ip4", "ip6"} {
				e.Addrs = append(e.Addrs, s.Mail.LookupAddrs(ctx, network, host, resolver.Options{}).Addrs...)
			}
			all = append(all, e)
		}
	}
	return all
}

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
			if text := a.String(); !slices.Contains(missing, text) {
				missing = append(missing, text)
			}
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
	if len(unread) > 0 && slices.ContainsFunc(x.m.Servers, func(s Server) bool { return s.Err == nil }) {
		all = append(all, Finding{
			ID: "own.exchangers-unseen", Level: Info, Title: "The DNS does not say which hosts take your mail: " + and(unread),
			Why: "A backup MX or a gateway has to be in server.networks: what is refused to it becomes a bounce.",
		})
	}
	return all
}

// isSelf reports whether an MX host is this one, by its name or by an address that
// Postfix knows to be its own.
func (x *examination) isSelf(e *Exchanger) bool {
	if x.v.OwnsName(e.Host) || strings.EqualFold(e.Host, x.params().Expand("$myhostname")) {
		return true
	}
	outside := smtpd.Split(x.params().Expand("$proxy_interfaces $inet_interfaces"), smtpd.Separators)
	return slices.ContainsFunc(outside, func(word string) bool {
		p, ok := smtpd.Network(word)
		return ok && slices.Contains(e.Addrs, p.Addr())
	})
}
