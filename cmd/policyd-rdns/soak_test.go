package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/sqlite"
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

// soakConfig wants the addresses of the socket and the two pages, of the DNS server, a folder
// for the keys of case numbers, and the files of the log and the history. There are far more
// clients than fit into memory.
const soakConfig = `
defer_for = "4h"
[resolver]
servers = [%[4]q]
timeout = "100ms"
cache_entries = 1000
[server]
listen = [%[1]q]
deadline = "300ms"
[http]
listen = %[2]q
[reply]
help = "https://mx.example.com/rdns/"
listen = %[3]q
key_file = "%[5]s/case.keys"
[log]
file = "%[5]s/decisions.log"
[history]
store = "%[5]s/history.sqlite"
delay = "1s"
grace = "4d"
entries = 1000
`

// TestSoak keeps a daemon busy with clients good and bad, ever new ones among them, peers
// that break off in mid-request, and a DNS of which half misbehaves; `make soak` does it
// for longer. The status page and the page for the refused are read all the while. It takes no
// more memory the longer it serves, and in the end nothing is left
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
	dir := t.TempDir()
	at := testbed.FreeAddrs(t, 3)
	if err := os.WriteFile(filepath.Join(dir, "case.keys"), []byte("00112233445566778899aabbccddeeff\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := testbed.TempFile(t, "soak.toml", fmt.Sprintf(soakConfig, at[0], at[1], at[2], server, dir))
	var log testbed.Log
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	var serving, asking sync.WaitGroup
	serving.Go(func() {
		if err := daemon.Serve(ctx, path, "soak", &log); err != nil {
			t.Errorf("Serve: %v", err)
		}
	})
	await(t, at[0])
	var n, pages atomic.Int64
	var heap uint64 // after a quarter of the time
	for phase, duration := range []time.Duration{duration / 4, duration - duration/4} {
		end := time.Now().Add(duration)
		for seed := range uint64(8) {
			asking.Go(func() {
				for time.Now().Before(end) {
					n.Add(int64(soakSession(t, at[0], rand.New(rand.NewPCG(seed, uint64(n.Load()))))))
				}
			})
		}
		asking.Go(func() { pages.Add(readPages(t, at[1], at[2], filepath.Join(dir, "decisions.log"), end)) })
		asking.Wait()
		http.DefaultClient.CloseIdleConnections()
		w.Forget() // what it was asked, which is no memory of the daemon's
		if now := measure(t).heap; phase == 0 {
			heap = now
		} else if now > heap+8<<20 {
			t.Errorf("after %v: %d bytes of heap, %d after a quarter of that", duration, now, heap)
		}
	}
	stop()
	serving.Wait()
	// A machine under load may have the disk take its time.
	if text := log.String(); strings.Count(text, "the store does not answer") > strings.Count(text, "the store answers again") {
		t.Errorf("the store is not used in the end:\n%s", text)
	}
	if strings.Contains(log.String(), "decisions are not logged") {
		t.Errorf("lines were lost:\n%s", log.String())
	}
	if known := addressesIn(t, filepath.Join(dir, "history.sqlite")); known == 0 {
		t.Errorf("of no client anything is in the file after %d decisions", n.Load())
	} else {
		t.Logf("%d of 256 addresses are in the file after %d decisions; %d pages were read", known, n.Load(), pages.Load())
	}
	return n.Load(), countLines(t, filepath.Join(dir, "decisions.log"))
}

// await waits until somebody listens.
func await(t *testing.T, address string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); ; {
		conn, err := net.Dial("tcp", address)
		if err == nil {
			conn.Close()
			return
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
		runtime.Gosched()
	}
}

// readPages reads the status page, the metrics and the page for the refused of the last case
// in the log, again and again, and counts them.
func readPages(t *testing.T, status, help, log string, end time.Time) (n int64) {
	tick := time.NewTicker(200 * time.Millisecond) // of a flood of connections the page takes 25 a second
	defer tick.Stop()
	for time.Now().Before(end) {
		<-tick.C
		urls := []string{"http://" + status + "/", "http://" + status + "/metrics", "http://" + help + "/rdns/ptr"}
		if number := lastCase(t, log); number != "" {
			urls = append(urls, "http://"+help+"/rdns/"+number)
		}
		for _, url := range urls {
			resp, err := http.Get(url)
			if err != nil {
				t.Errorf("%s: %v", url, err)
				return n
			}
			_, _ = io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode >= 500 && resp.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: %s", url, resp.Status)
			}
			n++
		}
	}
	return n
}

// lastCase is the number of the last case in the end of a log; empty: there is none.
func lastCase(t *testing.T, path string) string {
	f, err := os.Open(path)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer f.Close()
	tail := make([]byte, 16<<10)
	size, err := f.Seek(0, io.SeekEnd)
	if err != nil {
		t.Error(err)
		return ""
	}
	read, _ := f.ReadAt(tail, max(size-int64(len(tail)), 0))
	_, number, _ := bytes.Cut(tail[max(bytes.LastIndex(tail[:read], []byte(" case=")), 0):read], []byte("case="))
	number, _, _ = bytes.Cut(number, []byte(" "))
	return string(number)
}

// countLines counts the lines of a log.
func countLines(t *testing.T, path string) (n int64) {
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	buf := make([]byte, 1<<20)
	for {
		read, err := f.Read(buf)
		n += int64(bytes.Count(buf[:read], []byte{'\n'}))
		if err != nil {
			return n
		}
	}
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
