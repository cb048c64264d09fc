// Package match has the sets of addresses, host names and mail addresses that rules and
// settings list, and what is in them. A text that is none of these is an error that says
// what was meant, if that is plain.
package match

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// Prefixes is a set of addresses and networks. A lookup costs one step for
// each prefix length in use, however many networks there are. The zero value is
// empty.
type Prefixes struct {
	prefixes map[netip.Prefix]struct{}
	bits4    []int
	bits6    []int
}

// Add puts an address ("192.0.2.1", "2001:db8::1") or a network in CIDR
// notation into the set. Host bits behind the prefix are an error: whoever
// writes 192.0.2.1/24 may have meant either.
func (p *Prefixes) Add(text string) error {
	prefix, err := netip.ParsePrefix(text)
	if err != nil {
		addr, err := netip.ParseAddr(text)
		if err != nil || addr.Zone() != "" {
			return badNetwork(text)
		}
		prefix = netip.PrefixFrom(addr, addr.BitLen())
	}
	if prefix != prefix.Masked() {
		return fmt.Errorf("%.60q: bits set beyond the prefix; the network is %s", text, prefix.Masked())
	}
	for _, network := range address.Networks(prefix) {
		p.add(network)
	}
	return nil
}

func (p *Prefixes) add(network netip.Prefix) {
	if p.prefixes == nil {
		p.prefixes = map[netip.Prefix]struct{}{}
	}
	p.prefixes[network] = struct{}{}
	lengths := &p.bits6
	if network.Addr().Is4() {
		lengths = &p.bits4
	}
	if !slices.Contains(*lengths, network.Bits()) {
		*lengths = append(*lengths, network.Bits())
	}
}

// Has reports whether the address, as [address.Plain] has it, is in the set.
func (p *Prefixes) Has(addr netip.Addr) bool {
	lengths := p.bits6
	if addr.Is4() {
		lengths = p.bits4
	}
	for _, b := range lengths {
		prefix, _ := addr.Prefix(b) // whose family has as many
		if _, ok := p.prefixes[prefix]; ok {
			return true
		}
	}
	return false
}

// Names is a set of host names and domains: "mx.example.com" is itself,
// ".example.com" everything under it but not itself. Letter case and a final
// dot do not count; a name in letters of other scripts is also the one that the DNS
// has for it. The zero value is empty.
type Names struct {
	exact  map[string]struct{}
	suffix map[string]struct{} // without the leading dot
}

// Add puts a name or a domain into the set. A single label is allowed: a
// HELO may be one.
func (n *Names) Add(text string) error {
	under := strings.HasPrefix(text, ".")
	name := hostname.Normal(strings.TrimPrefix(text, "."))
	if !plausible(name) {
		return badName(text)
	}
	set := &n.exact
	if under {
		set = &n.suffix
	}
	if *set == nil {
		*set = map[string]struct{}{}
	}
	(*set)[name] = struct{}{}
	(*set)[hostname.ASCII(name)] = struct{}{}
	return nil
}

// plausible keeps patterns of other languages out of a set of names, where
// they would never match: wildcards, regular expressions, addresses, spaces.
func plausible(name string) bool {
	if name == "" || strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".") || strings.Contains(name, "..") {
		return false
	}
	for _, c := range []byte(name) {
		switch {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_', c == '.', c >= 0x80:
		default:
			return false
		}
	}
	return true
}

// Has reports whether the name, lower case and without final dot, is in the set.
func (n *Names) Has(name string) bool {
	if _, ok := n.exact[name]; ok {
		return true
	}
	return len(n.suffix) > 0 && n.hasAbove(name)
}

func (n *Names) hasAbove(name string) bool {
	for {
		_, parent, ok := strings.Cut(name, ".")
		if !ok {
			return false
		}
		if _, ok := n.suffix[parent]; ok {
			return true
		}
		name = parent
	}
}

// Mailboxes is a set of mail addresses: "user@example.com" is itself,
// "example.com" every address of the domain, ".example.com" of the domains
// under it, "user@" that user of any domain, "<>" the null sender. Letter case
// and a final dot do not count. The zero value is empty.
type Mailboxes struct {
	null    bool
	whole   map[string]struct{}
	users   map[string]struct{} // without the final @
	domains Names
}

// Add puts an address pattern into the set.
func (m *Mailboxes) Add(text string) error {
	user, domain, at := SplitMailbox(strings.ToLower(text))
	name := hostname.Normal(domain)
	switch {
	case text == "<>":
		m.null = true
		return nil
	case !at:
		if err := m.domains.Add(user); err != nil { // all of it, in lower case
			return badMailbox(text)
		}
		return nil
	case user == "" || strings.ContainsAny(user, "<> ") || domain != "" && !plausible(name):
		return badMailbox(text)
	case domain == "":
		if m.users == nil {
			m.users = map[string]struct{}{}
		}
		m.users[user] = struct{}{}
		return nil
	}
	if m.whole == nil {
		m.whole = map[string]struct{}{}
	}
	m.whole[user+"@"+name] = struct{}{}
	m.whole[user+"@"+hostname.ASCII(name)] = struct{}{}
	return nil
}

// Has reports whether the address, as it stood between the angle brackets of the
// SMTP command, is in the set. An empty one is the null sender.
func (m *Mailboxes) Has(address string) bool {
	if address == "" {
		return m.null
	}
	address = strings.ToLower(address)
	user, domain, at := SplitMailbox(address)
	if at {
		address = strings.TrimSuffix(address, ".")
		domain = strings.TrimSuffix(domain, ".")
	}
	if _, ok := m.whole[address]; ok {
		return true
	}
	if _, ok := m.users[user]; ok {
		return true
	}
	return at && m.domains.Has(domain)
}

// Addressed reports whether the set has anything but the null sender.
func (m *Mailboxes) Addressed() bool {
	return len(m.whole)+len(m.users)+len(m.domains.exact)+len(m.domains.suffix) > 0
}
