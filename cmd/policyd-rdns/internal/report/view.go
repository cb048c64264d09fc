package report

// view is a document as the page's template takes it.
type view struct {
	Title, Period   string
	Intro, Warnings []string
	Tiles           []tileView
	Sections        []sectionView
}

type tileView struct{ Mark, Label, Decisions, Share, Messages string }

type sectionView struct {
	ID, Title   string
	Text, Notes []string
	Chart       *chart
	Cards       []cardView
	Tables      []*tableView
}

type cardView struct {
	Name     string
	Points   string
	Meta     []string
	Evidence []evidenceView
	Paste    string
}

type evidenceView struct {
	Points, Text string
	Against      bool
}

type tableView struct {
	Caption string
	Heads   []headView
	Rows    [][]cellView
	// Fold has the table hidden below its summary, since a chart shows the same.
	Fold bool
	// Small has it no wider than it needs to be.
	Small bool
}

type headView struct {
	Title   string
	Numeric bool
	Time    bool
}

type cellView struct {
	cell
	Numeric bool
	Time    bool
	Head    bool // names its row
	Spark   []rect
}

func newView(r *Report) view {
	d := r.document()
	v := view{Title: d.title, Period: d.period, Intro: d.intro, Warnings: d.warnings}
	for _, t := range d.tiles {
		v.Tiles = append(v.Tiles, tileView{t.outcome.String(), t.label, t.decisions, t.share, t.messages})
	}
	for i := range d.sections {
		s := &d.sections[i]
		out := sectionView{ID: s.id, Title: s.title, Text: s.text, Notes: s.notes, Chart: s.chart}
		for i := range s.cards {
			out.Cards = append(out.Cards, r.card(&s.cards[i]))
		}
		for i := range s.tables {
			t := newTableView(&s.tables[i])
			t.Fold = s.chart != nil
			out.Tables = append(out.Tables, t)
		}
		v.Sections = append(v.Sections, out)
	}
	return v
}

func (r *Report) card(c *Client) cardView {
	v := cardView{Name: clientName(c), Points: plural(c.Points, "point"), Meta: r.metaWords(c), Paste: c.Paste}
	for _, e := range c.Evidence {
		points := "+" + number(e.Points)
		if e.Points < 0 {
			points = "\u2212" + number(-e.Points)
		}
		v.Evidence = append(v.Evidence, evidenceView{points, safeLong(e.Text), e.Points < 0})
	}
	return v
}

func newTableView(t *table) *tableView {
	v := &tableView{Caption: t.caption, Small: len(t.columns) <= 3}
	for _, c := range t.columns {
		v.Heads = append(v.Heads, headView{c.title, c.numeric, c.time})
	}
	for _, row := range t.rows {
		var cells []cellView
		for i, c := range row {
			one := cellView{cell: c, Numeric: t.columns[i].numeric, Time: t.columns[i].time, Head: i == 0}
			if c.Line != nil {
				one.Spark = spark(c.Line)
			}
			cells = append(cells, one)
		}
		v.Rows = append(v.Rows, cells)
	}
	return v
}
