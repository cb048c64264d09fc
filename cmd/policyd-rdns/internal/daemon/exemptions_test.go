package daemon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
)

// refusing is a configuration that refuses by HELO alone, without the DNS, and has an
// exempt_file beside it.
const refusing = `default_rules = false
exempt_file = "exempt.toml"
[server]
listen = ["127.0.0.1:0"]
[resolver]
servers = ["127.0.0.1:9"]
[http]
listen = "127.0.0.1:0"
[[rule]]
name = "refused"
when = { helo_form = "unqualified" }
action = "reject"
text = "no"
`

// exempted is a daemon at work on exemptions, within a bubble of its own time.
type exempted struct {
	*Daemon
	t    *testing.T
	file string // exempt_file
	log  testbed.Log
}

// withExemptions runs a test of a daemon that looks after exemptions. settings are added
// to its configuration, and listed stands in exempt_file; empty: there is none.
func withExemptions(t *testing.T, settings, listed string, test func(d *exempted)) {
	t.Helper()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		d := &exempted{t: t, file: filepath.Join(dir, "exempt.toml")}
		if listed != "" {
			d.write(listed)
		}
		path := filepath.Join(dir, "config.toml")
		testbed.WriteFile(t, path, refusing+settings)
		conf, err := config.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		var decisions bytes.Buffer
		w := logwriter.New(&decisions, nil)
		d.Daemon, err = New(conf, Options{Log: slog.New(slog.NewTextHandler(&d.log, nil)), Decisions: w})
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			(&exemptions{Daemon: d.Daemon}).lookAfter(ctx)
		}()
		synctest.Wait()
		test(d)
		stop()
		<-ended
		d.Close()
		_ = closeLog(w)
	})
}

// write replaces exempt_file as allow does.
func (d *exempted) write(text string) {
	d.t.Helper()
	testbed.WriteFile(d.t, d.file+".new", text)
	if err := os.Rename(d.file+".new", d.file); err != nil {
		d.t.Fatal(err)
	}
}

// pass lets time pass.
func (d *exempted) pass(by time.Duration) {
	time.Sleep(by) // of the bubble
	synctest.Wait()
}

// answers wants the reply about a client now.
func (d *exempted) answers(client, want string) {
	d.t.Helper()
	req := policy.Request{Time: time.Now(), Client: netip.MustParseAddr(client), HELO: "unqualified", State: "RCPT", Sender: "a@example.org", Recipient: "b@example.com"}
	reply, wait := d.Handle(d.t.Context(), &req)
	if wait != nil {
		reply = wait()
	}
	if word, _, _ := strings.Cut(reply.String(), " "); word != want {
		d.t.Errorf("at %v %s is answered %s; want %s", time.Now().UTC().Format(time.RFC3339), client, reply, want)
	}
}

// told counts the lines of the log with all the parts, and forgets the log.
func (d *exempted) told(parts ...string) (n int) {
lines:
	for line := range strings.Lines(d.log.String()) {
		for _, part := range parts {
			if !strings.Contains(line, part) {
				continue lines
			}
		}
		n++
	}
	d.log.Reset()
	return n
}

func exemptOf(client string, more ...string) string {
	return fmt.Sprintf("[[exempt]]\nwhen = { client = %q }\n%s\n", client, strings.Join(more, "\n"))
}

// TestExemptFile: a change is in force within 5 seconds, whatever becomes of the file.
func TestExemptFile(t *testing.T) {
	withExemptions(t, "", "", func(d *exempted) {
		before := d.current.Load()
		d.answers("203.0.113.1", "550")
		if n := d.told("level=INFO", "in_force=0"); n != 1 {
			t.Errorf("%d lines about no exemptions at the start; want 1", n)
		}
		d.write(exemptOf("203.0.113.1"))
		d.pass(5 * time.Second)
		d.answers("203.0.113.1", "DUNNO")
		d.answers("203.0.113.2", "550")
		now := d.current.Load()
		if n := d.told("level=INFO", "in_force=1"); n != 1 || now == before || now.conf.Hash != before.conf.Hash || now.loaded != before.loaded {
			t.Errorf("%d lines about a change, configuration %s read at %v; want 1, %s, %v", n, now.conf.Hash, now.loaded, before.conf.Hash, before.loaded)
		}
		d.pass(time.Hour)
		if d.current.Load() != now || d.log.Len() > 0 {
			t.Errorf("nothing has changed, and the log says %s", &d.log)
		}
		// A change by hand, of the same size.
		if err := os.WriteFile(d.file, []byte(exemptOf("203.0.113.2")), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(d.file, time.Time{}, time.Now().Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		d.pass(5 * time.Second)
		d.answers("203.0.113.1", "550")
		d.answers("203.0.113.2", "DUNNO")
		// Other comments are no other exemptions.
		now = d.current.Load()
		d.log.Reset()
		d.write("# mine\n" + exemptOf("203.0.113.2"))
		d.pass(5 * time.Second)
		if d.current.Load() != now || d.log.Len() > 0 {
			t.Errorf("a comment has changed, and the log says %s", &d.log)
		}
		// An editor that empties the file before it writes it takes nothing away.
		d.write("")
		d.pass(2 * time.Second)
		d.answers("203.0.113.2", "DUNNO")
		d.write(exemptOf("203.0.113.2"))
		d.pass(time.Minute)
		d.answers("203.0.113.2", "DUNNO")
		if d.current.Load() != now {
			t.Error("a file that was empty for a moment made another configuration")
		}
		if err := os.Remove(d.file); err != nil {
			t.Fatal(err)
		}
		d.pass(5 * time.Second)
		d.answers("203.0.113.2", "550")
		if n := d.told("level=INFO", "in_force=0"); n != 1 {
			t.Errorf("%d lines about the end of the file; want 1", n)
		}
		// What was counted stays.
		if got := d.counts("refused"); got != 4 {
			t.Errorf("%v decisions of the rule counted; want 4", got)
		}
	})
}

// counts is what the metric of decisions has for a rule.
func (d *exempted) counts(rule string) (n int) {
	for line := range strings.Lines(d.metrics()) {
		if strings.HasPrefix(line, "policyd_rdns_decisions_total{") && strings.Contains(line, fmt.Sprintf("rule=%q", rule)) {
			var one int
			_, value, _ := strings.Cut(line, "} ")
			if _, err := fmt.Sscan(value, &one); err != nil {
				d.t.Errorf("%s: %v", line, err)
			}
			n += one
		}
	}
	return n
}

// TestExemptFileDamaged: the last good exemptions stay, and the log has it once for each
// change.
func TestExemptFileDamaged(t *testing.T) {
	withExemptions(t, "", exemptOf("203.0.113.1"), func(d *exempted) {
		d.answers("203.0.113.1", "DUNNO")
		for _, damage := range []struct {
			how  string
			do   func() error
			want string
		}{
			{"not TOML", func() error { d.write("[[exempt"); return nil }, "not TOML"},
			{"still not", func() error { d.write("[[exempt]]\nwhen = 1\n"); return nil }, "when"},
			{"all clients", func() error { d.write("[[exempt]]\nwhen = {}\n"); return nil }, "all of them are exempt"},
			{"a pipe", func() error { return os.Rename(d.pipe(), d.file) }, "no regular file"},
			{"a folder", func() error { return os.Rename(d.t.TempDir(), d.file) }, "no regular file"},
		} {
			if damage.how == "a folder" {
				if err := os.Remove(d.file); err != nil {
					t.Fatal(err)
				}
			}
			d.log.Reset()
			if err := damage.do(); err != nil {
				t.Fatalf("%s: %v", damage.how, err)
			}
			d.pass(time.Minute)
			d.answers("203.0.113.1", "DUNNO")
			state := d.state()
			if log := d.log.String(); damage.how != "a folder" && (strings.Count(log, "\n") != 1 || !strings.Contains(log, damage.want) || !strings.Contains(log, "level=ERROR")) {
				t.Errorf("%s: the log says %s; want one error with %q", damage.how, log, damage.want)
			}
			if !strings.Contains(state.ExemptFailed, damage.want) {
				t.Errorf("%s: the page says %q; want %q", damage.how, state.ExemptFailed, damage.want)
			}
		}
		if err := os.Remove(d.file); err != nil {
			t.Fatal(err)
		}
		d.log.Reset()
		d.write(exemptOf("203.0.113.1"))
		d.pass(5 * time.Second)
		if n := d.told("level=INFO", "in_force=1"); n != 1 {
			t.Errorf("%d lines when the file is well again; want 1", n)
		}
		if failed := d.state().ExemptFailed; failed != "" {
			t.Errorf("the page says %q of a file that is well", failed)
		}
	})
}

// pipe is a named pipe, which nobody writes to.
func (d *exempted) pipe() string {
	path := filepath.Join(d.t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		d.t.Skipf("Mkfifo: %v", err)
	}
	return path
}

// TestExemptFileReload: a reload and a change of the file at once lose neither.
func TestExemptFileReload(t *testing.T) {
	withExemptions(t, "", exemptOf("203.0.113.1"), func(d *exempted) {
		d.reload(t.Context())
		d.pass(5 * time.Second)
		d.answers("203.0.113.1", "DUNNO")

		// The file changed after the reload had read it, and was looked at before it ended.
		old, err := config.Load(d.current.Load().conf.Path)
		if err != nil {
			t.Fatal(err)
		}
		d.write(exemptOf("203.0.113.2"))
		d.pass(5 * time.Second)
		d.answers("203.0.113.2", "DUNNO")
		d.enforce(old, nil)
		d.answers("203.0.113.2", "550")
		d.pass(5 * time.Second)
		d.answers("203.0.113.2", "DUNNO")
		d.answers("203.0.113.1", "550")

		// It puts nothing into force over a configuration that it has not seen.
		g := d.current.Load()
		d.enforce(old, nil)
		if d.replace(g, g.conf) != nil || d.current.Load().conf != old {
			t.Error("exemptions were put into force over a newer configuration")
		}
	})
}

// TestExemptionEnds: to the second, by the time of the request; with a warning within its
// last day, one of each, and a note on the page.
func TestExemptionEnds(t *testing.T) {
	// The bubble's time begins at midnight of 2000-01-01, UTC.
	file := exemptOf("203.0.113.1", `name = "soon"`, `until = 2000-01-02T00:00:00Z`, `why = "ticket 4711"`) +
		exemptOf("203.0.113.2", `name = "later"`, "until = 2000-01-02") +
		exemptOf("203.0.113.3", `name = "over"`, "until = 1999-12-31")
	withExemptions(t, exemptOf("203.0.113.4", `name = "of the file"`, "until = 2000-01-01T12:00:00+02:00"), file, func(d *exempted) {
		log := d.log.String()
		for name, want := range map[string]int{"soon": 1, `\"of the file\"`: 0, `"of the file"`: 1, "later": 0, "over": 0} {
			if got := strings.Count(log, "level=WARN msg=\"an exemption ends within a day\" exempt="+name+" "); got != want {
				t.Errorf("%d warnings of %s at the start; want %d: %s", got, name, want, log)
			}
		}
		if !strings.Contains(log, `why="ticket 4711"`) || !strings.Contains(log, "exempt.toml:1") || !strings.Contains(log, "in_force=2") {
			t.Errorf("log: %s", log)
		}
		if got := strings.Join(d.state().Ending, "|"); got != "of the file ends on 2000-01-01 at 10:00 (UTC)|soon ends at the end of 2000-01-01 (UTC), ticket 4711" {
			t.Errorf("the page has %q", got)
		}
		d.answers("203.0.113.3", "550")
		d.pass(10*time.Hour - time.Second)
		d.answers("203.0.113.4", "DUNNO")
		d.pass(time.Second)
		d.answers("203.0.113.4", "550")
		d.pass(14*time.Hour - time.Second)
		d.answers("203.0.113.1", "DUNNO")
		d.pass(time.Second)
		d.answers("203.0.113.1", "550")
		d.answers("203.0.113.2", "DUNNO")
		log = strings.TrimPrefix(d.log.String(), log)
		if strings.Count(log, "\n") != 1 || !strings.Contains(log, "exempt=later ") {
			t.Errorf("within a day the log says %s; want one warning, of later", log)
		}
		// A longer one is another.
		d.log.Reset()
		d.write(exemptOf("203.0.113.2", `name = "later"`, "until = 2000-01-02T20:00:00Z"))
		d.pass(time.Minute)
		if n := d.told("level=WARN", "exempt=later"); n != 1 {
			t.Errorf("%d warnings of an exemption that was made anew; want 1", n)
		}
	})
}

// TestManyExemptionsEnd: the warnings at once are bounded.
func TestManyExemptionsEnd(t *testing.T) {
	var file strings.Builder
	for i := range 50 {
		file.WriteString(exemptOf(fmt.Sprintf("203.0.113.%d", i), "until = 2000-01-01"))
	}
	withExemptions(t, "", file.String(), func(d *exempted) {
		log := d.log.String()
		if n := strings.Count(log, "an exemption ends"); n != maxEnding || !strings.Contains(log, "exemptions=30") {
			t.Errorf("%d warnings; want %d, and one of 30 more: %s", n, maxEnding, log)
		}
		d.pass(time.Hour)
		if log := strings.TrimPrefix(d.log.String(), log); log != "" {
			t.Errorf("an hour later: %s", log)
		}
	})
}

// TestTagOnce: of all recipients of a message one has the header, as long as the message
// is remembered.
func TestTagOnce(t *testing.T) {
	var seen tagged
	for _, tt := range []struct {
		instance string
		want     bool
	}{{"a", true}, {"a", false}, {"b", true}, {"a", false}, {"", true}, {"", true}, {"b", false}} {
		if got := seen.first(tt.instance); got != tt.want {
			t.Errorf("first(%q) = %v; want %v", tt.instance, got, tt.want)
		}
	}
	for i := range 3 * maxTagged {
		if !seen.first(fmt.Sprint("x", i)) {
			t.Fatalf("message %d is taken for another", i)
		}
		if len(seen.have) > maxTagged || len(seen.turn) > maxTagged {
			t.Fatalf("%d messages are remembered, in %d places; want at most %d", len(seen.have), len(seen.turn), maxTagged)
		}
	}
	if seen.first(fmt.Sprint("x", 2*maxTagged)) || !seen.first(fmt.Sprint("x", 2*maxTagged-1)) {
		t.Error("remembered are others than the last")
	}
}

// TestTagReply: the second recipient of a message is answered DUNNO, and the log has its
// tags all the same.
func TestTagReply(t *testing.T) {
	settings := "[[rule]]\nname = \"strangers\"\nwhen = { helo_form = \"fqdn\" }\naction = \"tag\"\n"
	withExemptions(t, settings, "", func(d *exempted) {
		for i, want := range []string{"PREPEND X-Policyd-Rdns: rule=strangers", "DUNNO", "PREPEND X-Policyd-Rdns: rule=strangers"} {
			req := policy.Request{
				Time: time.Now(), Client: netip.MustParseAddr("203.0.113.1"), HELO: "mail.example.org", State: "RCPT",
				Sender: "a@example.org", Recipient: "b@example.com", Instance: fmt.Sprint("message ", i/2),
			}
			reply, wait := d.Handle(t.Context(), &req)
			if wait != nil {
				reply = wait()
			}
			if !strings.HasPrefix(reply.String(), want) {
				t.Errorf("recipient %d: %s; want %s", i, reply, want)
			}
		}
		if got := d.counts(""); got != 3 {
			t.Errorf("%d decisions without a rule counted; want 3", got)
		}
	})
}

// TestInquire has what commands may ask, and who may not.
func TestInquire(t *testing.T) {
	withExemptions(t, "", "", func(d *exempted) {
		hash := d.current.Load().conf.Hash
		for _, tt := range []struct {
			query string
			asker postfix.Asker
			want  string
		}{
			{"hash", postfix.Owner, "[{hash " + hash + "}]"},
			{"hash", postfix.Network, "[{hash " + hash + "}]"},
			{"hash", postfix.Stranger, "[{error only root and the daemon's own user may ask here}]"},
			{"health", postfix.Stranger, "[{error only root and the daemon's own user may ask here}]"},
			{"past 192.0.2.1", postfix.Stranger, "[{error only root and the daemon's own user may ask here}]"},
			{"past 192.0.2.1", postfix.Network, "[{error over TCP only hash and health are told}]"},
			{"forget 192.0.2.1", postfix.Network, "[{error over TCP only hash and health are told}]"},
			{"forget", postfix.Stranger, "[{error only root and the daemon's own user may ask here}]"},
			{"", postfix.Network, "[{error over TCP only hash and health are told}]"},
			{"hash it", postfix.Owner, "[{error unknown query: want hash, health, past, correspondent or forget}]"},
		} {
			if got := fmt.Sprint(d.inquire(t.Context(), &postfix.Inquiry{Query: tt.query, Asker: tt.asker})); got != tt.want {
				t.Errorf("%q by %d: %s; want %s", tt.query, tt.asker, got, tt.want)
			}
		}
		if d.decisions.Load() != 0 {
			t.Error("it was taken for a decision")
		}
	})
}
