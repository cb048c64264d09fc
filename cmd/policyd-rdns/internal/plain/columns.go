package plain

import (
	"io"
	"strings"
)

// deeper is how far the further lines of a row are moved, in characters.
const deeper = 4

// enough is how wide the last column need be in a line: its text is folded.
const enough = 40

// Columns lays out the rows of a table for a terminal: where there is no room for all
// columns in a line, a row has several lines, each with the next columns, which stand
// below each other all the same.
type Columns struct {
	Width  int    // of the terminal, in characters; 0: a row is one line
	Widths []int  // of the columns
	Right  []bool // the column is of numbers, which stand to the right; nil: none is
	Margin string // before each row
}

// ColumnsFor are columns as wide as the cells of all rows, laid out for w.
func ColumnsFor(w io.Writer, rows [][]string) Columns {
	c := Columns{Width: Width(w)}
	for _, row := range rows {
		for i, cell := range row {
			if i == len(c.Widths) {
				c.Widths = append(c.Widths, 0)
			}
			c.Widths[i] = max(c.Widths[i], Visible(cell))
		}
	}
	return c
}

// Row is the lines of a row, each with its newline. The cells may be painted. The last
// is folded, and so is one that is wider than its column.
func (c *Columns) Row(cells []string) string {
	var b, line strings.Builder
	line.WriteString(c.Margin)
	used, begin := len(c.Margin), 0 // by the columns of this line; where its last one begins
	flush := func() {
		text := strings.TrimRight(line.String(), " ")
		line.Reset()
		if text != "" || b.Len() == 0 {
			b.WriteString(Fold(text, c.Width, begin) + "\n")
		}
	}
	for i, cell := range cells {
		need := c.Widths[i]
		if i == len(cells)-1 {
			need = min(need, enough)
		}
		if c.Width > 0 && i > 0 && used+need > c.Width {
			flush()
			used = len(c.Margin) + deeper
			line.WriteString(strings.Repeat(" ", used))
		}
		space := strings.Repeat(" ", max(c.Widths[i]-Visible(cell), 0))
		if c.Right != nil && c.Right[i] {
			cell, space = space+cell, ""
		}
		begin = Visible(line.String())
		line.WriteString(cell + space + "  ")
		used += c.Widths[i] + 2
	}
	flush()
	return b.String()
}
