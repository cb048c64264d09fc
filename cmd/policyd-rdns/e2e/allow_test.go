package e2e

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// command runs the program to its end, and gives what it says.
func command(t *testing.T, args ...string) (stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	cmd := program(t, args...)
	cmd.Stdout, cmd.Stderr = &out, &err
	if failed := cmd.Run(); failed != nil {
		t.Errorf("policyd-rdns %q: %v\n%s%s", args, failed, &out, &err)
	}
	return out.String(), err.String()
}

// inForceTime is within which the daemon has a change of exempt_file in force.
const inForceTime = 5 * time.Second

// awaitReply says RCPT until the reply is the one wanted, for as long as a change may take.
func (c *smtpClient) awaitReply(t *testing.T, want string) {
	t.Helper()
	begun := time.Now()
	for {
		reply := c.say(t, "RCPT TO:<user@example.com>")
		if strings.HasPrefix(reply, want) {
			return
		}
		if took := time.Since(begun); took > inForceTime {
			t.Errorf("after %v: %s; want %s", took, reply, want)
			return
		}
		<-time.After(100 * time.Millisecond)
	}
}

// TestPostfixAllow: a client is refused, exempt by one command, accepted within seconds,
// and refused again when the exemption is gone; a damaged exempt_file changes nothing.
func TestPostfixAllow(t *testing.T) {
	t.Parallel()
	const refused, accepted = "550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com", "250 2.1.5 Ok"
	postfix := newPostfix(t)
	rdns := startProgram(t, sessionConfig("127.0.0.1:0", startUnbound(t), "exempt_file = \"exempt.toml\"\n"))
	file := filepath.Join(filepath.Dir(rdns.config), "exempt.toml")
	postfix.start(t, smtpdService{name: "smtp", options: []string{
		"smtpd_recipient_restrictions = reject_unauth_destination, " + policyService("inet:"+rdns.tcp),
	}})
	client := mailClient{addr: "203.0.113.10", helo: "mail.example.org"}
	c := client.connect(t, postfix.addrs["smtp"])
	c.must(t, "MAIL FROM:<sender@example.net>")
	if reply := c.say(t, "RCPT TO:<user@example.com>"); reply != refused {
		t.Fatalf("before: %s; want %s", reply, refused)
	}

	out, _ := command(t, "allow", "203.0.113.10", "--for", "12h", "--why", "ticket 4711", "-c", rdns.config)
	if !strings.HasPrefix(out, "203.0.113.10 is exempt until ") || !strings.Contains(out, "(ticket 4711); a daemon of this configuration knows it within 5 seconds") {
		t.Errorf("allow says %q", out)
	}
	c.awaitReply(t, accepted)
	rdns.process.await(t, "level=INFO", "exemptions of exempt_file", "in_force=1")
	rdns.process.await(t, "level=WARN", "an exemption ends within a day", `why="ticket 4711"`, file+":1")

	testbed.WriteFile(t, file+".old", "")
	if err := os.Rename(file, file+".old"); err != nil {
		t.Fatal(err)
	}
	testbed.WriteFile(t, file, "[[exempt]\n")
	rdns.process.await(t, "level=ERROR", "exempt_file is damaged", file+":", "not TOML")
	if reply := c.say(t, "RCPT TO:<user@example.com>"); reply != accepted {
		t.Errorf("with a damaged exempt_file: %s; want %s", reply, accepted)
	}
	if err := os.Rename(file+".old", file); err != nil {
		t.Fatal(err)
	}
	out, _ = command(t, "allow", "--list", "-c", rdns.config)
	if !strings.Contains(out, "203.0.113.10 ") || !strings.Contains(out, "ticket 4711") {
		t.Errorf("allow --list says %q", out)
	}
	if out, _ = command(t, "allow", "--remove", "203.0.113.10", "-c", rdns.config); !strings.Contains(out, "is gone") {
		t.Errorf("allow --remove says %q", out)
	}
	c.awaitReply(t, refused)
	c.quit(t)
	for _, d := range rdns.decisions(t) {
		if d.Config != rdns.loaded(t).Hash {
			t.Errorf("a decision was made under %s; want the same configuration all the time", d.Config)
		}
		if d.Decision.Exempt && (d.Decision.Why != "ticket 4711" || !strings.HasPrefix(d.Decision.Rule, "allow 203.0.113.10, ")) {
			t.Errorf("an exemption is logged as %q, %q", d.Decision.Rule, d.Decision.Why)
		}
	}
}

// TestAllowAtOnce: of two hundred exemptions by four processes at once none is lost.
func TestAllowAtOnce(t *testing.T) {
	t.Parallel()
	dir := testbed.WorkFolder(t)
	path := filepath.Join(dir, "config.toml")
	testbed.WriteFile(t, path, fmt.Sprintf("exempt_file = \"exempt.toml\"\n[server]\nlisten = [\"unix:%s/socket\"]\n[resolver]\nservers = [\"127.0.0.1:9\"]\n", dir))
	var processes sync.WaitGroup
	for p := range 4 {
		processes.Go(func() {
			for i := range 50 {
				command(t, "allow", fmt.Sprintf("198.51.100.%d", 50*p+i), "-c", path)
			}
		})
	}
	processes.Wait()
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for i := range conf.Origins {
		if conf.Origins[i].Source == config.Listed {
			names[conf.Rules.List[i].Name] = true
		}
	}
	if len(names) != 200 {
		t.Errorf("%d exemptions; want 200", len(names))
	}
}

// TestWhichIsInForce: a command says whether the daemon has the file that it reads, over
// TCP and over a unix socket, and the daemon logs no decision for that.
func TestWhichIsInForce(t *testing.T) {
	t.Parallel()
	dir := testbed.WorkFolder(t)
	tcp := testbed.FreeAddrs(t, 1)[0]
	for _, listen := range []string{`"127.0.0.1:0", "unix:` + dir + `/socket"`, `"` + tcp + `"`} {
		settings := "[server]\nlisten = [" + listen + "]\n[resolver]\nservers = [\"127.0.0.1:9\"]\n"
		rdns := startProgram(t, settings)
		hash := rdns.loaded(t).Hash
		if _, said := command(t, "configtest", "-c", rdns.config); !strings.HasPrefix(said, "policyd-rdns: configuration "+rdns.config+" ("+hash+"), which is in force\n") {
			t.Errorf("%s: configtest says %q; want that it is in force", listen, said)
		}
		rdns.configure(t, "mode = \"observe\"\n"+settings)
		changed := rdns.loaded(t).Hash
		want := "policyd-rdns: configuration " + rdns.config + " (" + changed + "), which is not in force: the daemon runs with " + hash + "\n"
		if _, said := command(t, "configtest", "-c", rdns.config); !strings.HasPrefix(said, want) {
			t.Errorf("%s: configtest of what was changed says %q; want %q", listen, said, want)
		}
		rdns.reload(t, "mode = \"observe\"\n"+settings)
		if _, said := command(t, "configtest", "-c", rdns.config); !strings.Contains(said, "which is in force") {
			t.Errorf("%s: configtest after a reload says %q", listen, said)
		}
		if records := rdns.decisions(t); len(records) > 0 {
			t.Errorf("%s: %d decisions; want none", listen, len(records))
		}
	}
}
