package proc

import (
	"os"
	"testing"
	"time"
)

func TestCPUOf(t *testing.T) {
	tests := []struct {
		stat string
		want time.Duration
		ok   bool
	}{
		{"7 (policyd-rdns) S 1 7 7 0 -1 4194560 1 0 0 0 250 50 0 0 20 0 9 0 1 2 3", 3 * time.Second, true},
		{"7 (a) b) (c) S 1 7 7 0 -1 4194560 1 0 0 0 1 0 0 0 20", 10 * time.Millisecond, true},
		{"7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 1", 0, false},
		{"7 (x) S 1 7 7 0 -1 4194560 1 0 0 0 a 1", 0, false},
		{"", 0, false},
	}
	for _, test := range tests {
		if got, err := cpuOf([]byte(test.stat)); got != test.want || (err == nil) != test.ok {
			t.Errorf("cpuOf(%s) = %v, %v; want %v", test.stat, got, err, test.want)
		}
	}
}

func TestPeakOf(t *testing.T) {
	tests := []struct {
		status string
		want   int64
		ok     bool
	}{
		{"Name:\tx\nVmHWM:\t   12 kB\nVmRSS:\t 5 kB\n", 12 << 10, true},
		{"Name:\tx\nVmHWM:\t12 MB\n", 0, false},
		{"Name:\tx\nVmRSS:\t5 kB\n", 0, false},
		{"Name:\tx\nVmHWM:", 0, false},
	}
	for _, test := range tests {
		if got, err := peakOf([]byte(test.status)); got != test.want || (err == nil) != test.ok {
			t.Errorf("peakOf(%q) = %d, %v; want %d", test.status, got, err, test.want)
		}
	}
}

func TestSelf(t *testing.T) {
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("needs /proc")
	}
	if _, err := CPU(os.Getpid()); err != nil {
		t.Errorf("CPU(self): %v", err)
	}
	if got, err := PeakMemory(os.Getpid()); err != nil || got < 1<<20 {
		t.Errorf("PeakMemory(self) = %d, %v; want more than 1 MiB", got, err)
	}
	if _, err := CPU(-1); err == nil {
		t.Error("CPU(-1): no error")
	}
	if _, err := PeakMemory(-1); err == nil {
		t.Error("PeakMemory(-1): no error")
	}
}
