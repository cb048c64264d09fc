package main

import (
	"compress/gzip"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy/journal"
)

// runUsage is what a run of the program took.
type runUsage struct {
	wall, cpu time.Duration
	peak      float64 // MiB
}

// runProgram runs the program in a process of its own. What it prints is not
// looked at, and not painted.
func runProgram(t testing.TB, args ...string) runUsage {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self, args...)
	cmd.Env = append(os.Environ(), asProgram+"=1", "TERM=dumb")
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v", args, err)
	}
	u := runUsage{wall: time.Since(begin), cpu: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if usage, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.peak = float64(usage.Maxrss) / 1024 // KiB on Linux
	}
	return u
}

// longLines is how long the log of the benchmarks is.
const longLines = 1_000_000

// BenchmarkRecords runs log and replay, as the program, over a log of a million
// decisions. Lines a second are those of the clock; cpu-us/line is the processor
// time, which other processes do not change; peak-MiB the greatest memory.
func BenchmarkRecords(b *testing.B) {
	dir := b.TempDir()
	config := filepath.Join(dir, "new.toml")
	if err := os.WriteFile(config, []byte(strings.Replace(week.Config, "mode    = \"observe\"\n", "", 1)), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, kind := range []string{"logfmt", "json", "gzip"} {
		path := filepath.Join(dir, "decisions."+kind)
		writeLongFile(b, path, kind)
		for _, command := range []string{"log", "replay"} {
			b.Run(command+"/"+kind, func(b *testing.B) {
				args := []string{command, path}
				if command == "replay" {
					args = append(args, "-c", config)
				}
				var sum runUsage
				for b.Loop() {
					u := runProgram(b, args...)
					sum.wall, sum.cpu, sum.peak = sum.wall+u.wall, sum.cpu+u.cpu, max(sum.peak, u.peak)
				}
				lines := float64(longLines) * float64(b.N)
				b.ReportMetric(lines/sum.wall.Seconds(), "lines/s")
				b.ReportMetric(sum.cpu.Seconds()*1e6/lines, "cpu-us/line")
				b.ReportMetric(sum.peak, "peak-MiB")
			})
		}
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
}

func writeLongFile(b *testing.B, path, kind string) {
	b.Helper()
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	switch kind {
	case "gzip":
		z := gzip.NewWriter(f)
		week.WriteLong(b, z, journal.Logfmt, longLines)
		err = z.Close()
	case "json":
		week.WriteLong(b, f, journal.JSON, longLines)
	default:
		week.WriteLong(b, f, journal.Logfmt, longLines)
	}
	if err != nil {
		b.Fatal(err)
	}
}

// TestRecordsMemory: a log that is six times as long takes no more memory.
func TestRecordsMemory(t *testing.T) {
	testbed.Long(t)
	dir := t.TempDir()
	var paths []string
	for _, lines := range []int{15_000, 90_000} {
		path := filepath.Join(dir, fmt.Sprint(lines))
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		week.WriteLong(t, f, journal.Logfmt, lines)
		paths = append(paths, path)
	}
	for _, command := range []string{"log", "replay"} {
		short, long := runProgram(t, command, paths[0]).peak, runProgram(t, command, paths[1]).peak
		if long > 1.5*short+8 {
			t.Errorf("%s takes %.0f MiB for 90,000 lines, %.0f MiB for 15,000", command, long, short)
		}
	}
}

// BenchmarkWhy runs why, as the program, over a log of a million decisions: about a
// client that a few of them are of, and about a network that all are of.
func BenchmarkWhy(b *testing.B) {
	for _, kind := range []string{"logfmt", "json", "gzip"} {
		path := filepath.Join(b.TempDir(), "decisions."+kind)
		writeLongFile(b, path, kind)
		for about, word := range map[string]string{"client": "203.0.113.75", "organisation": "bigmail.example", "helo": "YLMF-PC", "everybody": "0.0.0.0/0"} {
			b.Run(kind+"/"+about, func(b *testing.B) {
				var sum runUsage
				for b.Loop() {
					u := runProgram(b, "why", word, "--since", "2026-11-01", "--file", path)
					sum.wall, sum.cpu, sum.peak = sum.wall+u.wall, sum.cpu+u.cpu, max(sum.peak, u.peak)
				}
				lines := float64(longLines) * float64(b.N)
				b.ReportMetric(sum.wall.Seconds()/float64(b.N), "s/million")
				b.ReportMetric(sum.cpu.Seconds()*1e6/lines, "cpu-us/line")
				b.ReportMetric(sum.peak, "peak-MiB")
			})
		}
		if err := os.Remove(path); err != nil {
			b.Fatal(err)
		}
	}
}
