package document

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// textWidth is how wide the running text is, in characters.
const textWidth = 100

// WriteText writes the document for people, as printable ASCII, warnings last, where
// they are seen. On a terminal it keeps to its width. Its error is that of out.
func (d *Document) WriteText(out io.Writer) error {
	w := &textWriter{Writer: bufio.NewWriter(out), columns: plain.Width(out), width: textWidth}
	if w.columns > 0 {
		w.width = min(w.width, w.columns)
	}
	fmt.Fprintf(w, "%s, %s\n", strings.ToUpper(d.Title), d.Period)
	w.wrapped("", d.Intro...)
	fmt.Fprintf(w, "\n")
	for _, t := range d.Tiles {
		fmt.Fprintf(w, "  %-14s %10s  %7s  %16s\n", t.Label, t.Decisions, t.Share, t.Messages)
	}
	for i := range d.Sections {
		d.Sections[i].writeText(w)
	}
	if len(d.Warnings) > 0 {
		fmt.Fprintf(w, "\n")
		w.wrapped("! ", d.Warnings...)
	}
	return w.Flush()
}

// textWriter writes for a terminal, or for none.
type textWriter struct {
	*bufio.Writer
	columns int // of the terminal; 0: there is none
	width   int // of running text
}

// line writes a line, folded behind an indent.
func (w *textWriter) line(hang int, format string, args ...any) {
	fmt.Fprintf(w, "%s\n", plain.Fold(fmt.Sprintf(format, args...), w.columns, hang))
}

func (s *Section) writeText(w *textWriter) {
	fmt.Fprintf(w, "\n%s\n", strings.ToUpper(s.Title))
	w.wrapped("", s.Text...)
	for i := range s.Cards {
		s.Cards[i].writeText(w, i+1)
	}
	var bars []string
	if s.Chart != nil {
		keys := make([]string, len(s.Chart.Keys))
		for i, k := range s.Chart.Keys {
			keys[i] = string(k.Letter) + " " + k.Label
		}
		w.line(0, "%s", strings.Join(keys, ", "))
		bars = s.Chart.lines()
	}
	for i := range s.Tables {
		fmt.Fprintf(w, "\n")
		s.Tables[i].writeText(w, bars)
		bars = nil
	}
	w.wrapped("", s.Notes...)
}

func (c *Card) writeText(w *textWriter, n int) {
	fmt.Fprintf(w, "\n")
	w.line(4, "%2d. %s, %s", n, c.Name, c.Points)
	w.wrapped("    ", c.Meta...)
	for _, e := range c.Evidence {
		w.wrapped(fmt.Sprintf("    %+3d  ", e.Points), e.Text)
	}
	writeIndented(w, c.Run)
	if c.Run != "" && c.Paste != "" {
		fmt.Fprintf(w, "    or, at the end of the configuration:\n")
	}
	writeIndented(w, c.Paste)
}

// writeIndented writes lines to be copied as they are.
func writeIndented(w io.Writer, text string) {
	for line := range strings.Lines(text) {
		fmt.Fprintf(w, "%s\n", strings.TrimRight("         "+line, " \n"))
	}
}

// wrapped writes paragraphs in lines, the first of each behind a mark and the others
// behind as much space.
func (w *textWriter) wrapped(mark string, paragraphs ...string) {
	for _, text := range paragraphs {
		before := mark
		for _, line := range plain.Wrap(text, w.width-len(mark)) {
			w.line(len(mark), "%s%s", before, line)
			before = strings.Repeat(" ", len(mark))
		}
	}
}

// writeText writes a table with columns as wide as their cells, and behind each row
// one of some lines.
func (t *Table) writeText(w *textWriter, behind []string) {
	c := plain.Columns{Width: w.columns, Margin: "  "}
	heads := make([]string, 0, len(t.Columns)+1)
	for i, column := range t.Columns {
		if column.Page {
			continue
		}
		width := len(column.Title)
		for _, row := range t.Rows {
			width = max(width, len(row[i].Text))
		}
		heads = append(heads, strings.ToUpper(column.Title))
		c.Widths, c.Right = append(c.Widths, width), append(c.Right, column.Numeric)
	}
	if behind != nil {
		heads = append(heads, "")
		c.Widths, c.Right = append(c.Widths, chartWidth), append(c.Right, false)
	}
	_, _ = w.WriteString(c.Row(heads)) // an error shows at the end
	for n, row := range t.Rows {
		cells := make([]string, 0, len(heads))
		for i, cell := range row {
			if !t.Columns[i].Page {
				cells = append(cells, cell.Text)
			}
		}
		if behind != nil {
			cells = append(cells, " "+behind[n])
		}
		_, _ = w.WriteString(c.Row(cells))
	}
}

// chartWidth is that of the longest bar.
const chartWidth = 40

// lines are the bars, drawn of the keys' letters.
func (c *Chart) lines() []string {
	lines := make([]string, len(c.Bars))
	most := c.most()
	for i, b := range c.Bars {
		sum := 0
		for k, n := range b.Parts {
			sum += n
			for most > 0 && len(lines[i]) < (sum*chartWidth+most/2)/most {
				lines[i] += string(c.Keys[k].Letter)
			}
		}
	}
	return lines
}
