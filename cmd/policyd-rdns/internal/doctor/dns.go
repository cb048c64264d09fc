package doctor

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
)

// slowServer is more than a recursive server near by takes for what is in every
// cache.
const slowServer = 300 * time.Millisecond

// checkServers looks at the recursive servers one by one.
func checkServers(x *examination) []Finding {
	answering := slices.ContainsFunc(x.m.Servers, func(s machine.Server) bool { return s.Err == nil })
	var all []Finding
	for i := range x.m.Servers {
		s := &x.m.Servers[i]
		if s.Err != nil {
			f := Finding{
				"dns.silent", Error, fmt.Sprintf("The DNS server %v gives no answer: %s", s.Addr, brief(s.Why())),
				"No client can be judged: what would be refused passes (resolver.outage) or waits.",
				[]string{"# name one that answers, the best on this host, in " + x.file() + ":", "[resolver]", `servers = ["127.0.0.1"]`},
			}
			if answering {
				f.Level = Warning
				f.Why = "The daemon queries it last, and the others instead."
			}
			all = append(all, f)
			continue
		}
		all = append(all, x.checkServer(s)...)
	}
	return all
}

func (x *examination) checkServer(s *machine.Server) []Finding {
	var all []Finding
	if !s.Recursive {
		all = append(all, Finding{
			ID: "dns.recursion", Level: Error, Title: fmt.Sprintf("The DNS server %v does not look names up for this host (no recursion)", s.Addr),
			Why: "It is authoritative for some zones, or does not know this host as a client (access-control of Unbound, allow-recursion of BIND).",
		})
	}
	if name := machine.PublicName(s.Addr.Addr()); name != "" {
		all = append(all, Finding{
			"dns.public", Warning, fmt.Sprintf("The DNS server %v is %s, which everybody shares", s.Addr, name),
			"It limits how many queries one host may send, and then is silent: mail is deferred. It is far, it is told who writes to you, and the big DNS blocklists answer nothing through it (127.255.255.254, or not at all).",
			ownResolver(x),
		})
	} else if !x.inReach(s.Addr.Addr()) {
		all = append(all, Finding{
			"dns.far", Info, fmt.Sprintf("The DNS server %v is in none of this host's networks", s.Addr),
			"A provider's resolver is shared with others: it may limit this host, and DNS blocklists may refuse it. Its answers come over networks of others: who can send packets with its address may guess at ports and numbers until a forged answer is taken, and whoever sees the packets need not guess. A validating resolver on this host is best.",
			ownResolver(x),
		})
	} else if !s.Addr.Addr().IsLoopback() && !x.v.OwnsClient(s.Addr.Addr()) {
		all = append(all, Finding{
			ID: "dns.remote", Level: Info, Title: fmt.Sprintf("The DNS server %v is not on this host", s.Addr),
			Why: "Its answers come over a network, and no signature protects them there. In a network of your own that lets no packets in from outside with such an address, this is well. Else a resolver on this host leaves nothing to forge.",
		})
	}
	if !s.Validates {
		all = append(all, Finding{
			"dns.validation", Warning, fmt.Sprintf("The DNS server %v does not validate (DNSSEC)", s.Addr),
			"Whoever can slip it a forged answer decides who is refused. It gave no AD for the root zone, which is signed.",
			s.Validation(),
		})
	}
	if s.TCPErr != nil {
		all = append(all, Finding{
			ID: "dns.tcp", Level: Warning, Title: fmt.Sprintf("The DNS server %v does not answer over TCP: %s", s.Addr, brief(s.TCPErr.Error())),
			Why: "Long answers come that way (RFC 7766): clients with many names would be deferred. A firewall may be in the way.",
		})
	}
	if s.Took > slowServer {
		all = append(all, Finding{
			ID: "dns.slow", Level: Warning, Title: fmt.Sprintf("The DNS server %v took %s for an answer that is in every cache", s.Addr, short(s.Took)),
			Why: "Each new client costs two or three queries, one after the other.",
		})
	}
	if !slices.ContainsFunc(all, func(f Finding) bool { return f.ID != "dns.remote" }) {
		all = append(all, Finding{ID: "dns.server", Level: OK, Title: fmt.Sprintf("The DNS server %v%s answers in %s and validates", s.Addr, ofSoftware(s), short(s.Took))})
	}
	return all
}

func ofSoftware(s *machine.Server) string {
	if s.Software == "" {
		return ""
	}
	return " (" + brief(s.Software) + ")"
}

// ownResolver is how to come by one.
func ownResolver(x *examination) []string {
	return []string{
		"apt install unbound   # or dnf, apk; it needs no configuration",
		"# then in " + x.file() + ":", "[resolver]", `servers = ["127.0.0.1"]`,
	}
}

// inReach reports whether an address is this host's or in one of its networks.
func (x *examination) inReach(a netip.Addr) bool {
	return a.IsLoopback() || a.IsPrivate() || a.IsLinkLocalUnicast() || x.v.OwnsClient(a) ||
		slices.ContainsFunc(x.m.Networks, func(p netip.Prefix) bool { return p.Contains(a) })
}

// checkForwarders looks where servers on this host forward to.
func checkForwarders(x *examination) []Finding {
	local := slices.ContainsFunc(x.m.Servers, func(s machine.Server) bool { return s.Addr.Addr().IsLoopback() || x.v.OwnsClient(s.Addr.Addr()) })
	if !local {
		return nil
	}
	var all []Finding
	for _, f := range x.m.Forwards {
		var names, others []string
		for _, a := range f.Addrs {
			if name := machine.PublicName(a); name != "" {
				names = append(names, fmt.Sprintf("%v (%s)", a, name))
			} else if !x.inReach(a) {
				others = append(others, a.String())
			}
		}
		if len(names) > 0 {
			all = append(all, Finding{
				"dns.forwards-public", Warning, fmt.Sprintf("The resolver on this host forwards to %s (%s)", and(names), brief(f.File)),
				"That is as if the daemon itself sent its queries there: everybody shares it, it limits how many one host may send, and the big DNS blocklists answer nothing through it.",
				[]string{"# take the forwarding out of " + brief(f.File) + ": a resolver queries the name servers themselves"},
			})
		}
		if len(others) > 0 {
			all = append(all, Finding{
				ID: "dns.forwards", Level: Info, Title: fmt.Sprintf("The resolver on this host forwards to %s (%s)", and(others), brief(f.File)),
				Why: "What those answer, and how long they hold on to it, is not seen here.",
			})
		}
	}
	for i := range x.m.Servers {
		s := &x.m.Servers[i]
		if s.Err == nil && s.Kind() == "dnsmasq" && len(all) == 0 {
			all = append(all, Finding{
				ID: "dns.forwards", Level: Info, Title: fmt.Sprintf("The DNS server %v is dnsmasq, which only forwards", s.Addr),
				Why: "Where to could not be seen; if that is a public resolver, its limits hold.",
			})
		}
	}
	return all
}

// Above longNegative a negative answer in the recursive server's cache is worth a
// warning, up to shortNegative it is as short as the daemon's own.
const (
	longNegative  = 10 * time.Minute
	shortNegative = time.Minute
)

// checkNegative looks how long a server holds on to "no such name".
func checkNegative(x *examination) []Finding {
	var all []Finding
	for i := range x.m.Servers {
		s := &x.m.Servers[i]
		if s.Err != nil || s.Negative <= shortNegative {
			continue
		}
		f := Finding{
			"dns.negative", Info, fmt.Sprintf("The DNS server %v%s keeps \"no such name\" for up to %v", s.Addr, ofSoftware(s), s.Negative),
			"A host whose missing reverse name was added goes on being refused for so long; the daemon itself queries again after a minute.",
			s.ShortNegative(),
		}
		if s.Negative > longNegative {
			f.Level = Warning
		}
		all = append(all, f)
	}
	return all
}
