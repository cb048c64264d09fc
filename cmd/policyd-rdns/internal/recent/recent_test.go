package recent

import "testing"

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
	if len(m.young)+len(m.old) > 2*Max || !m.First(1, "a") || m.First(10+3*Max-1, "a") {
		t.Errorf("%d and %d messages are kept; want the last of them, %d at most", len(m.young), len(m.old), 2*Max)
	}
}
