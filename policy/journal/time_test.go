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
