package classify

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/hostname"
)

// tally counts names of one kind of evidence or strength.
type tally struct {
	of      string
	generic int // generic names that were found by it
	named   int // others that were taken for generic by it
}

// aMiss is a name that was classified wrongly.
type aMiss struct{ address, name, why string }

// score is how well a labelled table was classified.
type score struct {
	generic, found int
	named, wrong   int
	bases          []tally
	kinds          []tally
	strengths      []tally
	missed         []aMiss // generic, not found
	taken          []aMiss // named, taken for generic
}

// maxMisses bounds the misses that are shown of each sort.
const maxMisses = 50

// Score reads a labelled table, label<TAB>address<TAB>name<TAB>anything, the label
// generic or named, and writes how many of each are told right.
func Score(in io.Reader, out io.Writer) error {
	var s score
	lines := nameLines(in)
	for n := 1; lines.Scan(); n++ {
		if err := s.row(lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	s.print(out)
	return nil
}

// row counts one row of the table. Other labels than generic and named, such as
// that of a header, are passed over.
func (s *score) row(line string) error {
	fields := strings.Split(strings.TrimRight(line, "\r\n"), "\t")
	if len(fields) < 3 || fields[0] != "generic" && fields[0] != "named" {
		return nil
	}
	client, err := Client(fields[1])
	if err != nil {
		return err
	}
	name := hostname.Normal(fields[2])
	v := hostname.Classify(name, client)
	generic := fields[0] == "generic"
	if generic {
		s.generic++
	} else {
		s.named++
	}
	switch {
	case v.Generic && generic:
		s.found++
	case v.Generic:
		s.wrong++
		s.taken = append(s.taken, aMiss{fields[1], name, v.String()})
	case generic:
		s.missed = append(s.missed, aMiss{fields[1], name, v.Evidence()})
	}
	if v.Generic {
		count(&s.bases, v.Basis.String(), generic)
		count(&s.kinds, v.Kind.String(), generic)
		count(&s.strengths, v.Strength.String(), generic)
	}
	return nil
}

func count(tallies *[]tally, of string, generic bool) {
	i := slices.IndexFunc(*tallies, func(t tally) bool { return t.of == of })
	if i < 0 {
		i = len(*tallies)
		*tallies = append(*tallies, tally{of: of})
	}
	if generic {
		(*tallies)[i].generic++
	} else {
		(*tallies)[i].named++
	}
}

func (s *score) print(out io.Writer) {
	w := bufio.NewWriter(out)
	defer w.Flush()
	fmt.Fprintf(w, "generic names  %d, found %d: recall %s\n", s.generic, s.found, percent(s.found, s.generic))
	fmt.Fprintf(w, "named hosts    %d, taken for generic %d: false positives %s\n", s.named, s.wrong, percent(s.wrong, s.named))
	s.printTallies(w, "strength", s.strengths)
	s.printTallies(w, "kind", s.kinds)
	s.printTallies(w, "evidence", s.bases)
	printMisses(w, "named, taken for generic", s.taken)
	printMisses(w, "generic, not found", s.missed)
}

func (s *score) printTallies(w io.Writer, title string, tallies []tally) {
	slices.SortFunc(tallies, func(a, b tally) int { return b.generic - a.generic })
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(t, "\n%s\tfound\tof all generic\twrong\tof all named\t\n", title)
	for _, k := range tallies {
		fmt.Fprintf(t, "%s\t%d\t%s\t%d\t%s\t\n", k.of, k.generic, percent(k.generic, s.generic), k.named, percent(k.named, s.named))
	}
	_ = t.Flush() // into memory
}

func printMisses(w io.Writer, title string, misses []aMiss) {
	if len(misses) == 0 {
		return
	}
	fmt.Fprintf(w, "\n%s: %d\n", title, len(misses))
	// Names that say least about themselves first: those are the ones to ask
	// why of.
	slices.SortStableFunc(misses, func(a, b aMiss) int { return len(a.name) - len(b.name) })
	for i, m := range misses {
		if i == maxMisses {
			fmt.Fprintf(w, "  and %d more\n", len(misses)-i)
			return
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", m.address, plain.Line(m.name), m.why)
	}
}

func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%.2f%%", 100*float64(part)/float64(whole))
}
