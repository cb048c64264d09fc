package hostname

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"policyd-rdns/policy/address"
)

// seedNames gives every name of the tables to a fuzz target.
func seedNames(f *testing.F, add func(name string, client []byte)) {
	for _, file := range []string{"testdata/shapes.tsv", "testdata/known.tsv"} {
		for _, r := range readRows(f, file) {
			add(r.name, parseClient(f, r.client).AsSlice())
		}
	}
}

func toAddr(b []byte) netip.Addr {
	addr, _ := netip.AddrFromSlice(b)
	return addr
}

// hasFewDigits reports whether three octets of the address may have less than minThree
// digits. Which place in a name is taken for them then depends on how many places
// there are, and so on where the domain begins.
func hasFewDigits(client netip.Addr) bool {
	if !client.Is4() {
		return false
	}
	sum, longest := 0, 0
	for _, octet := range client.As4() {
		n := len(strconv.Itoa(int(octet)))
		sum, longest = sum+n, max(longest, n)
	}
	return sum-longest < minThree
}

// Any bytes are judged, the parts of the verdict agree with each other, and it
// is the one that the public suffix list resolves to even where the list was not
// asked.
func FuzzClassify(f *testing.F) {
	seedNames(f, func(name string, client []byte) { f.Add(name, client) })
	f.Add("1.0.0.0.0.in-addr.arpa", []byte(nil)) // more numbers where the list is not asked
	f.Add("00a10.0.0.ck", []byte{48, 48, 0, 10}) // two places for two octets
	f.Add(strings.Repeat("1a", 126), []byte{192, 0, 2, 1})
	f.Add(strings.Repeat("f.", 126)+"f", make([]byte, 16))
	f.Fuzz(func(t *testing.T, name string, b []byte) {
		client := toAddr(b)
		v := Classify(name, client)
		if v.Generic != (v.Strength != NoStrength) || v.Generic != (v.Basis != NoBasis) || v.Generic != (v.Kind != NoKind) {
			t.Errorf("Classify(%q, %v) = %+v; want strength, basis and kind if and only if generic", name, client, v)
		}
		if (v.Piece == "") != (v.Why == "") || !strings.Contains(name, v.Piece) {
			t.Errorf("Classify(%q, %v) = %+v; want a piece of the name and a reason, or neither", name, client, v)
		}
		if v.Strength == Full && client.Is4() && !strings.ContainsAny(name, "0123456789") && v.Basis != Hex && v.Basis != Packed {
			t.Errorf("Classify(%q, %v) = %+v; want less than full: there is no digit", name, client, v)
		}
		if !Valid(name) || hasFewDigits(address.Plain(client)) {
			return
		}
		var whole text
		name = cutDot(name)
		whole.fill(name)
		whole.split(registered(Normal(name)))
		if want := whole.judge(name, address.Plain(client)); v.Generic != want.Generic || v.Generic && v != want {
			t.Errorf("Classify(%q, %v) = %v; want %v", name, client, v, want)
		}
	})
}

// orders are the orders of four octets.
func orders() [][4]int {
	var all [][4]int
	for n := range 256 {
		o := [4]int{n & 3, n >> 2 & 3, n >> 4 & 3, n >> 6}
		if seen := 1<<o[0] | 1<<o[1] | 1<<o[2] | 1<<o[3]; seen == 15 {
			all = append(all, o)
		}
	}
	return all
}

// spellAddr writes the octets of an address in an order, with separators and
// padding that the bits of style choose.
func spellAddr(a [4]byte, order [4]int, style uint16) string {
	var b strings.Builder
	for i, o := range order {
		if i > 0 {
			b.WriteString([]string{"-", ".", "_", "x", "-p"}[int(style>>(2*i))%5])
		}
		if style>>(8+i)&1 == 1 {
			fmt.Fprintf(&b, "%03d", a[o])
			continue
		}
		b.WriteString(strconv.Itoa(int(a[o])))
	}
	return b.String()
}

// The order, the separators and the padding of the octets do not change a full
// match, nor does what the operator puts around them.
func FuzzSpelling(f *testing.F) {
	f.Add([]byte{203, 0, 113, 10}, uint8(0), uint16(0), uint8(0))
	f.Add([]byte{198, 51, 100, 51}, uint8(23), uint16(0xffff), uint8(3))
	f.Add([]byte{192, 0, 2, 0}, uint8(11), uint16(0x1234), uint8(5))
	all := orders()
	f.Fuzz(func(t *testing.T, b []byte, order uint8, style uint16, place uint8) {
		if len(b) != 4 {
			return
		}
		a := [4]byte(b)
		around := []string{"%s", "ip-%s", "c%s.isp", "%s-dsl", "x%s.a1-2.zone", "static.%s.clients"}[place%6]
		name := fmt.Sprintf(around, spellAddr(a, all[int(order)%len(all)], style)) + ".example.net"
		if v := Classify(name, netip.AddrFrom4(a)); v.Strength != Full {
			t.Errorf("Classify(%s, %v) = %v; want full", name, netip.AddrFrom4(a), v)
		}
	})
}

// Another client's address gives no full match.
func FuzzStranger(f *testing.F) {
	f.Add([]byte{203, 0, 113, 10}, []byte{198, 51, 100, 7}, uint16(0))
	f.Add([]byte{203, 0, 113, 10}, []byte{203, 0, 113, 11}, uint16(0x0f00))
	f.Add([]byte{48, 48, 30, 30}, []byte{48, 72, 72, 48}, uint16(0)) // its digits in hexadecimal
	f.Add([]byte{203, 0, 113, 48}, []byte{48, 0, 113, 0}, uint16(0x0f00))
	f.Add([]byte("00,,,,00,,,,,,00"), []byte("0000,,,,,,,,,,,,"), uint16(0)) // groups in another order
	f.Add([]byte("\x20\x01\x0d\xb8\x00\x01\x00\x02\x02\x1b\x78\xff\xfe\x9a\x28\x81"), []byte("\x20\x01\x0d\xb8\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x01"), uint16(1))
	f.Fuzz(func(t *testing.T, x, y []byte, style uint16) {
		named, client := toAddr(x), toAddr(y)
		if !named.IsValid() || named.BitLen() != client.BitLen() || named != address.Plain(named) || client != address.Plain(client) {
			return
		}
		name := ""
		if named.Is4() {
			if sameOctets(x, y) {
				return // an order of octets, and every order counts
			}
			name = spellAddr(named.As4(), [4]int{0, 1, 2, 3}, style&^0xff) + ".example.net"
		} else {
			if string(x[8:]) == string(y[8:]) {
				return // the same interface identifier
			}
			name = strings.ReplaceAll(named.StringExpanded(), ":", "-") + ".example.net"
		}
		if v := Classify(name, client); v.Strength == Full && v.Basis != Serial {
			t.Errorf("Classify(%s, %v) = %v; want no full match", name, client, v)
		}
	})
}

func sameOctets(x, y []byte) bool {
	var count [256]int
	for _, v := range x {
		count[v]++
	}
	for _, v := range y {
		count[v]--
	}
	return count == [256]int{}
}

// A mail word never makes a name more generic. A number beside it might.
func FuzzMailWord(f *testing.F) {
	seedNames(f, func(name string, client []byte) { f.Add(name, client, uint8(0)) })
	f.Add("203-0-113-10.dynamic.mailcannon.example", []byte{203, 0, 113, 10}, uint8(3))
	f.Fuzz(func(t *testing.T, name string, b []byte, n uint8) {
		client := toAddr(b)
		before := Classify(name, client)
		if !Valid(name) {
			return
		}
		word := []string{"mail.", "mail-", "smtp.", "mx-", "out.", "correo-", "news."}[n%7]
		if strings.HasSuffix(word, "-") && registered(Normal(name)) == 0 {
			return // it would be another registered domain
		}
		if v := Classify(word+name, client); v.Strength > before.Strength {
			t.Errorf("Classify(%s, %v) = %v, but %v without %q", word+name, client, v, before, word)
		}
	})
}

// The letters of the registered domain do not matter, unless they make it a
// mail service's.
func FuzzRegisteredDomain(f *testing.F) {
	seedNames(f, func(name string, client []byte) { f.Add(name, client, uint8(1)) })
	f.Fuzz(func(t *testing.T, name string, b []byte, shift uint8) {
		if !Valid(name) {
			return
		}
		client := toAddr(b)
		name = Normal(name)
		cut := registered(name)
		first, rest, _ := strings.Cut(name[cut:], ".")
		other := name[:cut] + rotate(first, shift) + "." + rest
		if strings.Contains(first, "--") {
			return // an A-label, or what only looks like one (RFC 5890 section 2.3.1)
		}
		if registered(other) != cut || isMail(name, cut) || isMail(other, cut) {
			return
		}
		v, w := Classify(name, client), Classify(other, client)
		if v.Generic != w.Generic || v.Strength != w.Strength || v.Kind != w.Kind || v.Basis != w.Basis {
			t.Errorf("Classify(%s, %v) = %v, but %v for %s", name, client, v, w, other)
		}
	})
}

func isMail(name string, cut int) bool {
	var t text
	t.fill(name)
	t.split(cut)
	return t.isMailService()
}

// rotate replaces every letter by the one that stands shift behind it.
func rotate(s string, shift uint8) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return 'a' + (r-'a'+rune(shift))%26
		}
		return r
	}, s)
}
