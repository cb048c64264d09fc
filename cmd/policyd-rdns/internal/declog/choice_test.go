package declog

import (
	"testing"
	"time"
)

func TestParseTime(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.FixedZone("", 3600))
	tests := []struct{ in, want string }{
		{"2h", "2026-11-23T10:00:00+01:00"},
		{"90m", "2026-11-23T10:30:00+01:00"},
		{"7d", "2026-11-16T12:00:00+01:00"},
		{"0s", "2026-11-23T12:00:00+01:00"},
		{"2026-11-20", "2026-11-20T00:00:00+01:00"},
		{"2026-11-20 15:04", "2026-11-20T15:04:00+01:00"},
		{"2026-11-20T15:04:05", "2026-11-20T15:04:05+01:00"},
		{"2026-11-20T15:04:05.250Z", "2026-11-20T15:04:05Z"},
		{"15:04", "2026-11-23T15:04:00+01:00"},
		{"", ""},
		{"-2h", ""},
		{"d", ""},
		{"99999999d", ""},
		{"noon", ""},
	}
	for _, test := range tests {
		got := ""
		if at, err := parseTime(test.in, now); err == nil {
			got = at.Format(time.RFC3339)
		}
		if got != test.want {
			t.Errorf("parseTime(%q) = %s; want %s", test.in, got, test.want)
		}
	}
}
