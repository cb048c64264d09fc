// Package document is what a report looks like: text for a terminal, and one HTML
// page that needs nothing else. Both are made of one [Document], so that they say
// the same. It knows nothing of what a report is about.
package document

// Document is a report in words. Its texts are printable ASCII: the text is written
// of them as they are, and the page escapes them.
type Document struct {
	Title    string
	Period   string
	Intro    []string // lines
	Warnings []string
	Tiles    []Tile
	Sections []Section
}

// Tile is one of the figures at the top.
type Tile struct {
	Mark      string // class of page.css
	Label     string
	Decisions string
	Share     string
	Messages  string
}

// Section is a part of a document.
type Section struct {
	ID, Title string
	Text      []string
	Chart     *Chart // nil: none; else each row of the first table is one of its bars
	Cards     []Card
	Tables    []Table
	Notes     []string // below
}

// Card is one thing that there is much to say of.
type Card struct {
	Name     string
	Points   string
	Meta     []string // lines
	Evidence []Evidence
	Run      string // commands, a line each; empty: none
	Paste    string // the same as lines for the end of a file; empty: none
}

// Evidence is what speaks for a card, or against it.
type Evidence struct {
	Points int
	Text   string
}

// Table is a table; the first cell of each row names it.
type Table struct {
	Caption string
	Columns []Column
	Rows    [][]Cell
}

// Column is the head of a column.
type Column struct {
	Title   string
	Numeric bool
	Time    bool
	Page    bool // on the page only
}

// Cell is a field of a table.
type Cell struct {
	Text  string
	Sort  string  // what it is sorted by; empty: Text
	Mark  string  // class of page.css, for its colour
	Share float64 // of the greatest, as a bar beside the text, on the page only
	Line  []int   // a small chart, on the page only
}

// Chart is bars over time, each stacked of as many parts as there are keys.
type Chart struct {
	Keys    []Key
	Bars    []Bar
	Labels  []Label
	Summary string // for those who do not see it
}

// Key is a part of each bar.
type Key struct {
	Mark   string // class of page.css
	Label  string
	Letter byte // what it is drawn of in text
}

// Bar is one bar, its parts in the order of the keys, from below.
type Bar struct {
	Title string // what it says when it is pointed at
	Parts []int
}

// Label stands below some bars.
type Label struct {
	Text string
	Span int // bars
}

// all is how high a bar is.
func (b *Bar) all() int {
	sum := 0
	for _, n := range b.Parts {
		sum += n
	}
	return sum
}

// most is how high the highest bar is.
func (c *Chart) most() int {
	most := 0
	for i := range c.Bars {
		most = max(most, c.Bars[i].all())
	}
	return most
}
