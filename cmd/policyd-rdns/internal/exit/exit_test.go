package exit

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestStatus(t *testing.T) {
	for _, test := range []struct {
		err  error
		want int
	}{
		{nil, Well},
		{ErrNotWell, NotWell},
		{io.EOF, NotWell},
		{Usage(io.EOF), Misused},
		{fmt.Errorf("explain: %w", Usage(io.EOF)), Misused},
		{errors.Join(io.ErrUnexpectedEOF, Usage(io.EOF)), Misused},
		{With(0), Well},
		{With(3), 3},
		{fmt.Errorf("health: %w", With(1)), 1},
	} {
		if got := Status(test.err); got != test.want {
			t.Errorf("Status(%v) = %d; want %d", test.err, got, test.want)
		}
	}
	if !errors.Is(With(3), ErrNotWell) {
		t.Error("With(3) is not ErrNotWell, so that it would be printed")
	}
	if !errors.Is(Usage(io.EOF), io.EOF) {
		t.Error("Usage(EOF) is no EOF; want the error itself within")
	}
}
