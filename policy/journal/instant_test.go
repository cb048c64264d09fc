package journal

import (
	"math/rand/v2"
	"testing"
	"time"
)

// TestAppendTime: a time is written as the package time has it, whatever day was written
// before.
func TestAppendTime(t *testing.T) {
	zone := time.FixedZone("", 2*60*60)
	random := rand.New(rand.NewPCG(1, 2))
	check := func(at time.Time) {
		t.Helper()
		if got, want := string(appendTime(nil, at)), at.UTC().Format(timeFormat); got != want {
			t.Errorf("%v is written as %s; want %s", at, got, want)
		}
	}
	for _, at := range []time.Time{
		{},
		time.Unix(0, 0), time.Unix(-1, 999e6), time.Unix(secondsOfDay-1, 999999999), time.Unix(secondsOfDay, 0),
		time.Date(2024, 2, 29, 23, 59, 59, 1e6, zone), time.Date(2024, 3, 1, 1, 0, 0, 0, zone), time.Date(9999, 12, 31, 23, 59, 59, 999999999, time.UTC),
		time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(12345, 1, 1, 0, 0, 0, 5e6, time.UTC),
	} {
		check(at)
		check(at.In(zone))
	}
	for range 10_000 {
		check(time.UnixMilli(random.Int64N(1 << 42)))
	}
}
