package journal_test

import (
	"reflect"
	"strings"
	"testing"

	"policyd-rdns/policy/journal"
)

// TestReadRemembers: a line is read the same among others of its client as alone, however
// often that comes, and whatever those have that it has not.
func TestReadRemembers(t *testing.T) {
	var lines []string
	for _, s := range samples() {
		r := s.record()
		for _, format := range formats {
			line := strings.TrimSuffix(string(format.Append(nil, &r)), "\n")
			lines = append(
				lines, line,
				strings.Replace(line, "203.0.113.10", "203.0.113.11", 1), // the client, and not its names
				strings.ReplaceAll(line, "mail.example.org", "mail.example.net"),
				strings.ReplaceAll(line, "none", "odd"),
				strings.Replace(line, " helo_to=", " helo_from=", 1),
				strings.Replace(line, " names=", " games=", 1),
			)
		}
	}
	text := strings.Repeat(strings.Join(lines, "\n")+"\n", 3)
	r := journal.Reader{Inputs: []journal.Input{inputOf(0, text)}}
	for _, err := range journal.Read(t.Context(), &r, func(l *journal.Line) (int, bool) {
		want, err := journal.Parse([]byte(l.Text))
		if err != nil || !reflect.DeepEqual(l.Record, want) {
			t.Errorf("%s\nreads %+v;\nwant %+v, %v", l.Text, l.Record, want, err)
		}
		return 0, true
	}) {
		if err != nil {
			t.Fatal(err)
		}
	}
	if read := r.Counts.Decisions; read != 3*len(lines) {
		t.Errorf("%d decisions of %d lines: %+v", read, 3*len(lines), r.Counts)
	}
}
