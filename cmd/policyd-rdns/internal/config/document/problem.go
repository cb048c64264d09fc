package document

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Problem is something wrong with a configuration file, or doubtful.
type Problem struct {
	File string
	Line int    // 0: none
	Text string // begins with the key and its value
}

// Error is "file:line: key = value: what would be right".
func (p Problem) Error() string {
	if p.Line == 0 {
		return p.File + ": " + p.Text
	}
	return fmt.Sprintf("%s:%d: %s", p.File, p.Line, p.Text)
}

// MaxProblems bounds the problems that are told: a list of a million addresses
// may be a list of a million names.
const MaxProblems = 50

// Join makes one error of problems, in the order of the files, one a line.
func Join(problems []Problem) error {
	sort(problems)
	var errs []error
	for i, p := range problems {
		if i == MaxProblems {
			errs = append(errs, fmt.Errorf("%s: and %d more", p.File, len(problems)-i))
			break
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

// Bounded are warnings in the order of the file, and no more than anybody reads.
func Bounded(warnings []Problem) []Problem {
	sort(warnings)
	if more := len(warnings) - MaxProblems; more > 0 {
		warnings = append(warnings[:MaxProblems], Problem{warnings[0].File, 0, fmt.Sprintf("and %d more", more)})
	}
	return warnings
}

func sort(problems []Problem) {
	slices.SortStableFunc(problems, func(a, b Problem) int {
		return cmp.Or(strings.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line))
	})
}
