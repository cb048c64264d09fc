package trial

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestRun runs all of it, briefly, on the real programs. Run itself finds out
// whether every request was answered, without error, and logged.
func TestRun(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs epoll and /proc")
	}
	if testing.Short() {
		t.Skip("takes seconds")
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "policyd-rdns/cmd/policyd-rdns", "policyd-rdns/cmd/policybench")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	var progress strings.Builder
	r, err := Run(t.Context(), Options{
		Daemon: filepath.Join(dir, "policyd-rdns"), Bench: filepath.Join(dir, "policybench"), Progress: &progress,
		Plan: Plan{
			Rounds: 1, Window: 100 * time.Millisecond, Clients: 200, Lines: 1000,
			Connections: 150, NewClients: 10,
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	for d, samples := range r.demands {
		want := 1
		if slices.Contains([]demand{cachedRate, cachedCPU, cachedLatency, halfLoad}, demand(d)) {
			want = turns
		}
		if len(samples) != want {
			t.Errorf("%s: %d samples; want %d", demand(d).terms().what, len(samples), want)
		}
	}
	if got := r.demands[newQueries].median(); got != 2 {
		t.Errorf("%g questions about a client that says HELO its name; want 2", got)
	}
	for _, f := range r.figures {
		if f.what == "new client, HELO is another name: questions" && f.samples.median() != 3 {
			t.Errorf("%g questions about a client that says HELO another name; want 3", f.samples.median())
		}
	}
	if got := r.demands[otherTrips].median(); got < 2 {
		t.Errorf("%g round trips for a client that says HELO another name; want at least 2", got)
	}
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text.String(), "not measured") || strings.Contains(text.String(), "NaN") {
		t.Errorf("Print() = %s", text.String())
	}
	if _, err := json.Marshal(r); err != nil {
		t.Error(err)
	}
	t.Log("\n" + text.String())
}

func TestSpread(t *testing.T) {
	tests := []struct {
		samples spread
		want    string
	}{
		{nil, "not measured"},
		{spread{1}, "1.00 (1.00–1.00) ms"},
		{spread{3, 1, 2}, "2.00 (1.00–3.00) ms"},
		{spread{4, 1, 2, 3}, "2.50 (1.00–4.00) ms"},
		{spread{1234.5, 12.34, 99.96}, "100.0 (12.3–1234) ms"},
	}
	for _, test := range tests {
		if got := test.samples.show(" ms"); got != test.want {
			t.Errorf("%v.show() = %s; want %s", []float64(test.samples), got, test.want)
		}
	}
	if s := (spread{3, 1, 2}); s.median() != 2 || s[0] != 3 {
		t.Errorf("median() = %g of %v; want 2, and the samples as they were", s.median(), []float64(s))
	}
}

func TestMet(t *testing.T) {
	tests := []struct {
		d       demand
		samples spread
		want    bool
	}{
		{cachedRate, spread{0.80}, true},
		{cachedRate, spread{0.79}, false},
		{cachedRate, spread{0.1, 0.9, 0.85}, true}, // by the median
		{cachedCPU, spread{1.5}, true},
		{cachedCPU, spread{1.51}, false},
		{cachedCPU, nil, false},
		{cachedRate, nil, false},
	}
	for _, test := range tests {
		if got := test.d.met(test.samples); got != test.want {
			t.Errorf("%s: met(%v) = %v; want %v", test.d.terms().what, []float64(test.samples), got, test.want)
		}
	}
	var r Report
	for d := range numDemands {
		r.judge(d, 1)
	}
	if !r.Met() {
		t.Error("all are 1: Met() = false; want true")
	}
	r.judge(cachedCPU, 5)
	if r.Met() {
		t.Error("one is missed: Met() = true; want false")
	}
}

func TestNetworksRule(t *testing.T) {
	for _, n := range []int{1, 1000, 1533} {
		if got := strings.Count(networksRule(n), "/"); got != n {
			t.Errorf("networksRule(%d) has %d networks", n, got)
		}
	}
}

func TestCountLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	if err := os.WriteFile(path, []byte(strings.Repeat("line\n", 300_000)), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, err := countLines(path); got != 300_000 || err != nil {
		t.Errorf("countLines() = %d, %v; want 300000", got, err)
	}
	if _, err := countLines(path + "x"); err == nil {
		t.Error("countLines() of no file: no error")
	}
}

// A program that ends instead of listening says why.
func TestStartProgramFails(t *testing.T) {
	_, err := startProgram(t.Context(), "sh", nil, "sh", "-c", "echo no way; exit 3")
	if err == nil || !strings.Contains(err.Error(), "no way") || !strings.Contains(err.Error(), "exit status 3") {
		t.Errorf("startProgram() = %v; want what it said, and its status", err)
	}
	if _, err := startProgram(t.Context(), "none", nil, "/nonexistent/program"); err == nil {
		t.Error("startProgram() of no program: no error")
	}
	p, err := startProgram(t.Context(), "sh", nil, "sh", "-c", "trap 'echo woe; exit 4' TERM; echo listening 127.0.0.1:9; while :; do sleep 0.01; done")
	if err != nil {
		t.Fatal(err)
	}
	if err := p.stop(); p.address != "127.0.0.1:9" || err == nil || !strings.Contains(err.Error(), "woe") {
		t.Errorf("at %s, stop() = %v; want 127.0.0.1:9, and what it said", p.address, err)
	}
}
