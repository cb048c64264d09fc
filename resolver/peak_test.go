package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/resolver/world"
)

// peakServer is, in the environment of TestPeak's own child, the server to ask.
const peakServer = "RESOLVER_TEST_PEAK_SERVER"

// TestPeak: 500 lookups under way that are all answered with 64 KiB, made to take
// megabytes when unpacked, take 120 MiB in all, program and garbage included. They
// are made by a process of their own.
func TestPeak(t *testing.T) {
	if server := os.Getenv(peakServer); server != "" {
		askForHuge(t, netip.MustParseAddrPort(server))
		return
	}
	info, _ := debug.ReadBuildInfo()
	if slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector takes memory of its own")
	}
	// The delay has all of them come at the same time.
	w, err := world.Parse("!huge *\n!delay * 500ms")
	if err != nil {
		t.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.Serve(ctx, pc, l) })
	defer serving.Wait()
	defer stop()
	child := exec.Command(os.Args[0], "-test.run=^TestPeak$", "-test.v")
	child.Env = append(os.Environ(), peakServer+"="+pc.LocalAddr().String())
	out, err := child.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	found := regexp.MustCompile(`peak (\d+) kB`).FindSubmatch(out)
	if found == nil {
		t.Skip("needs VmHWM in /proc/self/status")
	}
	peak, _ := strconv.Atoi(string(found[1]))
	t.Logf("%d MiB at the highest", peak>>10)
	const most = 120
	if peak>>10 > most {
		t.Errorf("%d MiB; want at most %d", peak>>10, most)
	}
}

// askForHuge asks for as many answers at once as are under way by default, each of
// another network, and says how much memory this process took at the highest
// (proc_pid_status(5)).
func askForHuge(t *testing.T, server netip.AddrPort) {
	const n = 500
	r, err := New(Config{Servers: []netip.AddrPort{server}, Timeout: 20 * time.Second, CacheEntries: 100_000, MaxInFlight: 2 * n})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var lookups sync.WaitGroup
	for i := range n {
		lookups.Go(func() {
			a := r.LookupPTR(t.Context(), netip.AddrFrom4([4]byte{240, byte(i / 250), byte(i % 250), 1}), Options{})
			if a.Outcome != Found || !a.More || len(a.Names) == 0 {
				t.Errorf("an answer = %d names, more: %v, %v; want some, and more", len(a.Names), a.More, a.Err)
			}
		})
	}
	lookups.Wait()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(status)) {
		if value, ok := strings.CutPrefix(line, "VmHWM:"); ok {
			fmt.Println("peak", strings.TrimSpace(value))
		}
	}
}
