package config

import (
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// Host is what this machine is called: clients with its addresses are our own,
// and HELO names with its name are forged.
type Host struct {
	Names []string // normalised
	Addrs []netip.Addr
}

// FindHost asks the system. What it does not tell stays empty: the
// configuration can name it.
func FindHost() Host {
	var h Host
	if name, err := os.Hostname(); err == nil && name != "" {
		h.Names = []string{hostname.Normal(name)}
	}
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok {
			if addr, ok := netip.AddrFromSlice(n.IP); ok {
				h.Addrs = append(h.Addrs, address.Plain(addr))
			}
		}
	}
	return h
}

// OwnNames are the names and addresses that only we may say in HELO, as they were
// written.
func (h *Host) OwnNames(c *Config) []string {
	return slices.DeleteFunc(slices.Concat(h.Names, c.HELO.OwnNames), nobodysOwn)
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

// Name is what the machine is called first; empty: nobody knows.
func (h *Host) Name() string {
	if len(h.Names) == 0 {
		return ""
	}
	return h.Names[0]
}
