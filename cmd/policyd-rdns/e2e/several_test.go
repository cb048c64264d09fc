package e2e

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// sharedUnbound wants behind those of unboundServer the server that is all of the
// outside world.
const sharedUnbound = unboundServer + `
forward-zone:
  name: "."
  forward-addr: %s
`

// sharedZone has what the clients of sharedClients look like.
const sharedZone = `
$TTL 3600
. SOA ns.example. hostmaster.example. 1 3600 600 86400 3600
20.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 203.0.113.20
21.113.0.203.in-addr.arpa. PTR mail.example.net.
mail.example.net. A 198.51.100.7
22.113.0.203.in-addr.arpa. PTR ip-203-0-113-22.dyn.example.org.
ip-203-0-113-22.dyn.example.org. A 203.0.113.22
other.example.net. A 198.51.100.8
5.2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. PTR six.example.org.
six.example.org. AAAA 2001:db8::25
`

func sharedClients() []mailClient {
	return []mailClient{
		{addr: "203.0.113.20", helo: "mail.example.org"},
		{addr: "IPV6:2001:db8::25", helo: "six.example.org"},
		{
			addr: "203.0.113.21", helo: "mail.example.net", rule: "reverse name resolves elsewhere",
			reply: "550 5.7.1 the reverse DNS name mail.example.net of your server [203.0.113.21] resolves to 198.51.100.7, not to this address; PTR and address record have to match; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.22", helo: "other.example.net", rule: "generic name, foreign HELO",
			reply: "550 5.7.1 your server [203.0.113.22] has the generic reverse DNS name ip-203-0-113-22.dyn.example.org, and its HELO other.example.net does not resolve to it; give it a name of its own; contact postmaster@example.com",
		},
		{
			addr: "203.0.113.23", helo: "mail.example.org", rule: "no reverse name",
			reply: "550 5.7.1 your server [203.0.113.23] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com",
		},
	}
}

// TestSeveralMX runs two MX hosts, a program and a Postfix each, behind one
// Unbound: they decide alike, and what the first has asked the outside world the
// second does not ask again.
func TestSeveralMX(t *testing.T) {
	t.Parallel()
	first, second := newPostfix(t), newPostfix(t)
	outside, w := testbed.StartWorld(t, sharedZone)
	unbound := startSharedUnbound(t, outside)
	config := sessionConfig("127.0.0.1:0", unbound, "")
	var asked []string
	var decided [][]string
	for i, postfix := range []*postfixInstance{first, second} {
		rdns := startProgram(t, config)
		postfix.start(t, smtpdService{name: "smtp", options: []string{
			"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
		}})
		for _, c := range sharedClients() {
			c.mail(t, postfix.addrs["smtp"], recipientList)
		}
		var decisions []string
		for _, r := range rdns.stopped(t) {
			if r.Facts.Queries == 0 {
				t.Errorf("host %d knew %v without asking Unbound", i+1, r.Request.Client)
			}
			decisions = append(decisions, fmt.Sprint(r.Request.Client, " ", r.Decision.Action, " ", r.Decision.Rule, " ", r.Decision.Checks))
		}
		decided = append(decided, decisions)
		if i == 0 {
			asked = w.Queries()
		}
	}
	if !slices.Equal(decided[0], decided[1]) || len(decided[0]) != len(sharedClients()) {
		t.Errorf("the hosts decided\n%s\nand\n%s", strings.Join(decided[0], "\n"), strings.Join(decided[1], "\n"))
	}
	if more := w.Queries()[len(asked):]; len(asked) == 0 || len(more) > 0 {
		t.Errorf("the first host had the outside world asked %q; the second asks it again for %q", asked, more)
	}
}

// startSharedUnbound returns when an Unbound answers that has all it knows from
// one server.
func startSharedUnbound(t *testing.T, outside string) *unboundInstance {
	t.Helper()
	program := testbed.NeedProgram(t, "unbound", "unbound")
	addr := testbed.FreeAddrs(t, 1)[0]
	host, port, _ := strings.Cut(addr, ":")
	config := filepath.Join(testbed.WorkFolder(t), "unbound.conf")
	testbed.WriteFile(t, config, fmt.Sprintf(sharedUnbound, host, port, atSign(outside)))
	p := startProcess(t, "unbound", exec.Command(program, "-d", "-c", config))
	p.await(t, "start of service")
	return &unboundInstance{addr: addr}
}
