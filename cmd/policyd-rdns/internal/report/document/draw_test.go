package document

import "testing"

// TestScale: round steps, of which five at most hold all.
func TestScale(t *testing.T) {
	tests := []struct{ most, step, lines int }{
		{0, 1, 1}, {1, 1, 1}, {5, 1, 5}, {6, 2, 3}, {10, 2, 5}, {11, 5, 3}, {26, 10, 3}, {520, 200, 3}, {1_000_000, 200_000, 5},
	}
	for _, test := range tests {
		if step, lines := scale(test.most); step != test.step || lines != test.lines {
			t.Errorf("scale(%d) = %d, %d; want %d, %d", test.most, step, lines, test.step, test.lines)
		}
	}
}
