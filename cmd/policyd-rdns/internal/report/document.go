package report

import (
	"fmt"
	"strings"
)

// document is a report in words, from which both the text and the page are made,
// so that they say the same.
type document struct {
	title    string
	period   string
	intro    []string // lines
	warnings []string
	tiles    []tile
	sections []section
}

// tile is one of the figures at the top.
type tile struct {
	outcome   Outcome
	label     string
	decisions string
	share     string
	messages  string
}

// section is a part of a document.
type section struct {
	id, title string
	text      []string
	chart     *chart // of the page only
	cards     []Client
	tables    []table
	notes     []string // below
}

// table is a table of a document.
type table struct {
	caption string
	columns []column
	rows    [][]cell
}

type column struct {
	title   string
	numeric bool
	time    bool
	page    bool // on the page only
}

// cell is a field of a table.
type cell struct {
	Text  string
	Sort  string  // what it is sorted by; empty: Text
	Mark  string  // an outcome, to be coloured as it
	Bar   []part  // a bar beside the text, in text only
	Share float64 // of the greatest, as a bar beside the text, on the page only
	Line  []int   // a small chart, on the page only
}

func text(s string) cell { return cell{Text: s} }

func count(n int) cell { return cell{Text: number(n), Sort: fmt.Sprint(n)} }

// document puts a report into words.
func (r *Report) document() *document {
	d := &document{
		title:  "Mail policy report",
		period: r.when(r.First) + " to " + r.when(r.Last) + " " + r.First.In(r.place).Format("MST"),
	}
	d.intro = append(d.intro, fmt.Sprintf("%s about %s; rules of %s (%s)",
		plural(r.Total.Decisions, "decision"), plural(r.Total.Messages, "message"), r.Config.Name, r.Config.Hash))
	if notes := r.noteWords(); notes != "" {
		d.intro = append(d.intro, notes)
	}
	d.warnings = r.warnings()
	labels := [...]string{"rejected", "deferred", "only observed", "passed"}
	for o := range numOutcomes {
		c := r.Outcomes[o]
		d.tiles = append(d.tiles, tile{o, labels[o], number(c.Decisions), percent(c.Decisions, r.Total.Decisions), plural(c.Messages, "message")})
	}
	d.sections = []section{
		r.timesSection(), r.wantedSection(), r.rulesSection(),
		r.groupSection("networks", "Refused networks", "network", &r.Networks),
		r.groupSection("domains", "Refused domains", "domain", &r.Domains),
		r.troubleSection(), r.speedSection(), r.exemptionsSection(),
	}
	return d
}

func (r *Report) noteWords() string {
	var words []string
	for _, note := range []struct {
		n    int
		what string
	}{
		{r.Notes.Downgraded, "less than a reject because of a doubt"},
		{r.Notes.Outage, "while no DNS server answered"},
		{r.Notes.Overload, "while the daemon was overloaded"},
		{r.Notes.Stale, "by answers past their TTL"},
	} {
		if note.n > 0 {
			words = append(words, number(note.n)+" "+note.what)
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
		w = append(w, fmt.Sprintf("%s could not be read and %s left out.", plural(r.Lines.Damaged, "damaged line"), wasWere(r.Lines.Damaged)))
	}
	if r.Lines.Unknown > 0 {
		w = append(w, fmt.Sprintf("%s %s written by another version, with words that this one does not know: what they say is taken as not learnt.",
			plural(r.Lines.Unknown, "decision"), wasWere(r.Lines.Unknown)))
	}
	if r.Config.differs() {
		first := r.Config.Made[0]
		most := "Most decisions (" + percent(first.Decisions, r.Total.Decisions) + ")"
		if first.Decisions == r.Total.Decisions {
			most = "All decisions"
		}
		w = append(w, fmt.Sprintf("%s were made under configuration %s, and not under %s (%s), by which exemptions and rules without effect are told. Name the one in force with -c.",
			most, orDash(safe(first.Hash)), r.Config.Name, r.Config.Hash))
	} else if n := len(r.Config.Made); n > 1 {
		w = append(w, fmt.Sprintf("%s of the decisions were made under other configurations.",
			percent(r.Total.Decisions-r.Config.Made[0].Decisions, r.Total.Decisions)))
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
	t := table{caption: "Decisions by " + r.Unit, columns: []column{
		{title: r.Unit},
		{title: "rejected", numeric: true},
		{title: "deferred", numeric: true},
		{title: "observed", numeric: true},
		{title: "passed", numeric: true},
		{title: "all", numeric: true},
	}}
	for i := range r.Times {
		b := &r.Times[i]
		row := []cell{{Text: r.barName(b), Sort: fmt.Sprint(b.Begin.Unix()), Bar: parts(&b.Outcomes)}}
		all := 0
		for _, c := range b.Outcomes {
			row = append(row, count(c.Decisions))
			all += c.Decisions
		}
		t.rows = append(t.rows, append(row, count(all)))
	}
	return section{id: "times", title: "Decisions over time", chart: r.chart(), tables: []table{t}}
}

// barName names a bucket.
func (r *Report) barName(b *Bucket) string {
	layouts := map[string]string{"hour": "Mon 2 Jan 15:04", "day": "Mon 2 Jan 2006", "month": "Jan 2006", "year": "2006"}
	return b.Begin.In(r.place).Format(layouts[r.Unit])
}

func (r *Report) wantedSection() section {
	s := section{id: "wanted", title: "Probably wanted", cards: r.Wanted.List}
	if len(r.Wanted.List) == 0 {
		s.text = []string{"No refused client looks like a real sender: none that has shown who it is behaves as one."}
	} else {
		s.text = []string{"Refused clients that look like real senders, the most probable first. Look before you paste: the points say how much speaks for a client, the rule below it would let it pass."}
	}
	s.notes = append(more(r.Wanted.More, "client"), cut(r.Wanted.Cut, "refused client", Count{})...)
	return s
}

func (r *Report) rulesSection() section {
	t := table{caption: "What each rule did", columns: []column{
		{title: "rule"},
		{title: "action"},
		{title: "decisions", numeric: true},
		{title: "share", numeric: true},
		{title: "messages", numeric: true},
		{title: "over time", page: true},
		{title: "last", time: true},
	}}
	most := 0
	for i := range r.Rules {
		most = max(most, r.Rules[i].Decisions)
	}
	for i := range r.Rules {
		rule := &r.Rules[i]
		action := cell{Text: rule.Action, Mark: markOf(rule)}
		if rule.Observed {
			action.Text += ", observed"
		}
		t.rows = append(t.rows, []cell{
			text(ruleText(rule.Name)), action, count(rule.Decisions),
			{Text: percent(rule.Decisions, r.Total.Decisions), Sort: fmt.Sprint(rule.Decisions), Mark: markOf(rule), Share: share(rule.Decisions, most)},
			count(rule.Messages),
			{Line: rule.Times, Sort: fmt.Sprint(rule.Decisions), Mark: markOf(rule)},
			r.moment(rule.Last),
		})
	}
	s := section{id: "rules", title: "Rules", tables: []table{t}, text: []string{
		"What is observed is counted beside what was done: one decision may be observed by several rules.",
	}}
	if len(r.Silent) > 0 {
		names := make([]string, len(r.Silent))
		for i, name := range r.Silent {
			names[i] = `"` + ruleText(name) + `"`
		}
		s.notes = append(s.notes, "Never decided and never would have: "+strings.Join(names, ", ")+".")
	}
	return s
}

func markOf(r *Rule) string {
	switch {
	case r.Action == "dunno":
		return Passed.String()
	case r.Observed:
		return Observed.String()
	case r.Action == "defer":
		return Deferred.String()
	}
	return Rejected.String()
}

// more says how many rows are not shown.
func more(n int, noun string) []string {
	if n == 0 {
		return nil
	}
	return []string{"And " + plural(n, "other "+noun) + " (--top 0 tells all)."}
}

// cut says what was let go for want of room.
func cut(n int, noun string, others Count) []string {
	if n == 0 {
		return nil
	}
	s := "There were too many to tell all apart: " + plural(n, noun) + " with few decisions were let go"
	if others.Decisions > 0 {
		s += ", " + plural(others.Decisions, "decision") + " in all"
	}
	return []string{s + "."}
}
