package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
)

// startServer serves a DNS world until the test ends, and gives its address.
func startServer(t *testing.T, zone string) (server string) {
	t.Helper()
	server, _ = testbed.StartWorld(t, zone)
	return server
}

// mailWriter writes what Postfix logs.
type mailWriter struct {
	strings.Builder
	at     time.Time
	random *rand.Rand
	id     int
}

func (w *mailWriter) line(program, format string, args ...any) {
	fmt.Fprintf(w, "%s mx postfix/%s: %s\n", w.at.Format(time.RFC3339), program, fmt.Sprintf(format, args...))
}

// session writes a session of a client with one message, as Postfix logs it: of
// some the HELO is shown, some are refused for reasons of Postfix's own.
func (w *mailWriter) session(c *week.Client) {
	w.at = w.at.Add(time.Duration(w.random.IntN(600)) * time.Second)
	peer := fmt.Sprintf("unknown[%s]", c.Addr)
	from := "<>"
	if domain := c.Froms[w.random.IntN(len(c.Froms))]; domain != "<>" {
		from = "<user@" + domain + ">"
	}
	helo := strings.Map(func(r rune) rune {
		if r <= ' ' || r > '~' || strings.ContainsRune(`<>()\";@`, r) {
			return '?'
		}
		return r
	}, c.HELOs[w.random.IntN(len(c.HELOs))])
	envelope := fmt.Sprintf("from=%s to=<user@example.com> proto=ESMTP helo=<%s>", from, helo)
	w.line("smtpd[7]", "connect from %s", peer)
	defer w.line("smtpd[7]", "disconnect from %s ehlo=1 mail=1 rcpt=1 data=1 quit=1 commands=5", peer)
	switch w.random.IntN(6) {
	case 0:
		w.line("smtpd[7]", "NOQUEUE: reject: RCPT from %s: 554 5.7.1 Service unavailable; Client host [%s] blocked using dnsbl.example.net; %s", peer, c.Addr, envelope)
		return
	case 1:
		w.line("smtpd[7]", "NOQUEUE: reject: RCPT from %s: 450 4.2.0 <user@example.com>: Recipient address rejected: Greylisted; %s", peer, envelope)
		return
	case 2, 3:
		w.line("smtpd[7]", "NOQUEUE: info: RCPT from %s: <user@example.com>: Recipient address triggers INFO seen; %s", peer, envelope)
	}
	w.id++
	id := fmt.Sprintf("%010X", w.id)
	login := ""
	if c.Login {
		login = ", sasl_method=PLAIN, sasl_username=user"
	}
	w.line("smtpd[7]", "%s: client=%s%s", id, peer, login)
	w.line("cleanup[8]", "%s: message-id=<%s@example.org>", id, id)
	n := 1 + w.random.IntN(c.Recipients)
	w.line("qmgr[2]", "%s: from=%s, size=1024, nrcpt=%d (queue active)", id, from, n)
	for i := range n {
		w.line("lmtp[9]", "%s: to=<user%d@example.com>, relay=mx[private/lmtp], delay=0.1, dsn=2.0.0, status=sent (250 ok)", id, i)
	}
	w.line("qmgr[2]", "%s: removed", id)
}

// mailWeek is the log of a week of the clients of [week.Clients], and their DNS without
// what would only take time.
func mailWeek() (log, zone string) {
	all, zone := week.Clients()
	zone = regexp.MustCompile(`(?m)^!(delay|drop) .*\n`).ReplaceAllString(zone, "")
	w := mailWriter{at: week.Begins, random: rand.New(rand.NewPCG(8, 9))}
	for range 2 {
		for i := range all {
			w.session(&all[i])
		}
	}
	return w.String(), zone
}

// mailConfig is the configuration that the mail of the week is judged under.
func mailConfig(server string) string {
	return fmt.Sprintf("[server]\nnetworks = [\"198.51.100.192/28\"]\n[resolver]\nservers = [%q]\n", server)
}

// withRules puts rules behind a configuration, and what has to stand before its tables
// before it.
func withRules(config, rules string) string {
	if own, ok := strings.CutPrefix(rules, "default_rules = false\n"); ok {
		return "default_rules = false\n" + config + own
	}
	return config + rules
}

// TestReplayPostfix judges the mail of a week.
func TestReplayPostfix(t *testing.T) {
	text, zone := mailWeek()
	server := startServer(t, zone)
	log := filepath.Join(t.TempDir(), "mail.log")
	writeFile(t, log, text)
	noName := "default_rules = false\n[[rule]]\nname = \"no name\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\n"
	tests := []struct {
		golden string
		config string
		args   string
		status int
	}{
		{"builtin", "", "", 0},
		{"list", "", "--list --top 3", 0},
		{"no-name", noName, "--fail-on newly-rejected", 1},
		{"json", noName, "--json --fail-on newly-deferred", 0},
	}
	for _, test := range tests {
		config := testbed.TempFile(t, "new.toml", withRules(mailConfig(server), test.config))
		args := append([]string{"replay", "--postfix", "--utc", "--rate", "1000", "-c", config, log}, strings.Fields(test.args)...)
		status, stdout, stderr := call("", args...)
		if status != test.status || stderr != "" {
			t.Errorf("replay --postfix of %s = %d, %q; want %d", test.golden, status, stderr, test.status)
		}
		stdout = regexp.MustCompile(`[^" ]*/new\.toml \([0-9a-f]+\)`).ReplaceAllString(stdout, "new.toml")
		stdout = regexp.MustCompile(`"config":"[0-9a-f]+",`).ReplaceAllString(stdout, "")
		compareGolden(t, filepath.Join("testdata/maillog", test.golden+".txt"), strings.ReplaceAll(stdout, server, "192.0.2.53:53"))
	}
}

// accepted is the log of a message that was accepted.
func accepted(id, client, more string) string {
	return fmt.Sprintf(`2026-11-23T09:00:00Z mx postfix/smtpd[7]: %[1]s: client=%[2]s%[3]s
2026-11-23T09:00:00Z mx postfix/qmgr[2]: %[1]s: from=<user@example.org>, size=1024, nrcpt=1 (queue active)
2026-11-23T09:00:00Z mx postfix/lmtp[9]: %[1]s: to=<user@example.com>, relay=mx[private/lmtp], delay=0.1, dsn=2.0.0, status=sent (250 ok)
`, id, client, more)
}

// TestReplayPostfixUnknown: what the log or the DNS does not tell is not held
// against anybody, and not for him either.
func TestReplayPostfixUnknown(t *testing.T) {
	server := startServer(t, `
20.113.0.203.in-addr.arpa. PTR mail.example.org.
mail.example.org. A 203.0.113.20
13.113.0.203.in-addr.arpa. PTR ip-203-0-113-13.provider.example.
ip-203-0-113-13.provider.example. A 203.0.113.13
!servfail 50.113.0.203.in-addr.arpa
`)
	const greets = "2026-11-23T09:00:00Z mx postfix/smtpd[7]: 5A1B2: permit: RCPT from unknown[203.0.113.13]: action=permit for Client host=unknown[203.0.113.13]; from=<user@example.org> to=<user@example.com> proto=ESMTP helo=<%s>\n"
	helo := func(helo string) string {
		lines := strings.SplitAfterN(accepted("5A1B2", "unknown[203.0.113.13]", ""), "\n", 2)
		return lines[0] + fmt.Sprintf(greets, helo) + lines[1]
	}
	tests := []struct {
		name, log, rules, args string
		want                   string // a line of the output, blanks folded
	}{
		{"no name: refused whatever it says HELO with", accepted("5A1B2", "unknown[203.0.113.10]", ""), "", "", "reject 0 1 +1"},
		{"a good name, but who knows the HELO", accepted("5A1B2", "unknown[203.0.113.20]", ""), "", "", `1 dunno, unless decided by "HELO is our name" or "HELO is a bare address"`},
		{"a generic name", accepted("5A1B2", "unknown[203.0.113.13]", ""), "", "", `1 dunno, unless decided by "HELO is our name" or "HELO is a bare address" or "HELO is another address" or "generic name, foreign HELO"`},
		{"with a HELO that is not its own", helo("mail.example.net"), "", "", "reject 0 1 +1"},
		{"with its own", helo("ip-203-0-113-13.provider.example"), "", "", "nothing changes"},
		{"the DNS could not say", accepted("5A1B2", "unknown[203.0.113.50]", ""), "", "", "1 the DNS could not say"},
		{"a user", accepted("5A1B2", "unknown[203.0.113.10]", ", sasl_method=PLAIN, sasl_username=user"), "", "", "nothing changes"},
		{"our own network", accepted("5A1B2", "unknown[203.0.113.10]", ""), "", "--networks 203.0.113.8/29", "nothing changes"},
		{"the loopback", accepted("5A1B2", "localhost[127.0.0.1]", ""), "", "", "nothing changes"},
		{"no address", accepted("5A1B2", "unknown[unknown]", ""), "", "", "nothing changes"},
		{"an exemption by what is not logged", accepted("5A1B2", "unknown[203.0.113.10]", ""), "[[rule]]\nname = \"x\"\nwhen = { ptr = \"none\" }\nunless = { context = \"y\" }\naction = \"reject\"\n", "", `1 dunno, unless decided by "x"`},
		{"an exemption that may not hold", accepted("5A1B2", "unknown[203.0.113.10]", ""), "[[rule]]\nname = \"x\"\nwhen = { ptr = \"none\" }\nunless = { context = \"y\", client = \"198.51.100.0/24\" }\naction = \"reject\"\n", "", "reject 0 1 +1"},
		{"an exemption by the HELO", accepted("5A1B2", "unknown[203.0.113.10]", ""), "[[rule]]\nname = \"w\"\nwhen = { helo_is = \"mail.example.org\" }\naction = \"dunno\"\n[[rule]]\nname = \"x\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\n", "", `1 reject, unless decided by "w"`},
		{"a day that is not logged", strings.ReplaceAll(accepted("5A1B2", "unknown[203.0.113.10]", ""), "2026-11-23T09:00:00Z mx ", ""), "[[rule]]\nname = \"w\"\nwhen = { until = 2026-12-31 }\naction = \"dunno\"\n[[rule]]\nname = \"x\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\n", "", `1 reject, unless decided by "w"`},
		{"what Postfix has refused stays so", "2026-11-23T09:00:00Z mx postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[203.0.113.10]: 554 5.7.1 no; from=<> to=<user@example.com> proto=ESMTP helo=<x>\n", "", "", "reject 1 1"},
		{"mail from a filter", accepted("5A1B1", "unknown[203.0.113.20]", "") + accepted("5A1B2", "localhost[127.0.0.1]", ", orig_client=unknown[203.0.113.20]"), "[[rule]]\nname = \"x\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\n", "", "left out: 0 of messages that came to no end, 1 that came back from a content filter"},
		{"news: no name", accepted("5A1B2", "unknown[203.0.113.10]", ""), "", "", "Of 1 client whose mail was accepted, 1 would be refused for their reverse DNS."},
		{"news: a good name", accepted("5A1B2", "unknown[203.0.113.20]", ""), "", "", "For 1 it depends on the HELO, which the log does not tell; the reverse DNS of 1 is well."},
		{"news: a generic name", accepted("5A1B2", "unknown[203.0.113.13]", ""), "", "", "For 1 it depends on the HELO, which the log does not tell."},
		{"news: refused for its HELO alone", helo("203.0.113.13"), "", "", "1 would be refused for another reason."},
		{"news: refused for both", helo("mail.example.net"), "", "", "Of 1 client whose mail was accepted, 1 would be refused for their reverse DNS."},
		{"news: well", helo("ip-203-0-113-13.provider.example"), "", "", "1 would pass as before."},
		{"news: a user", accepted("5A1B2", "unknown[203.0.113.10]", ", sasl_method=PLAIN, sasl_username=user"), "", "", "1 would pass as before."},
		{"news: the DNS could not say", accepted("5A1B2", "unknown[203.0.113.50]", ""), "", "", "1 cannot be told: the DNS could not say today."},
		{"news: what else is not logged", helo("ip-203-0-113-13.provider.example"), "[[rule]]\nname = \"x\"\nwhen = { client = \"203.0.113.13\" }\nunless = { context = \"y\" }\naction = \"reject\"\n", "", "1 cannot be told: the log does not say what the rules ask for."},
		{"news: the worst of a client counts", accepted("5A1B2", "unknown[203.0.113.10]", ", sasl_method=PLAIN, sasl_username=user") + accepted("5A1B3", "unknown[203.0.113.10]", ""), "", "", "Of 1 client whose mail was accepted, 1 would be refused for their reverse DNS."},
	}
	for _, test := range tests {
		config := testbed.TempFile(t, "new.toml", fmt.Sprintf("default_rules = %v\n[resolver]\nservers = [%q]\n%s", test.rules == "", server, test.rules))
		args := append([]string{"replay", "--postfix", "--rate", "1000", "-c", config}, strings.Fields(test.args)...)
		status, stdout, stderr := call(test.log, append(args, "-")...)
		folded := regexp.MustCompile(`\n +`).ReplaceAllString(regexp.MustCompile(` +`).ReplaceAllString(stdout, " "), "\n")
		if status != 0 || stderr != "" || !strings.Contains("\n"+folded, "\n"+test.want+"\n") {
			t.Errorf("%s: replay --postfix = %d, %q,\n%s; want 0 and a line %q", test.name, status, stderr, stdout, test.want)
		}
	}
}

// TestReplayPostfixAgainst compares two files.
func TestReplayPostfixAgainst(t *testing.T) {
	server := startServer(t, "20.113.0.203.in-addr.arpa. PTR mail.example.org.\n")
	rule := "[[rule]]\nname = \"no name\"\nwhen = { ptr = \"none\" }\naction = \"reject\"\n"
	strict := testbed.TempFile(t, "strict.toml", fmt.Sprintf("[resolver]\nservers = [%q]\n", server)+rule)
	lax := testbed.TempFile(t, "lax.toml", fmt.Sprintf("[resolver]\nservers = [%q]\n", server)+strings.Replace(rule, "reject", "dunno", 1))
	log := accepted("5A1B2", "unknown[203.0.113.10]", "")
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"-c", strict, "--against", lax, "--fail-on", "newly-rejected"}, 1, "newly rejected: 1 message"},
		{[]string{"-c", lax, "--against", strict, "--fail-on", "newly-rejected"}, 0, "no longer rejected: 1 message"},
		{[]string{"-c", strict, "--against", strict}, 0, "nothing changes"},
	} {
		status, stdout, stderr := call(log, append([]string{"replay", "--postfix", "-"}, test.args...)...)
		if status != test.status || stderr != "" || !strings.Contains(stdout, "\n"+test.want) {
			t.Errorf("replay --postfix %q = %d, %q,\n%s; want %d, %q", test.args, status, stderr, stdout, test.status, test.want)
		}
	}
}

// TestReplayPostfixOutage: a DNS that stops answering in the middle refuses nobody;
// what it has said before counts.
func TestReplayPostfixOutage(t *testing.T) {
	server := startServer(t, "!drop *.0.203.in-addr.arpa\n")
	config := testbed.TempFile(t, "new.toml", fmt.Sprintf("[server]\ndeadline = \"200ms\"\n[resolver]\ntimeout = \"100ms\"\nservers = [%q]\n", server))
	var log strings.Builder
	const before, after = 3, 40
	for i := range before {
		log.WriteString(accepted(fmt.Sprintf("A%05X", i), fmt.Sprintf("unknown[198.51.100.%d]", i), ""))
	}
	for i := range after {
		log.WriteString(accepted(fmt.Sprintf("B%05X", i), fmt.Sprintf("unknown[203.0.%d.10]", i), ""))
	}
	status, stdout, stderr := call(log.String(), "replay", "--postfix", "--rate", "200", "-c", config, "--fail-on", "newly-deferred", "-")
	for _, want := range []string{
		fmt.Sprintf("for %d recipients the DNS could not say", after),
		fmt.Sprintf("\nnewly rejected: %d messages, %[1]d decisions\n", before),
		fmt.Sprintf("\nundecided: %d messages, %[1]d decisions", after),
	} {
		if status != 0 || stderr != "" || !strings.Contains(stdout, want) {
			t.Errorf("replay --postfix in an outage = %d, %q,\n%s; want %q", status, stderr, stdout, want)
		}
	}
}

func TestReplayPostfixUsage(t *testing.T) {
	tests := []struct{ args, want string }{
		{"replay --rate 5 -", "--rate goes with --postfix"},
		{"replay --networks 192.0.2.0/24 -", "--networks goes with --postfix"},
		{"replay --timezone UTC -", "--timezone goes with --postfix"},
		{"replay --postfix --rate 0 -", "--rate 0: want 1 to 1000"},
		{"replay --postfix --timezone Nowhere/Else -", `--timezone "Nowhere/Else": want a name such as Europe/Berlin or UTC`},
		{"replay --postfix --networks x -", `--networks "x"`},
	}
	for _, test := range tests {
		status, _, stderr := call("", strings.Fields(test.args)...)
		if status != 2 || !strings.Contains(stderr, test.want) {
			t.Errorf("%s = %d, %q; want 2, %q", test.args, status, stderr, test.want)
		}
	}
	status, _, stderr := call("time=x msg=decision\n", "replay", "--postfix", "-")
	if status != 1 || !strings.Contains(stderr, "no mail found in 1 lines") {
		t.Errorf("replay --postfix of another log = %d, %q; want 1, no mail", status, stderr)
	}
}

// TestReplayPostfixFiles reads rotated files: compressed, in any order, their year
// told by when they were written.
func TestReplayPostfixFiles(t *testing.T) {
	dir := t.TempDir()
	config := testbed.TempFile(t, "new.toml", "[resolver]\nservers = [\""+startServer(t, "$TTL 60\n")+"\"]\n")
	traditional := func(id, at string) string {
		return strings.ReplaceAll(accepted(id, "unknown[203.0.113.10]", ""), "2026-11-23T09:00:00Z", at)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(traditional("5A1B2", "Dec 31 23:59:59"))); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	files := []struct {
		name, text string
		written    time.Time
	}{
		{"mail.log", traditional("5A1B3", "Jan  1 00:00:01"), time.Date(2025, 1, 1, 9, 0, 0, 0, time.UTC)},
		{"mail.log.1.gz", zipped.String(), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)},
	}
	args := []string{"replay", "--postfix", "--utc", "--timezone", "UTC", "-c", config}
	for _, f := range files {
		path := filepath.Join(dir, f.name)
		writeFile(t, path, f.text)
		if err := os.Chtimes(path, f.written, f.written); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	status, stdout, stderr := call("", args...)
	const want = "Of 1 client whose mail was accepted, 1 would be refused for their reverse DNS.\n\n2 decisions about 2 messages, 2024-12-31 23:59 to 2025-01-01 00:00\n"
	if status != 0 || stderr != "" || !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, "DNS:        1 client looked up") {
		t.Errorf("replay --postfix of rotated files = %d, %q,\n%s; want %s and one client looked up", status, stderr, stdout, want)
	}
}
