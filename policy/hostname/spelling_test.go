package hostname

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// inBase is an address as one number.
func inBase(a netip.Addr, base int) string {
	digits := []byte{}
	number := a.AsSlice()
	for slices.ContainsFunc(number, func(b byte) bool { return b != 0 }) {
		rest := 0
		for i, b := range number {
			rest = rest<<8 + int(b)
			number[i], rest = byte(rest/base), rest%base
		}
		digits = append(digits, strconv.FormatInt(int64(rest), base)[0])
	}
	slices.Reverse(digits)
	return string(digits)
}

// spellings4 is an IPv4 address as operators write it.
func spellings4(a netip.Addr) []string {
	o := a.As4()
	hex := fmt.Sprintf("%02x%02x%02x%02x", o[0], o[1], o[2], o[3])
	all := []string{
		hex, strings.ToUpper(hex), fmt.Sprintf("%02x%02x%02x%02x", o[3], o[2], o[1], o[0]),
		fmt.Sprintf("%03d%03d%03d%03d", o[0], o[1], o[2], o[3]), fmt.Sprintf("%03d%03d%03d%03d", o[3], o[2], o[1], o[0]),
		fmt.Sprintf("%d%d%d%d", o[0], o[1], o[2], o[3]),
		inBase(a, 10), inBase(a, 32), inBase(a, 36),
	}
	for _, order := range orders() {
		for _, style := range []uint16{0, 0x55, 0xaa, 0xff, 0xf00, 0xfff} {
			all = append(all, spellAddr(o, order, style))
		}
	}
	return all
}

// spellings6 is an IPv6 address as operators write it.
func spellings6(a netip.Addr) []string {
	long := a.StringExpanded()
	plain := strings.ReplaceAll(long, ":", "")
	nibbles := strings.Split(plain, "")
	forward := strings.Join(nibbles, ".")
	slices.Reverse(nibbles)
	return []string{
		strings.ReplaceAll(long, ":", "-"), strings.ReplaceAll(long, ":", "."), strings.ReplaceAll(a.String(), ":", "-"),
		plain, strings.ToUpper(plain), plain[16:], forward, strings.Join(nibbles, "."),
		inBase(a, 32), inBase(a, 36),
	}
}

// An address is found in all spellings and in all places.
func TestSpellings(t *testing.T) {
	for _, client := range []string{"203.0.113.10", "198.51.100.51", "192.0.2.133", "2001:db8:4101:21d:21b:78ff:fe9a:2881", "2001:db8:ae:539c:671:aa32:2bd5:8994"} {
		a := netip.MustParseAddr(client)
		spellings := spellings6
		if a.Is4() {
			spellings = spellings4
		}
		for _, text := range spellings(a) {
			for _, around := range []string{"%s", "host-%s", "%s.a1-2.zone", "static.%s.clients", "cpe-%s-line.town"} {
				name := fmt.Sprintf(around, text) + ".example.net"
				if v := Classify(name, a); v.Strength != Full {
					t.Errorf("Classify(%s, %s) = %v; want full", name, client, v)
				}
			}
		}
	}
}

// What contains no address, and no digits, is never full.
func TestNeverFull(t *testing.T) {
	for _, name := range []string{"static", "unassigned", "hosted-by", "no-rdns", "dynamic.customer", "vps", "server", "ptr", "pool-xdsl", "clients"} {
		if v := Classify(name+".example.net", netip.MustParseAddr("203.0.113.10")); !v.Generic && name != "vps" && name != "server" || v.Strength > Word {
			t.Errorf("Classify(%s.example.net) = %v; want word at most", name, v)
		}
	}
}

// The longest common stretch is the one that a plain search finds, if it is long enough
// to count.
func TestCommonStretch(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	digits := func(n, of int) []byte {
		text := make([]byte, n)
		for i := range text {
			text[i] = "0a1b2c3d4e5f6789"[random.IntN(of)]
		}
		return text
	}
	found := 0
	for i := range 20000 {
		of := 1 + i%4
		a, b := digits(random.IntN(maxLabel+1), of), digits(random.IntN(33), of)
		want := 0
		for i := range a {
			for n := want + 1; i+n <= len(a) && bytes.Contains(b, a[i:i+n]); n++ {
				want = n
			}
		}
		if want < most6 {
			want = 0
		}
		got, end := commonStretch(a, b)
		if got != want || got > 0 && !bytes.Contains(b, a[end-got:end]) {
			t.Fatalf("commonStretch(%q, %q) = %d, %d; want %d", a, b, got, end, want)
		}
		if got > 0 {
			found++
		}
	}
	if found < 5000 {
		t.Errorf("%d of 20000 had a stretch in common", found)
	}
}
