package status

import (
	"net/url"
	"strconv"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// rowsShown is how many clients or decisions are on one page, and maxPage the
// last that can be asked for.
const (
	rowsShown = 25
	maxPage   = 400
)

// front is the first page.
type front struct {
	head
	Health health
	Last   tally  // the last whole minute
	Busy   uint32 // most decisions in a minute of the last hour
	Chart  *chart
	Today  todayFigures
	Rules  []ruleCount // of today
	Top    []found     // clients that were refused most
	Kept   string      // how far back decisions are kept, in words

	Query   string
	Show    string
	Choices []string
	Hours   []hoursLink
	Found   []found
	More    string // link to what was before; empty: nothing
	Newer   string // and after
	Page    int
	All     string // link to the same among all decisions; empty: these are all
}

// Heading is that of the list.
func (f *front) Heading() string {
	switch {
	case f.Query != "":
		return "Decisions found"
	case f.Show == "passed":
		return "Last clients that passed"
	case f.Show == "all":
		return "Last clients"
	}
	return "Last " + f.Show + " clients"
}

// Lookups is the number of lookups.
func (f *front) Lookups() uint64 { return f.State.Resolver.Hits + f.State.Resolver.Misses }

// Took is the time of all Answers of DNS servers.
func (f *front) Took() (sum time.Duration) {
	for i := range f.State.Resolver.Servers {
		sum += f.State.Resolver.Servers[i].Took
	}
	return sum
}

// Answers is the number of answers of DNS servers.
func (f *front) Answers() (n uint64) {
	for i := range f.State.Resolver.Servers {
		n += f.State.Resolver.Servers[i].Answers
	}
	return n
}

// Answering is the number of DNS servers that answered the last time.
func (f *front) Answering() int {
	n := 0
	for i := range f.State.Resolver.Servers {
		if !f.State.Resolver.Servers[i].Failing && !f.State.Resolver.Outage {
			n++
		}
	}
	return n
}

// hoursLink is a link to another length of the chart.
type hoursLink struct {
	Hours   int
	Link    string
	Current bool
}

// found is a line of the list: a decision, or all of one client that are alike.
type found struct {
	Summary
	ID        string
	At        time.Time
	Action    string
	Done      bool // it was carried out
	Times     int
	Link      string // to all of the client
	Sender    string
	Recipient string
}

func (p *Page) front(values url.Values) *front {
	f := &front{head: p.head(""), Query: values.Get("q"), Show: values.Get("show"), Choices: choices(), Page: 1}
	if f.Show == "" {
		f.Show = f.Choices[0]
	}
	if n, err := strconv.Atoi(values.Get("page")); err == nil {
		f.Page = min(max(n, 1), maxPage)
	}
	if len(f.Query) > maxQuery {
		f.Query = f.Query[:maxQuery]
	}
	hours := chartHours(values.Get("hours"))
	for _, h := range allHours() {
		f.Hours = append(f.Hours, hoursLink{h, f.link(1, h), h == hours})
	}
	this := minuteOf(f.Now)
	p.mu.Lock()
	f.Last = p.day.sum(this-1, 1)
	for which := this - 60; which < this; which++ {
		f.Busy = max(f.Busy, p.day.sum(which, 1).All())
	}
	recent := p.day.sum(this-overloadMinutes, overloadMinutes+1)
	f.Chart = p.day.chart(f.Now, hours)
	f.Kept = p.keptWords()
	f.Today = p.today.figures(p.begun(&f.State), f.Now)
	f.Rules = p.counts.table(f.Now)
	p.mu.Unlock()
	f.Health = diagnose(&f.State, recent, f.Now)
	f.Title = f.Health.Text
	p.list(f, hours)
	return f
}

// begun is when the first decision was made that the page knows of, or could have.
func (p *Page) begun(s *State) time.Time {
	if !p.since.IsZero() && p.since.Before(s.Started) {
		return p.since
	}
	return s.Started
}

// link is the link to another page of the list, or another chart.
func (f *front) link(page, hours int) string {
	v := url.Values{}
	if f.Query != "" {
		v.Set("q", f.Query)
	}
	if f.Show != f.Choices[0] {
		v.Set("show", f.Show)
	}
	if hours != defaultHours {
		v.Set("hours", strconv.Itoa(hours))
	}
	if page > 1 {
		v.Set("page", strconv.Itoa(page))
	}
	if len(v) == 0 {
		return "/"
	}
	return "/?" + v.Encode()
}

// keptWords says what the list is made of. The caller holds p.mu.
func (p *Page) keptWords() string {
	words := "Kept here: " + plain.Plural(p.objected.held(), "decision") + " against clients, and " + plain.Number(p.passed.held()) + " more"
	if p.tooLong > 0 {
		words += "; too long to be kept: " + strconv.FormatUint(p.tooLong, 10)
	}
	return words
}

// maxGroups bounds the clients that are told apart in one list.
const maxGroups = 2000

// alike is what decisions have in common that are shown as one.
type alike struct{ client, name, helo, rule, action string }

// list fills in the page's part of the decisions that are wanted: one by one if
// something is searched for, else those of one client together that are alike.
func (p *Page) list(f *front, hours int) {
	q := newQuery(f.Query, f.Show)
	skip, together := (f.Page-1)*rowsShown, map[alike]int{}
	var rows []found
	p.search(&q, func(r *journal.Record) bool {
		row := p.row(r)
		if q.text != "" {
			rows = append(rows, row)
			return len(rows) <= skip+rowsShown
		}
		key := alike{row.Client, row.Name, row.HELO, row.Rule, row.Action}
		if i, ok := together[key]; ok {
			rows[i].Times++
			return true
		}
		together[key] = len(rows)
		rows = append(rows, row)
		return len(rows) < maxGroups
	})
	if q.text == "" && f.Show == f.Choices[0] && f.Page == 1 {
		f.Top = top(rows)
	}
	if all := (front{Query: f.Query, Show: "all", Choices: f.Choices}); f.Show != all.Show {
		f.All = all.link(1, hours)
	}
	if f.Page > 1 {
		f.Newer = f.link(f.Page-1, hours)
	}
	if len(rows) > skip+rowsShown {
		f.More = f.link(f.Page+1, hours)
		rows = rows[:skip+rowsShown]
	}
	if skip < len(rows) {
		f.Found = rows[skip:]
	}
}

func (p *Page) row(r *journal.Record) found {
	f := found{
		Summary: p.source.Summary(r), ID: r.ID, At: r.Request.Time, Action: r.Decision.Decided.String(), Done: r.Decision.CarriedOut(),
		Times: 1, Sender: r.Request.Sender, Recipient: r.Request.Recipient,
	}
	if r.Request.Client.IsValid() {
		f.Link = "/?" + url.Values{"q": {r.Request.Client.String()}, "show": {"all"}}.Encode()
	}
	if r.Decision.Decided == policy.DUNNO {
		f.Action = "passed"
	}
	return f
}
