package match

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// MisreadMailbox says of a text that Mailboxes take what it does not mean, though it
// seems to, and what to write; empty: nothing. Local parts may hold the characters of
// wildcards (RFC 5322 section 3.2.3).
func MisreadMailbox(text string) string {
	at := strings.LastIndexByte(text, '@')
	if at < 0 || !looksLikePattern(text[:at]) {
		return ""
	}
	user, domain := text[:at], text[at+1:]
	if user != "*" && user != "%" && user != ".*" && user != "^.*" {
		return "no wildcards: it stands for a local part with these very characters"
	}
	if domain == "" {
		return "no wildcards: it stands for a local part of these very characters; every address is meant if the entry is left out"
	}
	return fmt.Sprintf("no wildcards: it stands for a local part of these very characters; write %.60q for every address of the domain", domain)
}

// looksLikePattern reports whether a local part may be meant as a wildcard or a regular
// expression. In addresses as they are such characters are rare.
func looksLikePattern(user string) bool {
	return user == "%" || strings.ContainsAny(user, "*?") || strings.HasPrefix(user, "^")
}

// badNetwork says what is wrong with a text that is no address and no network, and
// what was meant by it if that is plain.
func badNetwork(text string) error {
	if network := MeantNetwork(text); network != "" {
		return fmt.Errorf("%.60q: want CIDR notation: %s", text, network)
	}
	return fmt.Errorf("%.60q: want an address or a network such as 192.0.2.0/24", text)
}

// MeantNetwork is a network as others write it, in CIDR notation: with a wildcard
// (192.0.2.*), cut short as in Postfix's access(5) (192.0.2), with a mask
// (192.0.2.0/255.255.255.0), in brackets as in its mynetworks ([2001:db8::]/32).
// Empty: it is none of these.
func MeantNetwork(text string) string {
	addr, bits, slash := strings.Cut(text, "/")
	if inner, ok := strings.CutPrefix(addr, "["); ok && strings.HasSuffix(inner, "]") {
		return asNetwork(strings.TrimSuffix(inner, "]"), bits, slash)
	}
	if mask, err := netip.ParseAddr(bits); slash && err == nil && mask.Is4() {
		return asNetwork(addr, maskBits(mask), true)
	}
	if slash {
		return ""
	}
	sep, all, size, rest := ".", 4, 8, strings.TrimRight(text, ".*")
	if strings.Contains(text, ":") {
		sep, all, size, rest = ":", 8, 16, strings.TrimRight(text, ":*")
	}
	parts := strings.Split(rest, sep)
	if len(parts) >= all || rest == text && len(parts) < 3 || sep == ":" && len(parts) < 2 || strings.Contains(text, "::") {
		return ""
	}
	whole := rest + "::"
	if sep == "." {
		whole = rest + strings.Repeat(".0", all-len(parts))
	}
	return asNetwork(whole, strconv.Itoa(len(parts)*size), true)
}

// asNetwork is an address, or a network, in text, if it is one.
func asNetwork(addr, bits string, network bool) string {
	a, err := netip.ParseAddr(addr)
	if err != nil {
		return ""
	}
	if !network {
		return a.String()
	}
	p, err := netip.ParsePrefix(addr + "/" + bits)
	if err != nil {
		return ""
	}
	return p.Masked().String()
}

// maskBits is how many ones a mask begins with; empty: it is not ones and then
// zeros.
func maskBits(mask netip.Addr) string {
	for bits := range 33 {
		if p, _ := netip.AddrFrom4([4]byte{255, 255, 255, 255}).Prefix(bits); p.Addr() == mask {
			return strconv.Itoa(bits)
		}
	}
	return ""
}

// badName says what is wrong with a text that is no name.
func badName(text string) error {
	const want = "want a name such as mx.example.com, or .example.com for all names under it"
	rest, wild := strings.CutPrefix(text, "*.")
	switch {
	case wild && plausible(strings.ToLower(rest)):
		return fmt.Errorf("%.60q: no wildcards: write %q for all names under it", text, "."+cut(rest, 60))
	case strings.Contains(text, "*"):
		return fmt.Errorf("%.60q: no wildcards: %s", text, want)
	}
	return fmt.Errorf("%.60q: %s", text, want)
}

// badMailbox says what is wrong with a text that is no mail address.
func badMailbox(text string) error {
	const want = "want user@example.com, example.com, .example.com, user@ or <>"
	meant := func(s string) bool { return new(Mailboxes).Add(s) == nil }
	inner := strings.TrimSuffix(strings.TrimPrefix(text, "<"), ">")
	switch rest := strings.TrimPrefix(text, "*"); {
	case rest != text && strings.HasPrefix(rest, ".") && meant(rest):
		return fmt.Errorf("%.60q: no wildcards: write %q for the domains under it", text, cut(rest, 60))
	case len(text) > 1 && text[0] == '@' && meant(text[1:]):
		return fmt.Errorf("%.60q: write %q for every address of the domain", text, cut(text[1:], 60))
	case inner != text && inner != "" && meant(inner):
		return fmt.Errorf("%.60q: write it without the angle brackets: %q", text, cut(inner, 60))
	case strings.Contains(text, "*"):
		return fmt.Errorf("%.60q: no wildcards: %s", text, want)
	}
	return fmt.Errorf("%.60q: %s", text, want)
}

func cut(s string, n int) string { return s[:min(n, len(s))] }

// MeantClient is the error that Prefixes.Add gave for a text, with what else could stand
// there, and where a name belongs; nil stays nil.
func MeantClient(text string, err error, others string) error {
	if _, notPrefix := netip.ParsePrefix(text); err == nil || notPrefix == nil || MeantNetwork(text) != "" {
		return err // it says what was meant
	}
	letter := func(c rune) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' }
	if strings.ContainsFunc(text, letter) && strings.Contains(text, ".") && !strings.ContainsAny(text, "/:") && new(Names).Add(text) == nil {
		return fmt.Errorf("%.60q: want an address or a network; a name goes into ptr_name", text)
	}
	return fmt.Errorf("%w, or %s", err, others)
}

// AddHost is Add for names of hosts alone: an address is none, and says so.
func (n *Names) AddHost(text string) error {
	_, notAddr := netip.ParseAddr(text)
	_, notPrefix := netip.ParsePrefix(text)
	if notAddr == nil || notPrefix == nil {
		return fmt.Errorf("%.60q: want a name such as mx.example.com; an address goes into client", text)
	}
	return n.Add(text)
}
