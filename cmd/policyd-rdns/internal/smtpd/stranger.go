package smtpd

import (
	"fmt"
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
)

// Stranger is who brings mail for a domain of ours, and for whom nobody has made
// an exception.
type Stranger struct {
	Addr      netip.Addr
	Name      string // as Postfix has it: "unknown" if it is not confirmed
	HELO      string
	Sender    string
	Recipient string
}

// Strangers are a sample of all public addresses, IPv4 and IPv6, with names as
// such hosts have.
func Strangers(domain string) []Stranger {
	var all []Stranger
	for i := range 64 { // every fourth /8
		a := netip.AddrFrom4([4]byte{byte(4*i + 1), byte(37*i + 11), byte(91*i + 5), byte(53*i + 20)})
		if address.Global4(a.As4()) {
			all = append(all, stranger(len(all), a, domain))
		}
	}
	for i := range 16 { // 2000::/3
		a := netip.AddrFrom16([16]byte{byte(0x20 + 2*i), byte(37*i + 1), byte(91*i + 5), byte(i), 15: 25})
		all = append(all, stranger(i, a, domain))
	}
	return all
}

func stranger(i int, a netip.Addr, domain string) Stranger {
	s := Stranger{Addr: a, Sender: fmt.Sprintf("user%d@sender%d.example.net", i, i), Recipient: "someone@" + domain}
	s.HELO = fmt.Sprintf("mail%d.sender%d.example.net", i, i)
	switch i % 4 {
	case 0:
		s.Name = "unknown"
	case 1:
		s.Name = strings.NewReplacer(".", "-", ":", "-").Replace(a.String()) + ".pool.example.org"
	default:
		s.Name = s.HELO
	}
	return s
}

// keys are what the stranger is looked up by in a table (access(5)), most exact
// first; whole is false if that is for the DNS to say.
func (s *Stranger) keys(what string) (keys []key, whole bool) {
	switch what {
	case "client", "reverse_client_hostname":
		return append(domains(s.Name, false), networks(s.Addr)...), true
	case "helo":
		return domains(s.HELO, false), true
	case "sender":
		return mailbox(s.Sender), true
	case "recipient":
		return mailbox(s.Recipient), true
	}
	return nil, false // _ns, _mx, _a
}

// domains are a name and the domains that it lies in. Which of the two forms of
// these counts depends on parent_domain_matches_subdomains; that a table has the
// wrong one is not looked at.
func domains(name string, part bool) []key {
	keys := []key{{name, part}}
	for {
		_, parent, ok := strings.Cut(name, ".")
		if !ok {
			return keys
		}
		keys = append(keys, key{"." + parent, true}, key{parent, true})
		name = parent
	}
}

// networks are an address and its parents by whole octets or groups.
func networks(a netip.Addr) []key {
	text := a.String()
	keys := []key{{text, false}}
	for {
		i := strings.LastIndexAny(text, ".:")
		if i <= 0 {
			return keys
		}
		text = text[:i]
		keys = append(keys, key{text, true})
	}
}

func mailbox(address string) []key {
	local, domain, _ := strings.Cut(address, "@")
	keys := append([]key{{address, false}}, domains(domain, true)...)
	return append(keys, key{local + "@", true})
}
