package journal

import (
	"net/netip"
	"regexp"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// TestHide: what a line tells of those whose mail it is, and what can be judged by it.
func TestHide(t *testing.T) {
	hash := regexp.MustCompile("#[0-9a-f]{16}")
	for _, tt := range []struct {
		people            People
		sender, recipient string
		by                string // of SPF
		about             string // lookups that failed
		want              string // sender, recipient, by, about; # for a hash
	}{
		{Whole, "a@example.com", "b@example.org", "a example.com", "example.com", "a@example.com|b@example.org|a example.com|example.com"},
		{Domains, "a@example.com", "b@example.org", "a example.com", "example.com", "@example.com|@example.org|a example.com|example.com"},
		{Domains, "a@Example.com", "b", "a a._spf.example.com", "a._spf.example.com", "@Example.com|@|a|#"},
		{Domains, "", "b@example.org", "a mail.example.net", "mail.example.net", "|@example.org|a|mail.example.net"},
		{Hashes, "A@Example.com", "b@example.org", "include:_spf.example.com example.com", "example.com", "#|#||#"},
		{Hashes, "a@example.com", "", "", "192.0.2.1", "#|||192.0.2.1"},
		{Hashes, "a@example.com", "", "", "ptr.example.net", "#|||ptr.example.net"},
	} {
		r := Record{Request: policy.Request{State: "RCPT", Client: netip.MustParseAddr("192.0.2.1"), HELO: "mail.example.net", Sender: tt.sender, Recipient: tt.recipient}}
		r.Facts = policy.NewFacts(&r.Request)
		r.Facts.Names = []policy.Name{{Name: "ptr.example.net"}}
		r.Facts.SPF = policy.SPF{By: tt.by, Why: tt.sender}
		r.Facts.Errors = []resolver.LookupError{{About: tt.about, Reason: "SERVFAIL"}}
		tt.people.Hide(&r)
		got := strings.Join([]string{r.Request.Sender, r.Request.Recipient, r.Facts.SPF.By, r.Facts.Errors[0].About}, "|")
		if got = hash.ReplaceAllString(got, "#"); got != tt.want || tt.people != Whole && r.Facts.SPF.Why != "" {
			t.Errorf("%d: of %q, %q remain %s, %q; want %s", tt.people, tt.sender, tt.recipient, got, r.Facts.SPF.Why, tt.want)
		}
		line := Logfmt.Append(nil, &r)
		read, err := Parse(line)
		if err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		hidden := policy.Attributes(0)
		for text, of := range map[string]policy.Attributes{tt.sender: policy.AttrSender, tt.recipient: policy.AttrRecipient} {
			if text != "" && tt.people != Whole {
				hidden |= of
			}
		}
		if read.Request.Cut != hidden {
			t.Errorf("%s: cut %b; want %b", line, read.Request.Cut, hidden)
		}
	}
	one, other := Record{Request: policy.Request{Sender: "a@example.com", Recipient: "A@example.COM"}}, Record{Request: policy.Request{Sender: "b@example.com"}}
	Hashes.Hide(&one)
	Hashes.Hide(&other)
	if one.Request.Sender != one.Request.Recipient || one.Request.Sender == other.Request.Sender {
		t.Errorf("%q, %q and %q; want the first two alike, and the third another", one.Request.Sender, one.Request.Recipient, other.Request.Sender)
	}
}

// TestHiddenIsUnknown: a rule that looks at what is hidden can neither be told to hold nor
// not to.
func TestHiddenIsUnknown(t *testing.T) {
	for _, key := range []string{"sender", "recipient"} {
		e, errs := policy.NewEntry(key, []string{"a@example.com"}, nil)
		if len(errs) > 0 {
			t.Fatal(errs)
		}
		rules := policy.Rules{List: []policy.Rule{{Name: "r", Action: policy.Reject, When: policy.Table{e}}}}
		r := Record{Request: policy.Request{State: "RCPT", Sender: "x@example.com", Recipient: "x@example.com"}}
		Domains.Hide(&r)
		line := Logfmt.Append(nil, &r)
		line = append([]byte("client=192.0.2.1 "), line...)
		read, err := Parse(line)
		if err != nil {
			t.Fatal(err)
		}
		if d := rules.Judge(&read.Request, &read.Facts); !d.Undetermined {
			t.Errorf("%s: %v; want that nobody can tell", line, d.Decided)
		}
	}
}
