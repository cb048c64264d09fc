package main

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// host is what this machine is called: clients with its addresses are our own,
// and greetings with its name are forged.
type host struct {
	names []string // normalised
	addrs []netip.Addr
}

// findHost asks the system. What it does not tell stays empty: the
// configuration can name it.
func findHost() host {
	var h host
	if name, err := os.Hostname(); err == nil && name != "" {
		h.names = []string{hostname.Normal(name)}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				h.addrs = append(h.addrs, address.Plain(addr))
			}
		}
	}
	return h
}

// ownNames are the names and addresses that only we may greet with, as they were
// written.
func ownNames(h host, c *config) []string {
	return slices.DeleteFunc(slices.Concat(h.names, c.helo.ownNames), nobodysOwn)
}

// nobodysOwn reports whether no HELO is ours for an entry of own names, since
// hosts of other sites have that name or address too.
func nobodysOwn(entry string) bool {
	if _, addr := hostname.ParseHELO(entry); addr.IsValid() {
		return address.Private(addr) || addr.IsLoopback()
	}
	if strings.HasPrefix(entry, "@") {
		return false // a file of them
	}
	if strings.HasPrefix(entry, ".") {
		entry = "mail" + entry
	}
	return hostname.Local(hostname.Normal(entry))
}

// name is what the machine is called first; empty: nobody knows.
func (h *host) name() string {
	if len(h.names) == 0 {
		return ""
	}
	return h.names[0]
}

func joinAddrs(addrs []netip.Addr) string {
	texts := make([]string, len(addrs))
	for i, a := range addrs {
		texts[i] = a.String()
	}
	return strings.Join(texts, ",")
}
