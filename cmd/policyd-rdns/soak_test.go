package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/sqlite"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver/world"
)

// soakTime is how long TestSoak works, unless SOAK says another duration.
const soakTime = 2 * time.Second

// soakZone is a world of which half misbehaves.
func soakZone() string {
	var zone strings.Builder
	zone.WriteString("$TTL 60\n")
	faults := []string{"servfail", "refused", "truncate", "truncateall", "mangle", "wrongid", "empty", "referral", "nochase", "noedns"}
	for i := range 250 {
		fmt.Fprintf(&zone, "%d.113.0.203.in-addr.arpa. PTR mail%d.example.com.\n", i, i)
		fmt.Fprintf(&zone, "mail%d.example.com. A 203.0.113.%d\n", i, i)
		switch {
		case i%5 == 1:
			fmt.Fprintf(&zone, "!%s %d.113.0.203.in-addr.arpa\n", faults[i/5%len(faults)], i)
		case i%5 == 2:
			fmt.Fprintf(&zone, "!%s mail%d.example.com\n", faults[i/5%len(faults)], i)
		case i%50 == 3:
			fmt.Fprintf(&zone, "!drop %d.113.0.203.in-addr.arpa\n", i)
		}
	}
	return zone.String()
}

// soakConfig wants the file of the history. There are far more clients than fit into
// memory.
const soakConfig = `
defer_for = "4h"
[resolver]
timeout = "100ms"
cache_entries = 1000
[server]
deadline = "300ms"
[history]
store = %q
delay = "1s"
grace = "4d"
entries = 1000
`

// TestSoak keeps a daemon busy with clients good and bad, ever new ones among them, peers
// that break off in mid-request, and a DNS of which half misbehaves; `make soak` does it
// for longer. It takes no more memory the longer it serves, and in the end nothing is left
// behind: no goroutine, no descriptor, no memory to speak of; each answer has its line,
// and clients are in the file of the history.
func TestSoak(t *testing.T) {
	duration := soakTime
	if s := os.Getenv("SOAK"); s != "" {
		var err error
		if duration, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	server, w := startWorld(t, soakZone())
	// The first round warms up what stays: pools, caches, the runtime's own.
	soak(t, server, w, duration/10)
	before := measure(t)
	answered, logged := soak(t, server, w, duration)
	after := measure(t)
	t.Logf("%d decisions in %v; before: %+v, after: %+v", answered, duration, before, after)
	if answered == 0 || answered != logged {
		t.Errorf("%d requests were answered, %d decisions logged", answered, logged)
	}
	if after.goroutines > before.goroutines+2 {
		t.Errorf("%d goroutines, %d before", after.goroutines, before.goroutines)
	}
	if after.descriptors > before.descriptors+2 {
		t.Errorf("%d descriptors, %d before", after.descriptors, before.descriptors)
	}
	if after.heap > before.heap+8<<20 {
		t.Errorf("%d bytes of heap, %d before", after.heap, before.heap)
	}
}

type measured struct {
	goroutines, descriptors int
	heap                    uint64
}

func measure(t *testing.T) measured {
	t.Helper()
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	fds, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Skip("needs /proc/self/fd")
	}
	return measured{runtime.NumGoroutine(), len(fds), m.HeapAlloc}
}

// soak runs a daemon for some time and counts what it answered, and what it
// logged.
func soak(t *testing.T, server string, w *world.World, duration time.Duration) (answered, logged int64) {
	t.Helper()
	store := filepath.Join(t.TempDir(), "history.sqlite")
	conf, err := config.Parse("soak.toml", fmt.Appendf(nil, soakConfig, store))
	if err != nil {
		t.Fatal(err)
	}
	conf.Resolver.Servers = []netip.AddrPort{netip.MustParseAddrPort(server)}
	var lines countingWriter
	decisions := logwriter.New(&lines, func(l logwriter.Loss) { t.Errorf("lines were lost: %v", l) })
	var log testbed.Log
	d, err := daemon.New(conf, daemon.Options{Log: slog.New(slog.NewTextHandler(&log, nil)), Decisions: decisions})
	if err != nil {
		t.Fatal(err)
	}
	l, err := postfix.Listen(anyPort, 0, "")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving, asking sync.WaitGroup
	serving.Go(func() {
		if err := d.Run(ctx, []net.Listener{l}, nil); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	var n atomic.Int64
	var heap uint64 // after a quarter of the time
	for phase, duration := range []time.Duration{duration / 4, duration - duration/4} {
		end := time.Now().Add(duration)
		for seed := range uint64(8) {
			asking.Go(func() {
				for time.Now().Before(end) {
					n.Add(int64(soakSession(t, l.Addr().String(), rand.New(rand.NewPCG(seed, uint64(n.Load()))))))
				}
			})
		}
		asking.Wait()
		w.Forget() // what it was asked, which is no memory of the daemon's
		if now := measure(t).heap; phase == 0 {
			heap = now
		} else if now > heap+8<<20 {
			t.Errorf("after %v: %d bytes of heap, %d after a quarter of that", duration, now, heap)
		}
	}
	stop()
	serving.Wait()
	d.Close()
	// A machine under load may have the disk take its time.
	if text := log.String(); strings.Count(text, "the store does not answer") > strings.Count(text, "the store answers again") {
		t.Errorf("the store is not used in the end:\n%s", text)
	}
	if known := addressesIn(t, store); known == 0 {
		t.Errorf("of no client anything is in the file after %d decisions", n.Load())
	} else {
		t.Logf("%d of 256 addresses are in the file after %d decisions", known, n.Load())
	}
	if err := decisions.Close(context.Background()); err != nil {
		t.Error(err)
	}
	return n.Load(), lines.n
}

// addressesIn counts which addresses of 203.0.113.0/24 a file of a history has.
func addressesIn(t *testing.T, path string) (n int) {
	t.Helper()
	r, err := sqlite.OpenReadOnly(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	parties := make([]history.Party, 256)
	for i := range parties {
		parties[i] = history.MakeParty(history.KindAddress, fmt.Sprintf("203.0.113.%d", i))
	}
	records, err := r.Load(t.Context(), parties)
	if err != nil {
		t.Fatal(err)
	}
	for i := range records {
		if !records[i].Empty() {
			n++
		}
	}
	return n
}

// soakSession asks some questions over one connection and leaves it, at times
// in the midst of a request.
func soakSession(t *testing.T, address string, r *rand.Rand) (answers int) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Errorf("Dial: %v", err)
		return 0
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	reply := make([]byte, 1024)
	for range 20 + r.IntN(100) {
		client := fmt.Sprintf("203.0.113.%d", r.IntN(256))
		helo := fmt.Sprintf("mail%d.example.com", r.IntN(300))
		if r.IntN(8) == 0 {
			client = fmt.Sprintf("2001:db8:%x:%x::1", r.IntN(1<<16), r.IntN(1<<16))
		}
		text := request(client, helo)
		if r.IntN(200) == 0 {
			_, _ = io.WriteString(conn, text[:r.IntN(len(text)-1)])
			return answers
		}
		if _, err := io.WriteString(conn, text); err != nil {
			t.Errorf("Write: %v", err)
			return answers
		}
		got, err := conn.Read(reply)
		if err != nil || !bytes.HasPrefix(reply, []byte("action=")) || !bytes.HasSuffix(reply[:got], []byte("\n\n")) {
			t.Errorf("reply %q, %v", reply[:got], err)
			return answers
		}
		answers++
	}
	return answers
}

// countingWriter counts lines.
type countingWriter struct{ n int64 }

func (w *countingWriter) Write(p []byte) (int, error) {
	w.n += int64(bytes.Count(p, []byte{'\n'}))
	return len(p), nil
}
