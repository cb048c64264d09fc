package journal

import (
	"testing"
	"time"
)

// TestTime: a time is written as the package time would in this format.
func TestTime(t *testing.T) {
	east := time.FixedZone("east", 5*3600+45*60)
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0),
		time.Date(2026, 1, 2, 3, 4, 5, 6_000_000, time.UTC),
		time.Date(2026, 12, 31, 23, 59, 59, 999_999_999, time.UTC),
		time.Date(2024, 2, 29, 2, 0, 0, 70_800_000, east),
		time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC),
		time.Date(-1, 12, 31, 0, 0, 0, 0, time.UTC),
		time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC),
	} {
		var e encoder
		e.time(&row{}, at)
		if got, want := string(e.buf), at.UTC().Format(timeFormat); got != want {
			t.Errorf("%v is written as %s; want %s", at, got, want)
		}
	}
}

// TestOwnTime: a time as the daemon writes it is read as the package time does, or left to it.
func TestOwnTime(t *testing.T) {
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
		got, own := ownTime(tt.text)
		want, err := time.Parse(timeFormat, tt.text)
		if own != tt.own || own && (err != nil || got != want) {
			t.Errorf("%s reads %v, %t; want %v, %t (%v)", tt.text, got, own, want, tt.own, err)
		}
	}
}
