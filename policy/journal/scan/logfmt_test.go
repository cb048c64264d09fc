package scan_test

import (
	"testing"
	"time"

	"policyd-rdns/policy/journal/scan"
)

// TestTime: a time as the daemon writes it is read as the package time does, or left to it.
func TestTime(t *testing.T) {
	for _, tt := range []struct {
		text string
		own  bool
	}{
		{"2026-11-24T15:30:07.999Z", true},
		{"0000-01-01T00:00:00.000Z", true},
		{"9999-12-31T23:59:59.999Z", true},
		{"2024-02-29T00:00:00.000Z", true},
		{"2025-02-29T00:00:00.000Z", false},
		{"2026-11-31T00:00:00.000Z", false},
		{"2026-00-10T00:00:00.000Z", false},
		{"2026-13-10T00:00:00.000Z", false},
		{"2026-10-00T00:00:00.000Z", false},
		{"2026-11-24T24:00:00.000Z", false},
		{"2026-11-24T15:60:07.999Z", false},
		{"2026-11-24T15:30:60.999Z", false},
		{"2026-11-24T15:30:07,999Z", false},
		{"2026-11-24T15:30:07.999z", false},
		{"2026-11-24T15:30:07.99:Z", false},
		{"2026-11-24T15:30:07.9999", false},
		{"2026-11-24 15:30:07.999Z", false},
		{"2026-11-24T15:30:07Z", false},
		{"", false},
	} {
		got, own := scan.Time(tt.text)
		want, err := time.Parse(time.RFC3339, tt.text)
		if own != tt.own || own && (err != nil || got != want) {
			t.Errorf("%s reads %v, %t; want %v, %t (%v)", tt.text, got, own, want, tt.own, err)
		}
	}
}
