package maillog_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/policy/journal"
)

// BenchmarkRead reads a log of accepted and refused mail, seven lines to two of
// them.
func BenchmarkRead(b *testing.B) {
	const messages = 20_000
	var log strings.Builder
	for i := range messages {
		line := func(text string, args ...any) {
			fmt.Fprintf(&log, "Nov 23 %02d:%02d:%02d mx postfix/"+text+"\n", append([]any{i / 3600 % 24, i / 60 % 60, i % 60}, args...)...)
		}
		ip := fmt.Sprintf("203.0.113.%d", i%256)
		line("smtpd[%d]: connect from mail.example.org[%s]", i%50+1, ip)
		line("smtpd[%d]: NOQUEUE: reject: RCPT from mail.example.org[%s]: 554 5.7.1 <b@example.com>: Relay access denied; from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<mail.example.org>", i%50+1, ip)
		line("smtpd[%d]: %X: client=mail.example.org[%s]", i%50+1, 0xA0000+i, ip)
		line("cleanup[9]: %X: message-id=<%d@example.org>", 0xA0000+i, i)
		line("qmgr[2]: %X: from=<a@example.org>, size=1024, nrcpt=1 (queue active)", 0xA0000+i)
		line("smtpd[%d]: disconnect from mail.example.org[%s] ehlo=1 mail=2 rcpt=1/2 data=1 quit=1 commands=6/7", i%50+1, ip)
		line("lmtp[8]: %X: to=<b@example.com>, relay=mx[private/lmtp], delay=0.5, dsn=2.0.0, status=sent (250 2.0.0 ok)", 0xA0000+i)
	}
	text := log.String()
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		n := 0
		in := maillog.Input{Modified: written}
		in.Input = journal.Input{Name: "log", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(text)), nil }}
		_, err := maillog.Read(b.Context(), &maillog.Reader{Inputs: []maillog.Input{in}}, func(*maillog.Attempt) error { n++; return nil })
		if err != nil || n != 2*messages {
			b.Fatalf("%d attempts, %v; want %d", n, err, 2*messages)
		}
	}
	b.ReportMetric(float64(7*messages*b.N)/b.Elapsed().Seconds(), "lines/s")
}
