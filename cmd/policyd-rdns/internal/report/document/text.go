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

// WriteText writes the document for people, as printable ASCII. Its error is that
// of out.
func (d *Document) WriteText(out io.Writer) error {
	w := bufio.NewWriter(out)
	fmt.Fprintf(w, "%s, %s\n", strings.ToUpper(d.Title), d.Period)
	writeWrapped(w, "", d.Intro...)
	writeWrapped(w, "! ", d.Warnings...)
	fmt.Fprintf(w, "\n")
	for _, t := range d.Tiles {
		fmt.Fprintf(w, "  %-14s %10s  %7s  %16s\n", t.Label, t.Decisions, t.Share, t.Messages)
	}
	for i := range d.Sections {
		d.Sections[i].writeText(w)
	}
	return w.Flush()
}

func (s *Section) writeText(w io.Writer) {
	fmt.Fprintf(w, "\n%s\n", strings.ToUpper(s.Title))
	writeWrapped(w, "", s.Text...)
	for i := range s.Cards {
		s.Cards[i].writeText(w, i+1)
	}
	var bars []string
	if s.Chart != nil {
		keys := make([]string, len(s.Chart.Keys))
		for i, k := range s.Chart.Keys {
			keys[i] = string(k.Letter) + " " + k.Label
		}
		fmt.Fprintf(w, "%s\n", strings.Join(keys, ", "))
		bars = s.Chart.lines()
	}
	for i := range s.Tables {
		fmt.Fprintf(w, "\n")
		s.Tables[i].writeText(w, bars)
		bars = nil
	}
	writeWrapped(w, "", s.Notes...)
}

func (c *Card) writeText(w io.Writer, n int) {
	fmt.Fprintf(w, "\n%2d. %s, %s\n", n, c.Name, c.Points)
	writeWrapped(w, "    ", c.Meta...)
	for _, e := range c.Evidence {
		writeWrapped(w, fmt.Sprintf("    %+3d  ", e.Points), e.Text)
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

// writeWrapped writes paragraphs in lines, the first of each behind a mark and the
// others behind as much space.
func writeWrapped(w io.Writer, mark string, paragraphs ...string) {
	for _, text := range paragraphs {
		before := mark
		for _, line := range plain.Wrap(text, textWidth-len(mark)) {
			fmt.Fprintf(w, "%s%s\n", before, line)
			before = strings.Repeat(" ", len(mark))
		}
	}
}

// writeText writes a table with columns as wide as their cells, and behind each row
// one of some lines.
func (t *Table) writeText(w io.Writer, behind []string) {
	heads := make([]string, len(t.Columns))
	widths := make([]int, len(t.Columns))
	for i, c := range t.Columns {
		heads[i], widths[i] = strings.ToUpper(c.Title), len(c.Title)
		for _, row := range t.Rows {
			widths[i] = max(widths[i], len(row[i].Text))
		}
	}
	t.writeRow(w, heads, widths, "")
	for n, row := range t.Rows {
		texts := make([]string, len(row))
		for i, c := range row {
			texts[i] = c.Text
		}
		last := ""
		if behind != nil {
			last = behind[n]
		}
		t.writeRow(w, texts, widths, last)
	}
}

func (t *Table) writeRow(w io.Writer, cells []string, widths []int, last string) {
	line := " "
	for i, text := range cells {
		switch c := t.Columns[i]; {
		case c.Page:
		case c.Numeric:
			line += fmt.Sprintf(" %*s ", widths[i], text)
		default:
			line += fmt.Sprintf(" %-*s ", widths[i], text)
		}
	}
	fmt.Fprintf(w, "%s\n", strings.TrimRight(line+"  "+last, " "))
}

// lines are the bars, drawn of the keys' letters.
func (c *Chart) lines() []string {
	const width = 40
	lines := make([]string, len(c.Bars))
	most := c.most()
	for i, b := range c.Bars {
		sum := 0
		for k, n := range b.Parts {
			sum += n
			for most > 0 && len(lines[i]) < (sum*width+most/2)/most {
				lines[i] += string(c.Keys[k].Letter)
			}
		}
	}
	return lines
}
