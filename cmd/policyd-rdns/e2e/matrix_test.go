package e2e

import (
	"fmt"
	"testing"
)

// TestPostfix sends the mail of every client in the matrix through the two
// restriction lists that the documentation proposes, over TCP and over a unix
// socket. Postfix judges client restrictions too when a recipient comes.
func TestPostfix(t *testing.T) {
	t.Parallel()
	postfix := newPostfix(t)
	unbound := startUnbound(t)
	rdns := startProgram(t, matrixConfig(postfix, unbound))
	tcp, unix := policyService("inet:"+rdns.tcp), policyService("unix:private/policyd-rdns")
	runs := []struct {
		name string
		list restriction
		smtpdService
	}{
		{"recipient/tcp", recipientList, smtpdService{options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, " + tcp}}},
		// Trap 14: a chroot needs the path of the socket to be relative.
		{"recipient/unix", recipientList, smtpdService{chroot: true, options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, " + unix}}},
		{"client/tcp", clientList, smtpdService{options: []string{"smtpd_client_restrictions = " + tcp}}},
		{"client/unix", clientList, smtpdService{options: []string{"smtpd_client_restrictions = " + unix}}},
	}
	var services []smtpdService
	for i := range runs {
		runs[i].smtpdService.name = runs[i].name
		services = append(services, runs[i].smtpdService)
	}
	postfix.start(t, services...)

	var asked []mailClient
	accepted := 0
	for _, run := range runs {
		t.Run(run.name, func(t *testing.T) {
			for _, c := range matrix() {
				if c.mail(t, postfix.addrs[run.name], run.list) {
					accepted++
				}
				if !c.unasked {
					asked = append(asked, c)
				}
			}
		})
	}
	t.Run("explain", func(t *testing.T) {
		for _, list := range []restriction{clientList, recipientList} {
			for _, c := range matrix() {
				c.explain(t, rdns.config, list)
			}
		}
	})
	if n := postfix.accepted(t); n != accepted || n == 0 {
		t.Errorf("%d messages in the queue; want %d", n, accepted)
	}
	records := rdns.stopped(t)
	if len(records) != len(asked) {
		t.Fatalf("%d decisions in the log; want %d", len(records), len(asked))
	}
	for i := range asked {
		asked[i].check(t, &records[i])
	}
}

func matrixConfig(p *postfixInstance, u *unboundInstance) string {
	return fmt.Sprintf(`
[server]
listen = ["127.0.0.1:0", "unix:%s"]
socket_group = "postfix"
[resolver]
servers = [%q]
[helo]
own_names = ["mx.example.com"]
`, p.path("queue", "private", "policyd-rdns"), u.addr)
}
