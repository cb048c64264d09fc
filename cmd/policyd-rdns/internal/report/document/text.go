package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// textWidth is how wide the running text is, in characters.
const textWidth = 100

// WriteText writes the report for people, as printable ASCII. Its error is that
// of out.
func (r *Report) WriteText(out io.Writer) error {
	w := bufio.NewWriter(out)
	d := r.document()
	fmt.Fprintf(w, "%s, %s\n", strings.ToUpper(d.title), d.period)
	for _, line := range d.intro {
		writeWrapped(w, "", line)
	}
	for _, line := range d.warnings {
		writeWrapped(w, "! ", line)
	}
	fmt.Fprintf(w, "\n")
	for _, t := range d.tiles {
		fmt.Fprintf(w, "  %-14s %10s  %7s  %16s\n", t.label, t.decisions, t.share, t.messages)
	}
	for i := range d.sections {
		r.writeSection(w, &d.sections[i])
	}
	return w.Flush()
}

func (r *Report) writeSection(w io.Writer, s *section) {
	fmt.Fprintf(w, "\n%s\n", strings.ToUpper(s.title))
	for _, line := range s.text {
		writeWrapped(w, "", line)
	}
	for i := range s.cards {
		r.writeCard(w, i+1, &s.cards[i])
	}
	if s.chart != nil {
		fmt.Fprintf(w, "R rejected, D deferred, o only observed, . passed\n")
	}
	for i := range s.tables {
		fmt.Fprintf(w, "\n")
		writeTable(w, &s.tables[i])
	}
	for _, line := range s.notes {
		writeWrapped(w, "", line)
	}
}

func (r *Report) writeCard(w io.Writer, n int, c *Client) {
	fmt.Fprintf(w, "\n%2d. %s, %s\n", n, clientName(c), plural(c.Points, "point"))
	for _, line := range r.metaWords(c) {
		fmt.Fprintf(w, "    %s\n", line)
	}
	for _, e := range c.Evidence {
		writeWrapped(w, fmt.Sprintf("    %+3d  ", e.Points), safeLong(e.Text))
	}
	for line := range strings.Lines(c.Paste) {
		fmt.Fprintf(w, "%s\n", strings.TrimRight("         "+line, " \n"))
	}
}

// safeLong is safe for a sentence.
func safeLong(s string) string {
	var b strings.Builder
	for word := range strings.FieldsSeq(s) {
		b.WriteString(safe(word) + " ")
	}
	return strings.TrimSuffix(b.String(), " ")
}

// writeWrapped writes a text in lines, all but the first behind as much space as
// its mark has.
func writeWrapped(w io.Writer, mark, text string) {
	line := mark
	blank := strings.Repeat(" ", len(mark))
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > textWidth && strings.TrimSpace(line) != strings.TrimSpace(mark) {
			fmt.Fprintf(w, "%s\n", strings.TrimRight(line, " "))
			line = blank
		}
		line += word + " "
	}
	fmt.Fprintf(w, "%s\n", strings.TrimRight(line, " "))
}

// writeTable writes a table with columns as wide as their cells.
func writeTable(w io.Writer, t *table) {
	widths := make([]int, len(t.columns))
	for i, c := range t.columns {
		widths[i] = len(c.title)
		for _, row := range t.rows {
			widths[i] = max(widths[i], utf8.RuneCountInString(row[i].Text))
		}
	}
	heads := make([]cell, len(t.columns))
	for i, c := range t.columns {
		heads[i].Text = strings.ToUpper(c.title)
	}
	writeRow(w, t, heads, widths)
	most := 0
	for _, row := range t.rows {
		most = max(most, total(row[0].Bar))
	}
	for _, row := range t.rows {
		if bar := textBar(row[0].Bar, most); bar != "" {
			row = append(row[:len(row):len(row)], text(bar))
		}
		writeRow(w, t, row, widths)
	}
}

func writeRow(w io.Writer, t *table, row []cell, widths []int) {
	line := " "
	for i, c := range row {
		switch {
		case i >= len(t.columns):
			line += "  " + c.Text
		case t.columns[i].page:
		case t.columns[i].numeric:
			line += fmt.Sprintf(" %*s ", widths[i], c.Text)
		default:
			line += fmt.Sprintf(" %-*s ", widths[i], c.Text)
		}
	}
	fmt.Fprintf(w, "%s\n", strings.TrimRight(line, " "))
}

// textBar draws a bar of letters: R for what was rejected, D deferred, o
// observed, a dot passed.
func textBar(bar []part, most int) string {
	const width = 40
	var b strings.Builder
	sum := 0
	for _, p := range bar {
		sum += p.N
		for most > 0 && b.Len() < (sum*width+most/2)/most {
			b.WriteByte("RDo."[p.Outcome])
		}
	}
	return b.String()
}
