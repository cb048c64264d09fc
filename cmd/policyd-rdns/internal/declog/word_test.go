package declog

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// recordOf is a decision about a client with a name that is confirmed.
func recordOf(id, client, name, helo, sender, recipient string) journal.Record {
	r := journal.Record{ID: id, Request: policy.Request{
		Time: time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC), Client: netip.MustParseAddr(client),
		HELO: helo, State: "RCPT", Sender: sender, Recipient: recipient, Instance: "1.2.3",
	}}
	r.Facts = policy.NewFacts(&r.Request)
	r.Facts.Past.Asked, r.Facts.Past.DomainAsked = true, true
	if name != "" {
		n := policy.NewName(name, r.Request.Client)
		n.Forward = resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{r.Request.Client}}
		r.Facts.PTR, r.Facts.Names = resolver.Found, []policy.Name{n}
	}
	return r
}

// TestWord: what words of each kind are in decisions.
func TestWord(t *testing.T) {
	v4 := recordOf("e13wu1p5", "192.0.2.1", "mail.example.org", "MAIL.example.org.", "anna@Example.org", "user@example.com")
	v6 := recordOf("e13wu1p6", "2001:db8:7::1", "", "[IPv6:2001:DB8:0::9]", "", "user@example.com")
	odd := recordOf("e13wu1p7", "203.0.113.7", "", `my "own" pc\\<b>`, "b@c@sub.example.net", "postmaster")
	bare := recordOf("e13wu1p8", "203.0.113.8", "", "2001:db8:0::9", "", "")
	for _, test := range []struct {
		word string
		r    *journal.Record
		want string
	}{
		{"192.0.2.1", &v4, "client address"},
		{"[192.0.2.1]", &v4, "client address"},
		{"::ffff:192.0.2.1", &v4, "client address"},
		{"192.0.2.0/24", &v4, "client address"},
		{"192.0.2.77/22", &v4, "client address"}, // nobody is exempt by it
		{"0.0.0.0/0", &v4, "client address"},
		{"192.0.2.10", &v4, ""},
		{"192.0.2.128/25", &v4, ""},
		{"mail.example.org", &v4, "client name, HELO"},
		{"Mail.Example.Org.", &v4, "client name, HELO"},
		{"example.org", &v4, "client name, HELO, sender"},
		{".example.org", &v4, "client name, HELO"},
		{"ample.org", &v4, ""},
		{"org", &v4, ""},
		{"anna@example.org", &v4, "sender"},
		{"anna@", &v4, "sender"},
		{"@example.org", &v4, "sender"},
		{"user@EXAMPLE.com", &v4, "recipient"},
		{"@example.com", &v4, "recipient"},
		{"example.com", &v4, ""}, // or all mail to us would be meant
		{"<>", &v4, ""},
		{"e13wu1p5", &v4, "decision id"},
		{"e13wu1p", &v4, ""},

		{"2001:DB8:7:0::1", &v6, "client address"},
		{"2001:db8:7::/48", &v6, "client address"},
		{"2001:db8::/32", &v6, "client address, HELO"},
		{"2001:db8::9", &v6, "HELO"},
		{"[IPv6:2001:db8::9]", &v6, "HELO"},
		{"<>", &v6, "sender"},

		{`my "own" pc\\<b>`, &odd, "HELO"},
		{`MY "own" PC\\<b>`, &odd, "HELO"},
		{"example.net", &odd, "sender"},
		{"sub.example.net", &odd, "sender"},
		{"b@c@sub.example.net", &odd, "sender"},
		{"2001:db8::9", &bare, ""}, // a bare address in another spelling
		{"<>", &bare, "sender"},
	} {
		w, err := ParseWord(test.word)
		if err != nil {
			t.Errorf("ParseWord(%q): %v", test.word, err)
			continue
		}
		if got := w.Roles(test.r).String(); got != test.want {
			t.Errorf("%q is %q in %s; want %q", test.word, got, test.r.ID, test.want)
		}
		checkMayHold(t, w, test.r)
	}
	for word, want := range map[string]string{
		"": "an empty text", " ": "an empty text", "*.example.org": "no wildcards", "192.0.2.*": "192.0.2.0/24",
		strings.Repeat("x", 600): "longer than 512 bytes",
	} {
		if _, err := ParseWord(word); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("ParseWord(%q): %v; want %q", word, err, want)
		}
	}
	if w := (*Word)(nil); !w.MayHold(nil) || w.Roles(&v4) == 0 {
		t.Error("no word at all is not in each decision")
	}
}

// checkMayHold holds the look at a line's bytes to what the line says when it is parsed,
// in each form that it may have.
func checkMayHold(t *testing.T, w *Word, r *journal.Record) {
	t.Helper()
	for _, format := range []journal.Format{journal.Logfmt, journal.JSON} {
		line := strings.TrimSuffix(string(format.Append(nil, r)), "\n")
		back, err := journal.Parse([]byte(line))
		if err != nil {
			return // no record that the daemon makes
		}
		wrapped, err := json.Marshal(map[string]string{"message": line})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range []string{line, string(wrapped)} {
			if as := w.Roles(&back); as != 0 && !w.MayHold([]byte(text)) {
				t.Errorf("%q is %v in a line, which it may not hold: %s", w.Text, as, text)
			}
		}
	}
}

// TestMayHold: what need not be parsed.
func TestMayHold(t *testing.T) {
	r := recordOf("e13wu1p5", "192.0.2.1", "mail.example.org", "mail.example.org", "anna@example.org", "user@example.com")
	line := journal.Logfmt.Append(nil, &r)
	for _, word := range []string{"192.0.2.10", "198.51.100.0/24", "2001:db8::/32", "example.net", "e13wu1p6", "otto@example.org", "ylmf-pc"} {
		w, err := ParseWord(word)
		if err != nil || w.MayHold(line) {
			t.Errorf("the line is parsed for %q (%v)", word, err)
		}
	}
}

// FuzzWord: a look at the bytes of a line never leaves out a decision that a word is in.
func FuzzWord(f *testing.F) {
	for _, word := range []string{"192.0.2.1", "192.0.2.0/23", "2001:db8::/29", "64:ff9b::/95", "example.org", ".example.org", "a@b.example", "@", "<>", "M\u00fcller.example", "\u212a", "..", "[IPv6:::ffff:192.0.2.1]"} {
		f.Add(word, "mail.example.org", "[IPv6:2001:DB8::1]", "anna@example.org", []byte{192, 0, 2, 1})
		f.Add(word, "xn--mller-kva.example", word, word, netip.MustParseAddr("2001:db8::1").AsSlice())
	}
	f.Fuzz(func(t *testing.T, word, name, helo, mail string, client []byte) {
		addr, ok := netip.AddrFromSlice(client)
		w, err := ParseWord(word)
		if err != nil || !ok {
			return
		}
		r := recordOf("e13wu1p5", addr.Unmap().String(), name, helo, mail, mail)
		r.Request.ClientName = name
		checkMayHold(t, w, &r)
		r.ID = word
		checkMayHold(t, w, &r)
	})
}
