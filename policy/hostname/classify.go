package hostname

import (
	"net/netip"
	"strconv"
	"strings"
)

// Classify judges whether name was made by the operator of a network, from the
// client's address or by counting, or was chosen by somebody. client is the
// address that has the name; if it is not valid, only what needs no address
// counts. What is not a valid name is not generic either.
func Classify(name string, client netip.Addr) Verdict {
	if !Valid(name) {
		return Verdict{}
	}
	name = Normal(name)
	host := strings.TrimSuffix(strings.TrimSuffix(name, Organisation(name)), ".")
	for _, spelling := range spellings(client.Unmap()) {
		if i := strings.Index(host, spelling); i >= 0 {
			return Verdict{Generic: true, Strength: Full, Piece: host[i : i+len(spelling)], Why: "is the address"}
		}
	}
	label, _, _ := strings.Cut(host, ".")
	word := strings.TrimRight(label, "0123456789")
	switch strings.TrimSuffix(word, "-") {
	case "vps", "vm", "vmi", "vds", "dhcp", "dyn", "dsl", "adsl", "ppp", "pool", "dialup", "cable", "cpe":
		if word != label {
			return Verdict{Generic: true, Strength: Word, Piece: label, Why: "is a counted line or machine"}
		}
	}
	return Verdict{}
}

// spellings are the usual ways to write a whole address in a name.
func spellings(client netip.Addr) []string {
	if !client.IsValid() {
		return nil
	}
	if client.Is6() {
		exploded := client.StringExpanded()
		return []string{strings.ReplaceAll(exploded, ":", "-"), strings.ReplaceAll(exploded, ":", "")}
	}
	a := client.As4()
	var forward, reversed []string
	hex := ""
	for i := range a {
		forward = append(forward, strconv.Itoa(int(a[i])))
		reversed = append(reversed, strconv.Itoa(int(a[3-i])))
		hex += strconv.FormatUint(uint64(a[i])|0x100, 16)[1:]
	}
	return []string{
		strings.Join(forward, "-"), strings.Join(forward, "."),
		strings.Join(reversed, "-"), strings.Join(reversed, "."), hex,
	}
}
