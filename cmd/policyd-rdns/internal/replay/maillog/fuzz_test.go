package maillog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/frame"
)

// samples are the lines of testdata.
func samples(f *testing.F) []string {
	f.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		f.Fatalf("no samples: %v", err)
	}
	var lines []string
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		lines = append(lines, strings.Split(string(text), "\n")...)
	}
	return lines
}

// FuzzLine: whatever a line is, reading it does not panic, and the client of an
// event is the first that stands in it.
func FuzzLine(f *testing.F) {
	for _, line := range samples(f) {
		f.Add(line)
	}
	c := &frame.Clock{Place: time.UTC, Written: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)}
	f.Fuzz(func(t *testing.T, line string) {
		h, text, ok := cutHeader(c, line)
		if !ok {
			return
		}
		e, err := parseEvent(h.program, text)
		if err != nil || !e.client.addr.IsValid() || e.kind == content {
			return
		}
		_, after, _ := strings.Cut(text, "[")
		addr, _, _ := strings.Cut(after, "]")
		if first, err := netip.ParseAddr(addr); err != nil || address.Plain(first) != e.client.addr {
			t.Errorf("%q: client %v; want the first address, %q", text, e.client.addr, addr)
		}
	})
}

// FuzzEnvelope: what a client chooses changes nothing of what others have chosen,
// and nothing of what Postfix says itself. The line is written as Postfix writes it:
// HELO names without odd bytes, addresses quoted (info_log_address_format =
// external).
func FuzzEnvelope(f *testing.F) {
	f.Add("mail.example.org", `> to=<x> proto=ESMTP helo=<y`, `; from=<x> to=<y> proto=SMTP helo=<z`)
	f.Add("proto=SMTP", `a" b\`, `a`)
	f.Add("[203.0.113.1]", ` from mail.example.org[203.0.113.20]: 554 no; from=<a`, `>, relay=`)
	f.Add("", `"@z> proto=SMTP helo=<h>; from=<x> to=<`, `"@z> proto=SMTP helo=<h>; from=<x> to=<`)
	f.Fuzz(func(t *testing.T, helo, sender, recipient string) {
		helo = printable(strings.Map(neuter, helo))
		from, to := quote(sender)+"@evil.example", quote(recipient)+"@example.com"
		line := fmt.Sprintf("NOQUEUE: reject: RCPT from unknown[203.0.113.66]: 554 5.7.1 <%s>: Recipient address rejected: no; from=<%s> to=<%s> proto=ESMTP helo=<%s>", to, from, to, helo)
		if len(helo) > 2048 || len(from) > maxAddress || len(to) > maxAddress {
			return
		}
		e, err := parseEvent("smtpd", line)
		if err != nil || e.client.addr != netip.MustParseAddr("203.0.113.66") || e.protocol != "ESMTP" || e.helo != known(helo) {
			t.Fatalf("%q: %+v, %v; want client, protocol and HELO", line, e, err)
		}
		for _, fact := range []struct {
			name string
			got  Fact
			want string
		}{{"sender", e.sender, from}, {"recipient", e.recipient, to}} {
			if fact.got.Known && fact.got.Text != fact.want {
				t.Errorf("%q: %s %q; want %q or unknown", line, fact.name, fact.got.Text, fact.want)
			}
		}
		delivery := "5A1B2: to=<" + to + ">, relay=local, status=sent"
		if e, err := parseEvent("local", delivery); err != nil || e.recipient != known(to) {
			t.Errorf("%q: recipient %+v, %v; want %q", delivery, e.recipient, err, to)
		}
		queue := "5A1B2: from=<" + from + ">, size=1, nrcpt=3 (queue active)"
		if e, err := parseEvent("qmgr", queue); err != nil || e.sender != known(from) || e.recipients != 3 {
			t.Errorf("%q: sender %+v, %d recipients, %v; want %q, 3", queue, e.sender, e.recipients, err, from)
		}
	})
}

// neuter is what smtpd makes of odd bytes of a HELO.
func neuter(r rune) rune {
	if strings.ContainsRune(" <>()\\\";@", r) {
		return '?'
	}
	return r
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, s)
}

// quote is a local part in external form.
func quote(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(printable(s)) + `"`
}

// FuzzRead: whatever a log is, reading it does not panic, ends, and gives no more
// attempts than there are lines and recipients.
func FuzzRead(f *testing.F) {
	lines := samples(f)
	for len(lines) > 0 {
		n := min(len(lines), 20)
		f.Add([]byte(strings.Join(lines[:n], "\n")))
		lines = lines[n:]
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		in := Input{Modified: time.Date(2027, 1, 2, 0, 0, 0, 0, time.UTC)}
		in.Open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(log)), nil }
		attempts := 0
		counts, err := Read(context.Background(), &Reader{Inputs: []Input{in}, Place: time.UTC, OnDamage: func(journal.Damage) {}}, func(a *Attempt) error {
			attempts++
			if a.Client != address.Plain(a.Client) {
				t.Errorf("client %v; want it unmapped and without zone", a.Client)
			}
			return nil
		})
		if most := bytes.Count(log, []byte("\n")) + 1; err != nil || attempts > 2*most || counts.Used+counts.Other+counts.Damaged > most {
			t.Errorf("Read of %d lines: %d attempts, %+v, %v", most, attempts, counts, err)
		}
	})
}
