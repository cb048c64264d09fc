package plain

import (
	"testing"
	"time"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		"5s": 5 * time.Second, "100ms": 100 * time.Millisecond, "1m": time.Minute, "2h": 2 * time.Hour, "1h30m": 90 * time.Minute,
		"1d": Day, "7d": 7 * Day, "0s": 0,
	} {
		got, err := ParseDuration(text)
		if err != nil || got != want || DurationText(want) != text {
			t.Errorf("ParseDuration(%q) = %v, %v; DurationText gives %q", text, got, err, DurationText(want))
		}
	}
	for text, want := range map[string]time.Duration{"1w": 7 * Day, "2w": 14 * Day, "0w": 0} {
		if got, err := ParseDuration(text); err != nil || got != want {
			t.Errorf("ParseDuration(%q) = %v, %v; want %v", text, got, err, want)
		}
	}
	for _, text := range []string{"", "d", "w", "1.5w", "-1w", "99999w", "1wd", "1", "-1d", "1.5d", "99999d", "1dd", "5 s"} {
		if got, err := ParseDuration(text); err == nil {
			t.Errorf("ParseDuration(%q) = %v; want an error", text, got)
		}
	}
}
