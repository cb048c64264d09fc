package journal

import (
	"regexp"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// TestHide: what a line tells of those whose mail it is, and what can be judged by it.
func TestHide(t *testing.T) {
	long := strings.Repeat("x", 60) + "@example.org"
	for _, tt := range []struct {
		people                            People
		sender, recipient, reply          string
		wantSender, wantRecipient, wanted string // # for a hash
	}{
		{Whole, "a@example.com", "b@example.org", "550 5.7.1 <b@example.org> no", "a@example.com", "b@example.org", "550 5.7.1 <b@example.org> no"},
		{Domains, "a@example.com", "b@example.org", "550 5.7.1 <b@example.org> no, ask postmaster@example.org", "@example.com", "@example.org", "550 5.7.1 <@example.org> no, ask postmaster@example.org"},
		{Domains, "", "b", "550 5.7.1 no", "", "@", "550 5.7.1 no"},
		{Hashes, "A@Example.com", "b@example.org", "550 5.7.1 <b@example.org> no, ask postmaster@example.org", "#", "#", "550 5.7.1 <#> no, ask postmaster@#"},
		{Hashes, "a@example.com", "", "", "#", "", ""},
		{Domains, "", long, "550 5.7.1 for " + long[:40], "", "@example.org", "550 5.7.1 for "},
	} {
		r := Record{Request: policy.Request{State: "RCPT", Sender: tt.sender, Recipient: tt.recipient}, Reply: tt.reply}
		r.Facts.SPF.By = "a " + strings.ToLower(tt.sender)
		r.Facts.Errors = []resolver.LookupError{{About: "example.com", Reason: "SERVFAIL"}}
		tt.people.Hide(&r)
		if whole := r.Facts.Errors[0].About == "example.com" && strings.Contains(r.Facts.SPF.By, " "); tt.sender != "" && whole != (tt.people != Hashes) {
			t.Errorf("%d: of %q remain %q, %v", tt.people, tt.sender, r.Facts.SPF.By, r.Facts.Errors)
		}
		hashes := regexp.MustCompile("#[0-9a-f]{16}")
		got := []string{r.Request.Sender, r.Request.Recipient, r.Reply}
		for i, want := range []string{tt.wantSender, tt.wantRecipient, tt.wanted} {
			if got := hashes.ReplaceAllString(got[i], "#"); got != want {
				t.Errorf("%d: of %q, %q, %q: %q; want %q", tt.people, tt.sender, tt.recipient, tt.reply, got, want)
			}
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

// TestHiddenContact: whom the refused may write to is of the recipient's domain.
func TestHiddenContact(t *testing.T) {
	for p, want := range map[People]string{Whole: "postmaster@example.com", Domains: "postmaster@example.com", Hashes: "postmaster@#"} {
		r := Record{Reply: "550 5.7.1 no; contact postmaster@example.com"}
		r.Request.Recipient = "user@Example.COM."
		if p.Hide(&r); !strings.HasSuffix(r.Reply, "contact "+want) {
			t.Errorf("%d: reply %q; want contact %s", p, r.Reply, want)
		}
	}
}
