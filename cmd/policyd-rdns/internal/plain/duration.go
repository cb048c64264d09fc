package plain

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// Day is a unit that time.ParseDuration does not know, for days are not all alike; here
// they are.
const Day = 24 * time.Hour

// Week is seven of them.
const Week = 7 * Day

// ParseDuration is [time.ParseDuration] with whole days and weeks beside it: "7d", "1w".
func ParseDuration(s string) (time.Duration, error) {
	for unit, length := range map[string]time.Duration{"d": Day, "w": Week} {
		if number, ok := strings.CutSuffix(s, unit); ok {
			n, err := strconv.ParseUint(number, 10, 16)
			return min(time.Duration(n), math.MaxInt64/length) * length, err
		}
	}
	return time.ParseDuration(s)
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
