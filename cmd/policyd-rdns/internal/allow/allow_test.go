package allow

import (
	"bytes"
	"context"
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// zone answers from maps; a name in fails is a temporary failure.
type zone struct {
	ptr   map[string]string // address → name
	addrs map[string]string // name → IPv4 address
	fails string
}

func (z zone) LookupPTR(_ context.Context, addr netip.Addr, _ resolver.Options) resolver.Answer {
	if name, ok := z.ptr[addr.String()]; ok {
		return resolver.Answer{Outcome: resolver.Found, Names: []string{name}}
	}
	return resolver.Answer{Outcome: resolver.None}
}

func (z zone) LookupAddrs(_ context.Context, network, name string, _ resolver.Options) resolver.Answer {
	if name == z.fails {
		return resolver.Answer{Outcome: resolver.TempError, Err: errors.New("SERVFAIL from 192.0.2.53:53")}
	}
	if addr, ok := z.addrs[name]; ok && network == "ip4" {
		return resolver.Answer{Outcome: resolver.Found, Addrs: []netip.Addr{netip.MustParseAddr(addr)}}
	}
	return resolver.Answer{Outcome: resolver.None}
}

var world = zone{
	ptr:   map[string]string{"192.0.2.1": "mail.example.org", "192.0.2.3": "other.example.org"},
	addrs: map[string]string{"mail.example.org": "192.0.2.1", "noptr.example.org": "192.0.2.2", "half.example.org": "192.0.2.3"},
	fails: "broken.example.org",
}

// log is one decision, by an exemption, of a client that proved a name.
func recorded(_ context.Context, each func(*journal.Record) bool) error {
	addr := netip.MustParseAddr("198.51.100.1")
	each(&journal.Record{
		Request:  policy.Request{Client: addr},
		Facts:    policy.Facts{PTR: resolver.Found, Names: []policy.Name{{Name: "seen.example.net", Valid: true, Forward: resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{addr}}}}},
		Decision: policy.Decision{Exempt: true, Rule: "allow 192.0.2.0/24, 2026-11-01"},
	})
	return nil
}

var now = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// command is one on a file, with what it says.
func command(t *testing.T, file, answer string) (*Command, *bytes.Buffer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "exempt.toml")
	if file != "" {
		if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	said := new(bytes.Buffer)
	return &Command{
		Config: &config.Config{ExemptFile: path}, Terminal: answer != "", Stdin: strings.NewReader(answer + "\n"),
		Stdout: said, Stderr: said, Now: now, DNS: world, Recorded: recorded,
	}, said
}

// TestAdd: what is said, and what is in the file afterwards.
func TestAdd(t *testing.T) {
	const one = "[[exempt]]\nwhen = { client = \"192.0.2.1\" }\nuntil = 2026-12-01\n"
	for _, tt := range []struct {
		what, file, subject string
		o                   Options
		answer              string
		says                string // or the error
		rules               int    // in force afterwards
	}{
		{"for good", "", "192.0.2.1", Options{}, "", "192.0.2.1 is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"for a while", "", "192.0.2.1", Options{For: "30d", Why: "ticket 4711"}, "", "192.0.2.1 is exempt until 2026-12-27 at 12:00 (UTC) (ticket 4711); a daemon of this configuration knows it within 5 seconds\n", 1},
		{"until a day", "", "2001:db8::/32", Options{Until: "2026-12-31"}, "", "2001:db8::/32 is exempt until the end of 2026-12-31 (UTC); a daemon of this configuration knows it within 5 seconds\n", 1},
		{"a confirmed name", "", "Mail.Example.Org", Options{}, "", "mail.example.org is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"a name of the log", "", "seen.example.net", Options{}, "", "seen.example.net is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"names of the log", "", ".example.net", Options{}, "", ".example.net is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"a name without a PTR", "", "noptr.example.org", Options{}, "", "noptr.example.org: resolves to 192.0.2.2, whose reverse DNS does not say so: the name cannot help; name the address instead: policyd-rdns allow 192.0.2.2", 0},
		{"a name that another has", "", "half.example.org", Options{}, "", "half.example.org: resolves to 192.0.2.3, whose reverse DNS does not say so: the name cannot help; name the address instead: policyd-rdns allow 192.0.2.3", 0},
		{"an unknown name", "", "gone.example.org", Options{}, "", "gone.example.org: no client is known to have such a confirmed name: the name cannot help; name the address instead: policyd-rdns allow ADDRESS", 0},
		{"a name that fails", "", "broken.example.org", Options{}, "", "broken.example.org: cannot be confirmed now: SERVFAIL from 192.0.2.53:53; name the address instead: policyd-rdns allow ADDRESS", 0},
		{"a sender", "", "user@example.org", Options{Sender: true}, "", "warning: anyone may claim to be user@example.org: whoever does is never refused for his reverse DNS\nuser@example.org is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"the null sender", "", "<>", Options{Sender: true}, "", "<>: every bounce has that sender, those of spammers too", 0},
		{"senders of strangers", "", ".com", Options{Sender: true}, "", ".com: refused: strangers have such addresses, and all of them would be exempt", 0},
		{"a user anywhere", "", "postmaster@", Options{Sender: true}, "", "postmaster@: refused: strangers have such addresses, and all of them would be exempt", 0},
		{"no ASCII", "", "m\u00fcller@example.org", Options{Sender: true}, "", "warning: anyone may claim to be m\u00fcller@example.org: whoever does is never refused for his reverse DNS\nm\u00fcller@example.org is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"the reason stays", one + "why = \"ticket 1\"\n", "192.0.2.1", Options{For: "1d"}, "", "192.0.2.1 is exempt until 2026-11-28 at 12:00 (UTC) (ticket 1); a daemon of this configuration knows it within 5 seconds\n", 1},
		{"the world", "", "0.0.0.0/0", Options{}, "", "0.0.0.0/0: refused: a large part of the public Internet: its hosts are exempt", 0},
		{"all of IPv6", "", "2000::/3", Options{}, "", "2000::/3: refused: a large part of the public Internet: its hosts are exempt", 0},
		{"all names", "", ".com", Options{}, "", ".com: refused: a public suffix: strangers have names under it, and all of them are exempt", 0},
		{"a wrong network", "", "192.0.2.1/24", Options{}, "", `"192.0.2.1/24": bits set beyond the prefix; the network is 192.0.2.0/24`, 0},
		{"a wrong duration", "", "192.0.2.1", Options{For: "30"}, "", `--for "30": want a duration such as 30d or 12h`, 0},
		{"none", "", "192.0.2.1", Options{For: "-1h"}, "", `--for "-1h": want a duration such as 30d or 12h`, 0},
		{"two ends", "", "192.0.2.1", Options{For: "1h", Until: "2026-12-31"}, "", "--for and --until: want one of them", 0},
		{"an end that is over", "", "192.0.2.1", Options{Until: "2026-11-26"}, "", "--until 2026-11-26: that is over", 0},
		{"a wrong end", "", "192.0.2.1", Options{Until: "tomorrow"}, "", `--until "tomorrow": want a date such as 2027-03-31, or a time with its offset such as 2027-03-31T18:00:00Z`, 0},
		{"a why of two lines", "", "192.0.2.1", Options{Why: "a\nb"}, "", "--why: want at most 300 printable ASCII characters", 0},
		{"shorter than it was", one, "192.0.2.1", Options{For: "1d"}, "", "192.0.2.1 is exempt until 2026-11-28 at 12:00 (UTC); a daemon of this configuration knows it within 5 seconds\n", 1},
		{"longer, nobody to ask", one, "192.0.2.1", Options{For: "30d"}, "", "192.0.2.1 is exempt until the end of 2026-12-01 (UTC) already; with --yes it is done", 1},
		{"longer, with --yes", one, "192.0.2.1", Options{For: "30d", Yes: true}, "", "192.0.2.1 is exempt until 2026-12-27 at 12:00 (UTC); a daemon of this configuration knows it within 5 seconds\n", 1},
		{"longer, yes", one, "192.0.2.1", Options{}, "yes", "192.0.2.1 is exempt until the end of 2026-12-01 (UTC) already. Do it? [y/N] 192.0.2.1 is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"longer, no", one, "192.0.2.1", Options{}, "no", "nothing was changed", 1},
		{"more, nobody to ask", one, "192.0.2.0/24", Options{For: "1h"}, "", "192.0.2.0/24 is more than 192.0.2.1, which is exempt until the end of 2026-12-01 (UTC); with --yes it is done", 1},
		{"more senders, nobody to ask", "[[exempt]]\nwhen = { sender = \"user@example.org\" }\n", "example.org", Options{Sender: true}, "", "example.org is more than user@example.org, which is exempt for good; with --yes it is done", 1},
		{"the same sender in capitals", "[[exempt]]\nwhen = { sender = \"User@example.org\" }\nuntil = \"2026-12-01\"\n", "user@EXAMPLE.org", Options{Sender: true, For: "30d"}, "", "user@example.org is exempt until the end of 2026-12-01 (UTC) already; with --yes it is done", 1},
		{"more, with --yes", one, "192.0.2.0/24", Options{For: "1h", Yes: true}, "", "192.0.2.0/24 is exempt until 2026-11-27 at 13:00 (UTC); a daemon of this configuration knows it within 5 seconds\n", 2},
		{"longer than what has ended", strings.Replace(one, "2026-12-01", "2026-11-01", 1), "192.0.2.1", Options{}, "", "192.0.2.1 is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"what ended long ago goes", strings.Replace(one, "2026-12-01", "2026-10-01", 1), "192.0.2.9", Options{}, "", "192.0.2.9 is exempt for good; a daemon of this configuration knows it within 5 seconds\n", 1},
		{"a damaged file", "[[exempt", "192.0.2.9", Options{}, "", "not TOML", -1},
	} {
		c, said := command(t, tt.file, tt.answer)
		err := c.Add(t.Context(), tt.subject, &tt.o)
		got := said.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.Contains(got, tt.says) || len(got) > len(tt.says) && tt.rules >= 0 {
			t.Errorf("%s: %s; want %s", tt.what, got, tt.says)
		}
		l, err := exempt.Read(c.Config.ExemptFile)
		if tt.rules < 0 {
			continue
		}
		if err != nil || len(l.Rules) != tt.rules {
			t.Errorf("%s: %d exemptions, %v; want %d", tt.what, len(l.Rules), err, tt.rules)
		}
	}
}

// TestNoFile tells which line is missing.
func TestNoFile(t *testing.T) {
	c, _ := command(t, "", "")
	c.Config = &config.Config{Path: "/etc/policyd-rdns/config.toml"}
	const want = "there is no file for exemptions: add this line to /etc/policyd-rdns/config.toml, above the first [table]:\n  exempt_file = \"/etc/policyd-rdns/exempt.toml\""
	for _, err := range []error{c.Add(t.Context(), "192.0.2.1", &Options{}), c.Remove("192.0.2.1"), c.List(t.Context())} {
		if err == nil || err.Error() != want {
			t.Errorf("%v; want %s", err, want)
		}
	}
}

// TestRemove takes out by subject or name, and says what else there is.
func TestRemove(t *testing.T) {
	const file = `[[exempt]]
name = "allow 192.0.2.0/24, 2026-11-01"
when = { client = "192.0.2.0/24" }
[[exempt]]
name = "by hand"
when = { ptr_name = "mail.example.org", sender = "user@example.org" }
[[exempt]]
when = { sender = "user@example.org" }
[[exempt]]
when = { client = "198.51.100.9" }
[[exempt]]
when = { client = "198.51.100.8/29" }
`
	for _, tt := range []struct{ subject, says string }{
		{"192.0.2.0/24", "the exemption of 192.0.2.0/24 is gone; a daemon of this configuration knows it within 5 seconds\n"},
		{"by hand", "the exemption of by hand is gone; a daemon of this configuration knows it within 5 seconds\n"},
		{"198.51.100.9", "the exemption of 198.51.100.9 is gone, but it is exempt by 198.51.100.8/29 still; a daemon of this configuration knows it within 5 seconds\n"},
		{"user@example.org", "the exemption of user@example.org is gone; a daemon of this configuration knows it within 5 seconds\n"},
		{"192.0.2.1", "192.0.2.1 is exempt by 192.0.2.0/24 alone; to take that out: policyd-rdns allow --remove 192.0.2.0/24"},
		{"198.51.100.1", "198.51.100.1 has no exemption in "},
		{"mail.example.org", "mail.example.org has no exemption in "},
	} {
		c, said := command(t, file, "")
		err := c.Remove(tt.subject)
		got := said.String()
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, tt.says) {
			t.Errorf("Remove(%s): %s; want %s", tt.subject, got, tt.says)
		}
	}
}

func TestListed(t *testing.T) {
	c, said := command(t, `[[exempt]]
name = "allow 192.0.2.0/24, 2026-11-01"
when = { client = "192.0.2.0/24" }
why  = "ticket 4711"
[[exempt]]
when = { ptr_name = "mail.example.org", sender = "user@example.org" }
until = 2026-11-20
[[exempt]]
when = { client = "192.0.2.1" }
until = 2026-12-27T12:00:00Z
`, "")
	const want = `WHO                                                              SINCE       UNTIL               USED  WHY
192.0.2.0/24                                                     2026-11-01  for good            1     ticket 4711
when = { ptr_name = "mail.example.org", sender = "user@examp...  -           2026-11-20 (ended)  0     -
192.0.2.1                                                        -           2026-12-27 12:00    0     -
`
	if err := c.List(t.Context()); err != nil || said.String() != want {
		t.Errorf("%v, got\n%s; want\n%s", err, said, want)
	}
	c, said = command(t, "", "")
	if err := c.List(t.Context()); err != nil || said.String() != "no exemptions in "+c.Config.ExemptFile+"\n" {
		t.Errorf("%v, %q", err, said)
	}
}
