package machine

import (
	"context"
	"net/netip"
	"slices"

	"policyd-rdns/resolver"
)

// Exchanger is a host that the DNS names for mail to one of our domains.
type Exchanger struct {
	Domain string
	Unread string // why the hosts of the domain are not known
	Host   string
	Addrs  []netip.Addr
}

// Bounds of what is queried about exchangers.
const (
	maxDomains    = 20
	maxExchangers = 20 // of one domain
)

// exchangers queries the MX hosts of domains and their addresses.
func (s *System) exchangers(ctx context.Context, domains []string) []Exchanger {
	if s.Mail == nil {
		return nil
	}
	var all []Exchanger
	for _, domain := range domains[:min(len(domains), maxDomains)] {
		a := s.Mail.LookupMX(ctx, domain, resolver.Options{})
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
