package e2e

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/smtp"
)

// TestPostfixLongest: with a recipient of 254 bytes and a client name of 253 the URL stands
// whole at the end of the reply, in both lists, and the number in it is read by whoever has
// the key. So it does of a deferral, whose action is longer than the code in the reply.
func TestPostfixLongest(t *testing.T) {
	t.Parallel()
	const help = "https://mx1.mail.example.com/xx/" // as long as it may be
	const key = "key-1-0123456789abcdef"
	keys, err := casenumber.ParseKeys(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "case.keys")
	testbed.WriteFile(t, file, key+"\n")
	postfix := newPostfix(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", startUnbound(t), fmt.Sprintf("[reply]\nhelp = %q\nkey_file = %q\n"+
		"[[rule]]\nname = \"deferred\"\nwhen = { client = \"203.0.113.11\" }\naction = \"defer\"\ntext = \"%s\"\n", help, file, strings.Repeat("w ", 100)+"w")))
	ask := policyService("inet:" + rdns.tcp)
	postfix.start(t,
		smtpdService{name: "recipient", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, " + ask}},
		smtpdService{name: "client", options: []string{"smtpd_client_restrictions = " + ask}})

	label := strings.Repeat("x", 63) + "."
	name := strings.Repeat(label, 3) + strings.Repeat("y", 61)
	recipient := strings.Repeat("r", 254-len("@example.com")) + "@example.com"
	for _, list := range []restriction{recipientList, clientList} {
		for _, addr := range []string{"203.0.113.10", "203.0.113.11", "IPV6:2001:db8::10"} {
			for _, helo := range []string{"mail.example.org", "mx.example.com", name, strings.Repeat("h", 255)} {
				c := mailClient{addr: addr, name: name, helo: helo}
				s := c.connect(t, postfix.addrs[string(list)])
				s.must(t, "MAIL FROM:<sender@example.net>")
				line := s.say(t, "RCPT TO:<"+recipient+">")
				before, url, found := strings.Cut(line, help)
				if len(line) > smtp.MaxLine || !found || !strings.HasSuffix(before, "; see ") || !strings.Contains(before, list.preface(&mailClient{addr: addr, name: name, rcpt: recipient})) {
					t.Errorf("%s, %s as %.20s: %d bytes, the URL %t: %s", list, addr, helo, len(line), found, line)
				}
				told, err := keys.Read(url, time.Now())
				if err != nil || told.Client != netip.MustParseAddr(strings.TrimPrefix(addr, "IPV6:")) {
					t.Errorf("%s, %s: the number %q reads %v, %v", list, addr, url, told, err)
				}
				s.quit(t)
			}
		}
	}
	for _, r := range rdns.stopped(t) {
		if r.Case == "" || !strings.HasSuffix(r.Reply, help+r.Case) {
			t.Errorf("the log has the case %q, and the reply %q", r.Case, r.Reply)
		}
	}
}
