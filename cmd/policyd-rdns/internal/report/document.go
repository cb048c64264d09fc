package report

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/report/document"
)

type (
	section = document.Section
	table   = document.Table
	column  = document.Column
	cell    = document.Cell
)

// columns are columns of one kind.
func columns(kind column, titles ...string) []column {
	all := make([]column, len(titles))
	for i, title := range titles {
		all[i] = kind
		all[i].Title = title
	}
	return all
}

func texts(titles ...string) []column   { return columns(column{}, titles...) }
func numbers(titles ...string) []column { return columns(column{Numeric: true}, titles...) }
func moments(titles ...string) []column { return columns(column{Time: true}, titles...) }

// outcomeNames are the names of the outcomes before one.
func outcomeNames(before Outcome) []string {
	var names []string
	for o := range before {
		names = append(names, o.String())
	}
	return names
}

func text(s string) cell { return cell{Text: s} }

func count(n int) cell { return cell{Text: plain.Number(n), Sort: strconv.Itoa(n)} }

// WriteText writes the report for people, as printable ASCII. Its error is that
// of out.
func (r *Report) WriteText(out io.Writer) error { return r.document().WriteText(out) }

// WriteHTML writes the report as one page that needs nothing else (see
// [document.Document.WriteHTML]). Its error is that of out.
func (r *Report) WriteHTML(out io.Writer) error { return r.document().WriteHTML(out) }

// WriteWanted writes what there is of clients that were refused and are probably wanted,
// as [Report.WriteText] does all. Its error is that of out.
func (r *Report) WriteWanted(out io.Writer) error {
	d := r.document()
	d.Tiles, d.Sections = nil, []section{r.wantedSection()}
	return d.WriteText(out)
}

// document puts a report into words.
func (r *Report) document() *document.Document {
	d := &document.Document{
		Title:  "Mail policy report",
		Period: r.when(r.First) + " to " + r.when(r.Last) + " " + r.First.In(r.place).Format("MST"),
	}
	d.Intro = append(d.Intro, fmt.Sprintf("%s about %s; rules of %s (%s)",
		plain.Plural(r.Total.Decisions, "decision"), plain.Plural(r.Total.Messages, "message"), r.Config.Name, r.Config.Hash))
	if notes := r.noteWords(); notes != "" {
		d.Intro = append(d.Intro, notes)
	}
	d.Warnings = r.warnings()
	for o, c := range r.Outcomes {
		d.Tiles = append(d.Tiles, document.Tile{
			Mark: outcomes[o].name, Label: outcomes[o].label, Decisions: plain.Number(c.Decisions),
			Share: plain.Percent(c.Decisions, r.Total.Decisions), Messages: plain.Plural(c.Messages, "message"),
		})
	}
	d.Sections = []section{
		r.timesSection(), r.wantedSection(), r.unsureSection(), r.rulesSection(), r.deferredSection(),
		r.groupSection("networks", "Refused networks", "network", &r.Networks),
		r.groupSection("domains", "Refused domains", "domain", &r.Domains),
		r.Providers.Section(), r.troubleSection(), r.speedSection(), r.exemptionsSection(),
	}
	return d
}

func (r *Report) noteWords() string {
	var words []string
	for _, note := range []struct {
		n    int
		what string
	}{
		{r.Notes.Downgraded, "less than a reject because of a temporary failure"},
		{r.Notes.Outage, "while no DNS server answered"},
		{r.Notes.Overload, "while the daemon was overloaded"},
		{r.Notes.Stale, "by answers past their TTL"},
		{r.Notes.Held, "held for the administrator"},
		{r.Notes.Tagged, "with a header added"},
	} {
		if note.n > 0 {
			words = append(words, plain.Number(note.n)+" "+note.what)
		}
	}
	if len(words) == 0 {
		return ""
	}
	return "of the decisions, " + strings.Join(words, "; ")
}

// warnings are what makes a report less than it could be.
func (r *Report) warnings() []string {
	var w []string
	if r.Lines.Damaged > 0 {
		w = append(w, fmt.Sprintf("%s could not be read and %s left out.", plain.Plural(r.Lines.Damaged, "damaged line"), wasWere(r.Lines.Damaged)))
	}
	if r.Lines.Unknown > 0 {
		w = append(w, fmt.Sprintf("%s %s written by another version, with words that this one does not know: what they say is taken as not learnt.",
			plain.Plural(r.Lines.Unknown, "decision"), wasWere(r.Lines.Unknown)))
	}
	if r.Config.differs() {
		first := r.Config.Made[0]
		most := "Most decisions (" + plain.Percent(first.Decisions, r.Total.Decisions) + ")"
		if first.Decisions == r.Total.Decisions {
			most = "All decisions"
		}
		w = append(w, fmt.Sprintf("%s were made under configuration %s, and not under %s (%s), by which exemptions and rules without effect are told. Name the one in force with -c.",
			most, plain.OrDash(plain.Brief(first.Hash)), r.Config.Name, r.Config.Hash))
	} else if n := len(r.Config.Made); n > 1 {
		w = append(w, fmt.Sprintf("%s of the decisions were made under other configurations.",
			plain.Percent(r.Total.Decisions-r.Config.Made[0].Decisions, r.Total.Decisions)))
	}
	return w
}

func wasWere(n int) string {
	if n == 1 {
		return "was"
	}
	return "were"
}

func (r *Report) timesSection() section {
	t := table{Caption: "Decisions by " + r.Unit, Columns: append(texts(r.Unit), numbers(append(outcomeNames(numOutcomes), "all")...)...)}
	for i := range r.Times {
		b := &r.Times[i]
		row := []cell{{Text: r.barName(b), Sort: fmt.Sprint(b.Begin.Unix())}}
		for _, c := range b.Outcomes {
			row = append(row, count(c.Decisions))
		}
		t.Rows = append(t.Rows, append(row, count(b.Outcomes.all())))
	}
	return section{ID: "times", Title: "Decisions over time", Chart: r.chart(), Tables: []table{t}}
}

// The layouts of times by the unit: where there is room, and below a bar.
var (
	barLayouts   = map[string]string{"hour": "Mon 2 Jan 15:04", "day": "Mon 2 Jan 2006", "month": "Jan 2006", "year": "2006"}
	labelLayouts = map[string]string{"hour": "15:04", "day": "2 Jan", "month": "Jan 06", "year": "2006"}
)

// barName names a bucket.
func (r *Report) barName(b *Bucket) string { return b.Begin.In(r.place).Format(barLayouts[r.Unit]) }

// chart is the decisions over time.
func (r *Report) chart() *document.Chart {
	c := &document.Chart{}
	for _, o := range outcomes {
		c.Keys = append(c.Keys, document.Key{Mark: o.name, Label: o.label, Letter: o.letter})
	}
	most, peak := 0, &r.Times[0]
	for i := range r.Times {
		b := &r.Times[i]
		bar := document.Bar{Title: r.barName(b) + ": " + outcomeWords(&b.Outcomes)}
		for _, n := range b.Outcomes {
			bar.Parts = append(bar.Parts, n.Decisions)
		}
		if n := b.Outcomes.all(); n > most {
			most, peak = n, b
		}
		c.Bars = append(c.Bars, bar)
	}
	c.Labels = r.labels()
	c.Summary = fmt.Sprintf("Bars of decisions for each %s, stacked by what became of them. The most, %s, were on %s: %s. All figures are in the table below.",
		r.Unit, plain.Number(most), r.barName(peak), outcomeWords(&peak.Outcomes))
	return c
}

func outcomeWords(o *Outcomes) string {
	var words []string
	for i, c := range o {
		words = append(words, plain.Number(c.Decisions)+" "+outcomes[i].name)
	}
	return strings.Join(words, ", ")
}

// maxLabels bounds the names below the bars.
const maxLabels = 12

// labels are names below the bars, one for several if they are many.
func (r *Report) labels() []document.Label {
	span := (len(r.Times) + maxLabels - 1) / maxLabels
	layout := labelLayouts[r.Unit]
	if r.Unit == "day" && span == 1 {
		layout = "Mon 2"
	}
	var labels []document.Label
	for i := 0; i < len(r.Times); i += span {
		labels = append(labels, document.Label{Text: r.Times[i].Begin.In(r.place).Format(layout), Span: min(span, len(r.Times)-i)})
	}
	return labels
}

func (r *Report) wantedSection() section {
	s := section{ID: "wanted", Title: "Probably wanted", Cards: r.cards(r.Wanted.List)}
	if len(r.Wanted.List) == 0 {
		s.Text = []string{"No refused client looks like a real sender."}
	} else {
		s.Text = []string{"Refused clients that look like real senders, the most probable first. Look before you paste: the points say how much speaks for a client, the command below it would let it pass, and so would the exemption behind that."}
	}
	s.Notes = append(more(r.Wanted.More, "client"), cut(r.Wanted.Cut, "refused client", Count{})...)
	return s
}

func (r *Report) unsureSection() section {
	s := section{ID: "unsure", Title: "Undecided: look yourself", Cards: r.cards(r.Wanted.Unsure)}
	if len(r.Wanted.Unsure) == 0 {
		s.Text = []string{"Nobody: of the other refused clients nothing says who they are."}
	} else {
		s.Text = []string{"Refused clients that may be who they say they are, but have not proved it; and what speaks for and against each. To find out, look at what they send, or ask whoever they say they are."}
	}
	s.Notes = more(r.Wanted.MoreUnsure, "client")
	return s
}

func (r *Report) cards(clients []Client) (all []document.Card) {
	for i := range clients {
		all = append(all, r.card(&clients[i]))
	}
	return all
}

func (r *Report) rulesSection() section {
	t := table{Caption: "What each rule did", Columns: slices.Concat(
		texts("rule", "action"), numbers("decisions", "share", "messages"), []column{{Title: "over time", Page: true}}, moments("last"),
	)}
	most := 0
	for i := range r.Rules {
		most = max(most, r.Rules[i].Decisions)
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		action := cell{Text: rule.Action, Mark: rule.outcome.String()}
		if rule.Observed {
			action.Text += ", observed"
		}
		t.Rows = append(t.Rows, []cell{
			text(ruleText(rule.Name)), action, count(rule.Decisions),
			{Text: plain.Percent(rule.Decisions, r.Total.Decisions), Sort: fmt.Sprint(rule.Decisions), Mark: rule.outcome.String(), Share: share(rule.Decisions, most)},
			count(rule.Messages),
			{Line: rule.Times, Sort: fmt.Sprint(rule.Decisions), Mark: rule.outcome.String()},
			r.moment(rule.Last),
		})
	}
	s := section{ID: "rules", Title: "Rules", Tables: []table{t}, Text: []string{
		"What is observed is counted beside what was done: one decision may be observed by several rules.",
	}}
	if len(r.Silent) > 0 {
		names := make([]string, len(r.Silent))
		for i, name := range r.Silent {
			names[i] = `"` + ruleText(name) + `"`
		}
		s.Notes = append(s.Notes, "Never decided and never would have: "+strings.Join(names, ", ")+".")
	}
	return s
}

// more says how many rows are not shown.
func more(n int, noun string) []string {
	if n == 0 {
		return nil
	}
	return []string{"And " + plain.Plural(n, "other "+noun) + " (--top 0 tells all)."}
}

// cut says what was let go for want of room.
func cut(n int, noun string, others Count) []string {
	if n == 0 {
		return nil
	}
	s := "There were too many to tell all apart: " + plain.Plural(n, noun) + " with few decisions were let go"
	if others.Decisions > 0 {
		s += ", " + plain.Plural(others.Decisions, "decision") + " in all"
	}
	return []string{s + "."}
}
