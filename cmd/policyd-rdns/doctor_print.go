package main

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
)

// doctorWidth is that of a line of explanation, in characters. Lines to paste are
// as long as they are.
const doctorWidth = 80

// print writes the report for people, the worst first.
func (r *doctorReport) print(out io.Writer, p paint) error {
	w := bufio.NewWriter(out)
	commands := false
	var last []string
	for _, level := range []doctor.Level{doctor.Error, doctor.Warning, doctor.Info, doctor.OK} {
		for i := range r.findings {
			f := &r.findings[i]
			if f.Level != level {
				continue
			}
			printFinding(w, p, f, last)
			last = f.Do
			commands = commands || slices.ContainsFunc(f.Do, func(line string) bool { return strings.HasPrefix(line, "postconf ") })
		}
	}
	fmt.Fprintf(w, "\n%s\n", p.bold(r.summary()))
	if commands {
		reload := "postfix reload"
		if r.folder != "" {
			reload = "postfix -c " + safe(r.folder) + " reload"
		}
		fmt.Fprintln(w, "What postconf changes comes into force with: "+reload)
	}
	return w.Flush()
}

func (r *doctorReport) summary() string {
	of := "the built-in configuration"
	if r.path != "" {
		of = safe(r.path)
	}
	errors, warnings := r.count(doctor.Error), r.count(doctor.Warning)
	switch {
	case errors > 0:
		return fmt.Sprintf("%s to mend, %s (%s).", numbered(errors, "error"), numbered(warnings, "warning"), of)
	case warnings > 0:
		return fmt.Sprintf("Nothing that must be mended; %s (%s).", numbered(warnings, "warning"), of)
	}
	return "All is well (" + of + ")."
}

func numbered(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return itoa(n) + " " + what + "s"
}

// printFinding writes one finding. Lines to paste that are the last one's too are
// not written again.
func printFinding(w io.Writer, p paint, f *doctor.Finding, last []string) {
	const indent = "         "
	word := fmt.Sprintf("%-*s", len(indent), f.Level)
	switch f.Level {
	case doctor.Error:
		word = p.red(word)
	case doctor.Warning:
		word = p.yellow(word)
	case doctor.OK:
		word = p.green(word)
	}
	for i, line := range wrapWords(f.Title, doctorWidth) {
		if i > 0 {
			word = indent
		}
		fmt.Fprintf(w, "%s%s\n", word, p.bold(line))
	}
	for _, line := range wrapWords(f.Why, doctorWidth) {
		fmt.Fprintf(w, "%s%s\n", indent, line)
	}
	do := f.Do
	if len(do) > 0 && slices.Equal(do, last) {
		do = []string{"# as above"}
	}
	for _, line := range do {
		if strings.HasPrefix(line, "# ") {
			line = p.dim(line)
		}
		fmt.Fprintf(w, "%s    %s\n", indent, line)
	}
}

// wrapWords breaks text between words. A word that is longer than width has a
// line of its own.
func wrapWords(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsSeq(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		if line != "" {
			line += " "
		}
		line += word
	}
	if line != "" {
		lines = append(lines, line)
	}
	return lines
}
