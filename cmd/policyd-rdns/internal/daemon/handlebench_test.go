package daemon

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"sync"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver/world"
)

// handleZone has a client of each sort that the benchmarks ask about.
const handleZone = `
$TTL 3600
20.113.0.203.in-addr.arpa. PTR mail.example.com.
mail.example.com.          A   203.0.113.20
mx.example.org.            A   203.0.113.20
13.113.0.203.in-addr.arpa. PTR ip-203-0-113-13.dyn.example.net.
ip-203-0-113-13.dyn.example.net. A 203.0.113.13
`

// handleCases are the clients, and what becomes of them.
var handleCases = []struct{ name, client, helo, reply string }{
	{"named", "203.0.113.20", "mail.example.com", "action=DUNNO\n\n"},
	{"other", "203.0.113.20", "mx.example.org", "action=DUNNO\n\n"},
	{"literal", "203.0.113.20", "[203.0.113.20]", "action=DUNNO\n\n"},
	{"generic", "203.0.113.13", "desk.example.org", "action=550 5.7.1 your server [203.0.113.13] has the generic"},
	{"nameless", "203.0.113.10", "mail.example.org", "action=550 5.7.1 your server [203.0.113.10] has no valid"},
}

// postfixRequest is what Postfix 3.9 sends at RCPT.
func postfixRequest(client, helo string) string {
	return "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\nhelo_name=" + helo +
		"\nqueue_id=\nsender=sender@example.org\nrecipient=user@example.com\nrecipient_count=0\nclient_address=" + client +
		"\nclient_name=mail.example.com\nreverse_client_name=mail.example.com\ninstance=7d2.65f00000.0\nsasl_method=\nsasl_username=\n" +
		"sasl_sender=\nsize=24613\nccert_subject=\nccert_issuer=\nccert_fingerprint=\nccert_pubkey_fingerprint=\n" +
		"encryption_protocol=TLSv1.3\nencryption_cipher=TLS_AES_256_GCM_SHA384\nencryption_keysize=256\netrn_domain=\nstress=\n" +
		"client_port=40722\npolicy_context=\nserver_address=203.0.113.25\nserver_port=25\ncompatibility_level=3.9\nmail_version=3.9.1\n\n"
}

// handling is a daemon that is called without sockets between: a request's way
// from its bytes to the bytes of the reply.
type handling struct {
	*Daemon
	requests *postfix.Reader
	request  policy.Request
	reply    []byte
}

// newHandling makes one that has the answers about its client cached. It logs to
// a file.
func newHandling(tb testing.TB, client, helo string) *handling {
	tb.Helper()
	w, err := world.Parse(handleZone)
	if err != nil {
		tb.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		tb.Fatal(err)
	}
	conf, err := config.Parse("", nil)
	if err != nil {
		tb.Fatal(err)
	}
	conf.Resolver.Servers = []netip.AddrPort{pc.LocalAddr().(*net.UDPAddr).AddrPort()}
	conf.Log.File = filepath.Join(tb.TempDir(), "decisions.log")
	decisions := logwriter.New(io.Discard, nil) // faster than a disk, it may lose lines
	d, err := New(conf, Options{Log: slog.New(slog.DiscardHandler), Decisions: decisions})
	if err != nil {
		tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.Serve(ctx, pc, l) })
	tb.Cleanup(func() {
		d.Close()
		closeLog(decisions)
		stop()
		serving.Wait()
	})
	h := &handling{Daemon: d, requests: postfix.NewReader(again(postfixRequest(client, helo)), nil)}
	h.once(tb) // asks the DNS
	return h
}

// once handles one request.
func (h *handling) once(tb testing.TB) {
	if err := h.requests.ReadRequest(&h.request); err != nil {
		tb.Fatal(err)
	}
	h.reply = h.answer(tb.Context(), &h.request).Append(h.reply[:0])
}

// answer handles one request, and waits for what it takes.
func (d *Daemon) answer(ctx context.Context, req *policy.Request) postfix.Reply {
	reply, wait := d.Handle(ctx, req)
	if wait != nil {
		return wait()
	}
	return reply
}

// again is the same request again and again, one a read, as Postfix sends them.
type again string

func (a again) Read(p []byte) (int, error) { return copy(p, a), nil }

// BenchmarkHandle is the whole way of a request whose answers are cached, but for
// the sockets.
func BenchmarkHandle(b *testing.B) {
	for _, c := range handleCases {
		b.Run(c.name, func(b *testing.B) {
			h := newHandling(b, c.client, c.helo)
			b.ReportAllocs()
			for b.Loop() {
				h.once(b)
			}
			if !bytes.HasPrefix(h.reply, []byte(c.reply)) {
				b.Errorf("reply %q; want %q", h.reply, c.reply)
			}
		})
	}
}

// BenchmarkHandleParallel is the same on all processors at once, for one daemon:
// what is locked shows.
func BenchmarkHandleParallel(b *testing.B) {
	c := handleCases[0]
	h := newHandling(b, c.client, c.helo)
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		each := &handling{Daemon: h.Daemon, requests: postfix.NewReader(again(postfixRequest(c.client, c.helo)), nil)}
		for pb.Next() {
			each.once(b)
		}
	})
}

// BenchmarkHandleStep is each step of that way alone.
func BenchmarkHandleStep(b *testing.B) {
	c := handleCases[0]
	h := newHandling(b, c.client, c.helo)
	g := h.current.Load()
	var req policy.Request
	if err := h.requests.ReadRequest(&req); err != nil {
		b.Fatal(err)
	}
	ctx := b.Context()
	record := journal.Record{ID: "3jy1foo8k683h", Config: g.conf.Hash, Request: req}
	record.Decision = g.gatherer.Decide(ctx, &req, g.conf.Rules, &record.Facts)
	facts := record.Facts
	var line, reply []byte
	var decision policy.Decision
	for _, step := range []struct {
		name string
		do   func()
	}{
		{"read", func() { _ = h.requests.ReadRequest(&req) }},
		{"decide", func() { decision, _ = g.gatherer.Begin(&req, g.conf.Rules, &facts) }},
		{"judge", func() { decision = g.conf.Rules.Judge(&req, &facts) }},
		{"line", func() { line = g.conf.Log.Format.Append(line[:0], &record) }},
		{"write", func() { _, _ = h.journal.Write(line) }},
		{"reply", func() { reply = postfix.NewReply(g.texts.Reply(&req, &facts, &decision).Action).Append(reply[:0]) }},
	} {
		b.Run(step.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				step.do()
			}
		})
	}
}

// maxHandleAllocs is what one request whose answers are cached may allocate, log
// line included.
const maxHandleAllocs = 10

func TestHandleAllocations(t *testing.T) {
	if testbed.UnderRace() {
		t.Skip("the race detector allocates")
	}
	for _, c := range handleCases {
		h := newHandling(t, c.client, c.helo)
		got := testing.AllocsPerRun(1000, func() { h.once(t) })
		if !bytes.HasPrefix(h.reply, []byte(c.reply)) {
			t.Errorf("%s: reply %q; want %q", c.name, h.reply, c.reply)
		}
		if int(got) > maxHandleAllocs {
			t.Errorf("%s: %v allocations a request; want at most %d", c.name, got, maxHandleAllocs)
		}
		t.Logf("%s: %v allocations", c.name, got)
	}
}
