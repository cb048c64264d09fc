package postfix

import "testing"

// TestOwns: root, and the user that the program runs as. Nobody may be anybody.
func TestOwns(t *testing.T) {
	for _, tt := range []struct {
		peer uint32
		own  int
		want bool
	}{
		{0, 0, true}, {0, 1000, true}, {1000, 1000, true}, {1000, 0, false}, {1000, 1001, false},
		{65534, 65534, false}, {4294967295, 1000, false}, {0, 65534, true},
	} {
		if got := owns(tt.peer, tt.own); got != tt.want {
			t.Errorf("owns(%d, %d) = %v; want %v", tt.peer, tt.own, got, tt.want)
		}
	}
}
