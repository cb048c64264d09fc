package config

import (
	"net/netip"
	"testing"

	"policyd-rdns/policy"
)

// TestContact: mail to whom the refused may write to is exempt, as mail to postmaster@ is,
// unless that exemption is switched off.
func TestContact(t *testing.T) {
	const off = "[[exempt]]\nname = \"postmaster\"\noff = true\n"
	for _, tt := range []struct {
		text, recipient string
		want            policy.Action
	}{
		{"", "postmaster@example.com", policy.DUNNO},
		{"", "help@example.com", policy.Reject},
		{"[reply]\ncontact = \"help\"\n", "help@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n", "HELP@example.net", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n", "postmaster@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n", "user@example.com", policy.Reject},
		{"[reply]\ncontact = \"help@example.com\"\n", "help@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help@example.com\"\n", "help@example.net", policy.Reject},
		{"[reply]\ncontact = \"\"\n", "postmaster@example.com", policy.DUNNO},
		{"[reply]\ncontact = \"help\"\n" + off, "help@example.com", policy.Reject},
	} {
		c, err := Parse("x.toml", []byte(tt.text+"[[rule]]\nname = \"all\"\nwhen = { client = \"0.0.0.0/0\" }\naction = \"reject\"\n"))
		if err != nil {
			t.Fatal(err)
		}
		req := policy.Request{Client: netip.MustParseAddr("203.0.113.10"), State: "RCPT", Recipient: tt.recipient}
		f := policy.NewFacts(&req)
		f.Past.Asked, f.Past.DomainAsked = true, true
		f.SPF.Result = policy.None
		if d := c.Rules.Judge(&req, &f); d.Decided != tt.want {
			t.Errorf("%q: mail to %s: %s by %q; want %s", tt.text, tt.recipient, d.Decided, d.Rule, tt.want)
		}
	}
}
