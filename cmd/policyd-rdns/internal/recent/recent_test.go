package recent

import (
	"math/rand/v2"
	"testing"
)

func TestMessages(t *testing.T) {
	var m Messages[string]
	for i, s := range []struct {
		message uint64
		where   string
		first   bool
	}{
		{1, "a", true}, {1, "a", false}, {1, "b", true}, {2, "a", true}, {1, "a", false}, {0, "a", true}, {0, "a", true},
	} {
		if got := m.First(s.message, s.where); got != s.first {
			t.Errorf("%d: First(%d, %s) = %v; want %v", i, s.message, s.where, got, s.first)
		}
	}
	for n := range uint64(3 * Max) {
		m.First(10+n, "a")
	}
	if len(m.young.places)+len(m.old.places) > 2*Max || !m.First(1, "a") || m.First(10+3*Max-1, "a") {
		t.Errorf("%d and %d messages are kept; want the last of them, %d at most", len(m.young.places), len(m.old.places), 2*Max)
	}
}

// TestMessagesAlike: it comes to the same as a set of messages and places in two
// generations.
func TestMessagesAlike(t *testing.T) {
	type counting struct {
		message uint64
		where   int
	}
	var m Messages[int]
	young, old := map[counting]bool{}, map[counting]bool{}
	random := rand.New(rand.NewPCG(1, 2))
	message := uint64(1)
	for range 12 * Max {
		switch random.IntN(8) {
		case 0:
			message = max(message, 200) - uint64(random.IntN(100))
		case 1, 2:
			message++
		case 3:
			message += uint64(random.IntN(Max))
		}
		c := counting{message, random.IntN(12)}
		want := !young[c] && !old[c]
		if got := m.First(c.message, c.where); got != want {
			t.Fatalf("First(%d, %d) = %v; want %v", c.message, c.where, got, want)
		}
		if want {
			if len(young) == Max {
				young, old = map[counting]bool{}, young
			}
			young[c] = true
		}
	}
	if len(old) != Max {
		t.Errorf("%d in the old generation; want %d", len(old), Max)
	}
}
