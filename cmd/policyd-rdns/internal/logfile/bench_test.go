package logfile

import (
	"bytes"
	"io"
	"testing"
)

// BenchmarkText reads text that is not compressed: what telling members from it costs.
func BenchmarkText(b *testing.B) {
	line := "Nov 23 09:00:00 mx postfix/smtpd[17]: NOQUEUE: reject: RCPT from unknown[203.0.113.10]: 450 4.7.25 (no name) <b@example.com>: Bounced 1\n"
	log := bytes.Repeat([]byte(line), 100_000)
	b.SetBytes(int64(len(log)))
	buf := make([]byte, 128<<10)
	for b.Loop() {
		r, err := NewLines(bytes.NewReader(log), "log")
		if err != nil {
			b.Fatal(err)
		}
		for n := 0; ; {
			m, err := r.Read(buf)
			if n += m; err == io.EOF && n == len(log) {
				break
			}
			if err != nil {
				b.Fatalf("%d bytes, %v; want %d", n, err, len(log))
			}
		}
	}
}
