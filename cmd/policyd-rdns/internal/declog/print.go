package declog

import (
	"bufio"
	"hash/maphash"
	"io"
	"strconv"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// The columns of a log for people, before the reason.
const (
	columnTime = iota
	columnAction
	columnClient
	columnName
	columnHELO
	columnRule
	numColumns // and behind them the reason
)

// widest bounds how wide a column becomes, in characters, so that one long name
// does not move the rest of all lines out of sight.
var widest = [numColumns]int{columnTime: 19, columnAction: 15, columnClient: 39, columnName: 48, columnHELO: 40, columnRule: 48}

var headings = [numColumns]string{"TIME", "ACTION", "CLIENT", "NAME", "HELO", "RULE"}

const (
	reasonHeading = "REASON"
	reasonWidth   = 40 // or more: it is folded
)

// mostWaiting bounds the rows that wait for other recipients of their message,
// and for the width of their columns. Fewer than half as many other messages are
// begun between two recipients of one.
const mostWaiting = 1000

// Row is what is shown of a decision, or of several for one message that came
// out the same.
type Row struct {
	key     uint64 // the same for decisions that are shown as one; 0: none are
	cells   [numColumns]string
	decided policy.Action
	id      string
	reason  string
	from    string
	to      string // the first recipient
	more    int    // other recipients
	tick    int    // when the last recipient came
}

// Printer puts rows together and in columns.
type Printer struct {
	out   *bufio.Writer
	paint plain.Paint
	place *time.Location
	seed  maphash.Seed

	columns plain.Columns

	waiting []*Row // in order
	byKey   map[uint64]*Row
	ticks   int
	begun   bool
}

// NewPrinter prints to out, with times of a place.
func NewPrinter(out io.Writer, place *time.Location) *Printer {
	p := &Printer{
		out:   bufio.NewWriterSize(out, 64<<10),
		paint: plain.PaintFor(out),
		place: place,
		seed:  maphash.MakeSeed(),
		byKey: map[uint64]*Row{},
	}
	p.columns.Width = plain.Width(out)
	for _, h := range headings {
		p.columns.Widths = append(p.columns.Widths, len(h))
	}
	p.columns.Widths = append(p.columns.Widths, reasonWidth)
	return p
}

// Row makes a row of a decision. It may be called from several goroutines at
// once.
func (p *Printer) Row(r *journal.Record) Row {
	q, d := &r.Request, &r.Decision
	row := Row{id: plain.Cell(r.ID), decided: d.Decided, reason: explain.Reason(r)}
	row.cells = [numColumns]string{
		columnTime:   p.time(q.Time),
		columnAction: explain.Action(d),
		columnClient: explain.Client(q),
		columnName:   explain.Name(r),
		columnHELO:   plain.OrDash(plain.Line(q.HELO)),
		columnRule:   plain.OrDash(plain.Line(d.Rule)),
	}
	row.from = plain.Line(q.Sender)
	row.to = plain.Line(q.Recipient)
	if q.Instance != "" {
		row.key = p.key(r, &row)
	}
	return row
}

// Changed makes a row of a decision that would be another: action is the change in
// words, and rule its reason. Decided, what it would be, is its colour.
func (p *Printer) Changed(r *journal.Record, decided policy.Action, action, rule string) Row {
	row := p.Row(r)
	row.decided, row.id = decided, "" // of other rules
	row.cells[columnAction], row.cells[columnRule] = action, plain.OrDash(plain.Line(rule))
	if row.key != 0 {
		row.key = p.key(r, &row)
	}
	return row
}

// time is the time of a decision; "-" if it is not known.
func (p *Printer) time(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.In(p.place).Format(time.DateTime)
}

// key is that of all decisions about one message that are shown alike.
func (p *Printer) key(r *journal.Record, row *Row) uint64 {
	var h maphash.Hash
	h.SetSeed(p.seed)
	reason := row.reason
	if r.Decision.Waiting > 0 {
		reason = "waits: " + explain.Seen(r) // for a second less at the next recipient
	}
	for _, part := range []string{
		r.Request.Instance, r.Request.Sender, reason, row.cells[columnAction], row.cells[columnClient],
		row.cells[columnName], row.cells[columnHELO], row.cells[columnRule],
	} {
		_, _ = h.WriteString(part)
		_ = h.WriteByte(0)
	}
	return max(h.Sum64(), 1)
}

// Add takes the next rows of the log and prints those that are complete.
func (p *Printer) Add(rows []Row) error {
	for i := range rows {
		if err := p.AddOne(&rows[i]); err != nil {
			return err
		}
	}
	return nil
}

// AddOne takes the next row.
func (p *Printer) AddOne(row *Row) error {
	if first := p.byKey[row.key]; first != nil {
		first.more++
		first.tick = p.ticks
		return nil
	}
	kept := *row
	kept.tick = p.ticks
	p.waiting = append(p.waiting, &kept)
	if kept.key != 0 {
		p.byKey[kept.key] = &kept
	}
	if len(p.waiting) < mostWaiting {
		return nil
	}
	return p.print(mostWaiting / 2)
}

// tick prints the rows that nothing was added to since the last tick.
func (p *Printer) tick() {
	n := 0
	for n < len(p.waiting) && p.waiting[n].tick < p.ticks {
		n++
	}
	p.ticks++
	// An error shows again with the next rows.
	_ = p.print(n)
	_ = p.out.Flush()
}

// End prints the rest.
func (p *Printer) End() error {
	if err := p.print(len(p.waiting)); err != nil {
		return err
	}
	return p.out.Flush()
}

// print prints the first n rows that wait.
func (p *Printer) print(n int) error {
	rows := p.waiting[:n]
	for _, row := range rows {
		for i, cell := range row.cells {
			p.columns.Widths[i] = max(p.columns.Widths[i], min(len(cell), widest[i]))
		}
	}
	if n > 0 && !p.begun && bool(p.paint) {
		p.heading()
	}
	p.begun = p.begun || n > 0
	for _, row := range rows {
		delete(p.byKey, row.key)
		if err := p.line(row); err != nil {
			return err
		}
	}
	p.waiting = append(p.waiting[:0], p.waiting[n:]...)
	return nil
}

func (p *Printer) heading() {
	heads := make([]string, 0, numColumns+1)
	for _, h := range append(headings[:], reasonHeading) {
		heads = append(heads, p.paint.Bold(h))
	}
	_, _ = p.out.WriteString(p.columns.Row(heads))
}

func (p *Printer) line(row *Row) error {
	cells := append(row.cells[:], plain.OrDash(row.reason))
	cells[columnAction] = explain.PaintAction(p.paint, row.decided, cells[columnAction])
	if row.to != "" {
		cells[numColumns] += p.paint.Dim("  <" + row.from + "> to " + row.to + otherRecipients(row.more))
	}
	if row.id != "" {
		cells[numColumns] += p.paint.Dim("  " + row.id)
	}
	_, err := p.out.WriteString(p.columns.Row(cells))
	return err
}

func otherRecipients(n int) string {
	switch n {
	case 0:
		return ""
	case 1:
		return " and 1 other"
	}
	return " and " + strconv.Itoa(n) + " others"
}
