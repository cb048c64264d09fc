package hostname

import (
	"net/netip"
	"os"
	"strings"
	"testing"
)

// example is one line of a table in testdata.
type example struct {
	client, name, verdict, kind, piece string
}

func readRows(t testing.TB, file string) []example {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var rows []example
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || line[0] == '#' {
			continue
		}
		f := strings.Split(line, "\t")
		if len(f) != 6 {
			t.Fatalf("%s: %q has %d columns; want 6", file, line, len(f))
		}
		rows = append(rows, example{f[0], f[1], f[2], f[3], f[4]})
	}
	return rows
}

// parseClient is the address in a table, the zero Addr for "-".
func parseClient(t testing.TB, s string) netip.Addr {
	t.Helper()
	if s == "-" {
		return netip.Addr{}
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

// orDash is s, or the mark of the tables for nothing.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}

func TestClassify(t *testing.T) {
	for _, file := range []string{"testdata/shapes.tsv", "testdata/known.tsv"} {
		for _, r := range readRows(t, file) {
			v := Classify(r.name, parseClient(t, r.client))
			verdict := "proper"
			if v.Generic {
				verdict = "generic/" + v.Strength.String()
			}
			if verdict != r.verdict || orDash(v.Basis.String()) != r.kind || orDash(v.Piece) != r.piece {
				t.Errorf("Classify(%s, %s) = %s, kind %v; want %s, kind %s, piece %s",
					r.name, r.client, v, v.Basis, r.verdict, r.kind, r.piece)
			}
		}
	}
}

func TestVerdictString(t *testing.T) {
	tests := []struct{ client, name, want string }{
		{"203.0.113.10", "203-0-113-10.example.net", `generic/full: "203-0-113-10" is the address`},
		{"203.0.113.10", "Host113-10.Example.net", `generic/half: "113-10" is part of the address`},
		{"203.0.113.10", "198-51-100-7.example.net", `generic/half: "198-51-100-7" is an address, but not the client's`},
		{"203.0.113.10", "VM135127.example.net", `generic/full: "VM135127" is a serial number`},
		{"203.0.113.10", "no-rdns.example.net", `generic/word: "no-rdns" says that nobody named it`},
		{"203.0.113.10", "p7.dsl.example.net", `generic/word: "dsl" is a word for lines, beside a number`},
		{"203.0.113.10", "203-0-113-10.outbound.example.net", `proper: "outbound" is a mail word`},
		{"203.0.113.10", "m203-0-113-10.sendfast.example", `proper: "sendfast" is a mail service's domain`},
		{"203.0.113.10", "mail.example.net", "proper"},
	}
	for _, tt := range tests {
		if got := Classify(tt.name, netip.MustParseAddr(tt.client)).String(); got != tt.want {
			t.Errorf("Classify(%s, %s) = %s; want %s", tt.name, tt.client, got, tt.want)
		}
	}
}

// A client that arrives as an IPv4-mapped address is its IPv4 address.
func TestClassifyMapped(t *testing.T) {
	got := Classify("203-0-113-10.example.net", netip.MustParseAddr("::ffff:203.0.113.10"))
	if got.Strength != Full {
		t.Errorf("Classify(203-0-113-10.example.net, ::ffff:203.0.113.10) = %v; want full", got)
	}
}

func TestFlat(t *testing.T) {
	// The list knows better than isFlat if a registry ever opens a second
	// level below one of these.
	for _, tld := range []string{"com", "net", "org", "info", "de", "eu", "ch"} {
		if !isFlat(tld) {
			t.Errorf("isFlat(%s) = false; want true", tld)
		}
		for _, second := range []string{"ac", "co", "com", "edu", "gov", "gv", "info", "net", "nom", "or", "org"} {
			name := "a.b." + second + "." + tld
			if got, want := registered(name), len("a.b."); got != want {
				t.Errorf("registered(%s) = %d; want %d, as %s is flat", name, got, want, tld)
			}
		}
	}
}

func TestRegistered(t *testing.T) {
	tests := []struct{ name, want string }{
		{"mail.example.com", "example.com"},
		{"example.com", "example.com"},
		{"a.b.example.co.uk", "example.co.uk"},
		{"vps123.hosting.internal", "hosting.internal"},
		{"a.someone.github.io", "github.io"}, // private section
		{"ec2-203-0-113-10.compute-1.amazonaws.com", "amazonaws.com"},
		{"10.113.0.203.in-addr.arpa", "203.in-addr.arpa"},
	}
	for _, tt := range tests {
		if got := tt.name[registered(tt.name):]; got != tt.want {
			t.Errorf("registered(%s) is %s; want %s", tt.name, got, tt.want)
		}
	}
}
