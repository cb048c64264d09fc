package checkup

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// width is that of a line of explanation, in characters. Lines to paste are
// as long as they are.
const width = 80

// Print writes the report for people, the worst first.
func (r *Report) Print(out io.Writer, p plain.Paint) error {
	w := bufio.NewWriter(out)
	commands := false
	var last []string
	for _, level := range []doctor.Level{doctor.Error, doctor.Warning, doctor.Info, doctor.OK} {
		for i := range r.Findings {
			f := &r.Findings[i]
			if f.Level != level {
				continue
			}
			printFinding(w, p, f, last)
			last = f.Do
			commands = commands || slices.ContainsFunc(f.Do, func(line string) bool { return strings.HasPrefix(line, "postconf ") })
		}
	}
	fmt.Fprintf(w, "\n%s\n", p.Bold(r.summary()))
	if commands {
		reload := "postfix reload"
		if r.Folder != "" {
			reload = "postfix -c " + plain.Line(r.Folder) + " reload"
		}
		fmt.Fprintln(w, "What postconf changes comes into force with: "+reload)
	}
	return w.Flush()
}

func (r *Report) summary() string {
	of := "the built-in configuration"
	if r.Path != "" {
		of = plain.Line(r.Path)
	}
	errors, warnings := r.count(doctor.Error), r.count(doctor.Warning)
	switch {
	case errors > 0:
		return fmt.Sprintf("%s to mend, %s (%s).", plain.Plural(errors, "error"), plain.Plural(warnings, "warning"), of)
	case warnings > 0:
		return fmt.Sprintf("Nothing that must be mended; %s (%s).", plain.Plural(warnings, "warning"), of)
	}
	return "All is well (" + of + ")."
}

// printFinding writes one finding. Lines to paste that are the last one's too are
// not written again.
func printFinding(w io.Writer, p plain.Paint, f *doctor.Finding, last []string) {
	const indent = "         "
	word := fmt.Sprintf("%-*s", len(indent), f.Level)
	switch f.Level {
	case doctor.Error:
		word = p.Red(word)
	case doctor.Warning:
		word = p.Yellow(word)
	case doctor.OK:
		word = p.Green(word)
	}
	for i, line := range plain.Wrap(f.Title, width) {
		if i > 0 {
			word = indent
		}
		fmt.Fprintf(w, "%s%s\n", word, p.Bold(line))
	}
	for _, line := range plain.Wrap(f.Why, width) {
		fmt.Fprintf(w, "%s%s\n", indent, line)
	}
	do := f.Do
	if len(do) > 0 && slices.Equal(do, last) {
		do = []string{"# as above"}
	}
	for _, line := range do {
		if strings.HasPrefix(line, "# ") {
			line = p.Dim(line)
		}
		fmt.Fprintf(w, "%s    %s\n", indent, line)
	}
}
