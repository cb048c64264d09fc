package plain

import (
	"strconv"
	"strings"
	"time"
)

// Day is a unit that time.ParseDuration does not know, for days are not all alike; here
// they are.
const Day = 24 * time.Hour

// ParseDuration is [time.ParseDuration] with whole days beside it: "7d".
func ParseDuration(s string) (time.Duration, error) {
	days, ok := strings.CutSuffix(s, "d")
	if !ok {
		return time.ParseDuration(s)
	}
	n, err := strconv.ParseUint(days, 10, 16)
	return time.Duration(n) * Day, err
}

// DurationText is a duration as in a file.
func DurationText(d time.Duration) string {
	if d >= Day && d%Day == 0 {
		return strconv.Itoa(int(d/Day)) + "d"
	}
	s := d.String()
	for _, zeros := range []string{"m0s", "h0m"} {
		if short, ok := strings.CutSuffix(s, zeros); ok {
			s = short + zeros[:1]
		}
	}
	return s
}
