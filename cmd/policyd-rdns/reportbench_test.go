package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy/journal"
)

// BenchmarkReport runs report, as the program, over a log of a million
// decisions, as [BenchmarkRecords] does with log and replay.
func BenchmarkReport(b *testing.B) {
	dir := b.TempDir()
	config := filepath.Join(dir, "config.toml")
	if err := os.WriteFile(config, []byte(week.Config), 0o600); err != nil {
		b.Fatal(err)
	}
	path := filepath.Join(dir, "decisions.logfmt")
	writeLongFile(b, path, "logfmt")
	for _, kind := range []string{"text", "html"} {
		b.Run(kind, func(b *testing.B) {
			args := []string{"report", path, "-c", config}
			if kind == "html" {
				args = append(args, "--html", "-")
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
}

// TestReportMemory: a log that is six times as long takes no more memory.
func TestReportMemory(t *testing.T) {
	testbed.Long(t)
	var peaks []float64
	for _, lines := range []int{15_000, 90_000} {
		path := filepath.Join(t.TempDir(), fmt.Sprint(lines))
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		week.WriteLong(t, f, journal.Logfmt, lines)
		peaks = append(peaks, runProgram(t, "report", path).peak)
	}
	if peaks[1] > 1.5*peaks[0]+8 {
		t.Errorf("report takes %.0f MiB for 90,000 lines, %.0f MiB for 15,000", peaks[1], peaks[0])
	}
}
