package past

import (
	"encoding/json"
	"fmt"
	"strings"
	"text/tabwriter"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/past/answer"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/history"
)

// kinds are what people call the kinds of parties: one, several, in JSON.
var kinds = map[byte][3]string{
	history.KindAddress:       {"address", "addresses", "address"},
	history.KindNetwork:       {"network", "networks (/64)", "network"},
	history.KindOrganisation:  {"organisation", "organisations", "organisation"},
	history.KindHELO:          {"HELO name", "HELO names", "helo"},
	history.KindSender:        {"sender domain", "sender domains", "sender"},
	history.KindCorrespondent: {"correspondent", "correspondents", "correspondent"},
}

// party is a record in JSON. Times are RFC 3339, in UTC.
type party struct {
	Kind         string     `json:"kind"`
	Name         string     `json:"name"`
	Known        bool       `json:"known"`
	KnownUntil   *time.Time `json:"known_until,omitempty"`
	FirstContact *time.Time `json:"first_contact,omitempty"`
	LastContact  *time.Time `json:"last_contact,omitempty"`
	FirstPass    *time.Time `json:"first_pass,omitempty"`
	LastPass     *time.Time `json:"last_pass,omitempty"`
	Returned     *time.Time `json:"returned,omitempty"`
	Objected     *time.Time `json:"objected_since,omitempty"`
	LastObjected *time.Time `json:"last_objection,omitempty"`
	Deferrals    int        `json:"deferrals,omitempty"`
}

// whenOf is a moment; nil: never.
func whenOf(m history.Moment) *time.Time {
	if m == 0 {
		return nil
	}
	t := m.Time()
	return &t
}

// partyOf is a record that is not over.
func (c *Command) partyOf(s *history.Stored) party {
	r := &s.Record
	p := party{
		Kind: kinds[s.Party.Kind()][2], Name: s.Party.Name(), Known: r.Known(),
		FirstContact: whenOf(r.FirstContact), LastContact: whenOf(r.LastContact),
		FirstPass: whenOf(r.FirstPass), LastPass: whenOf(r.LastPass), Returned: whenOf(r.Returned),
		Objected: whenOf(r.Objected), LastObjected: whenOf(r.LastObjection), Deferrals: len(r.Deferrals),
	}
	if p.Known {
		until := r.LastPass.Time().Add(c.Config.History.Keep)
		p.KnownUntil = &until
	}
	return p
}

// print prints records.
func (c *Command) print(name string, records []history.Stored) error {
	all := make([]party, len(records))
	for i := range records {
		all[i] = c.partyOf(&records[i])
	}
	switch {
	case c.JSON:
		if err := c.writeJSON(struct {
			Parties []party `json:"parties"`
		}{all}); err != nil {
			return err
		}
	case len(all) == 0:
		fmt.Fprintf(c.Stdout, "nothing is remembered of %s\n", plain.Line(name))
	}
	if len(all) == 0 {
		return exit.ErrNotWell
	}
	if !c.JSON {
		for i := range all {
			fmt.Fprint(c.Stdout, c.words(&all[i], records[i].Party.Kind()))
		}
	}
	return nil
}

func (c *Command) writeJSON(v any) error {
	e := json.NewEncoder(c.Stdout)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// words are a record in plain words.
func (c *Command) words(p *party, kind byte) string {
	var b strings.Builder
	state := "new"
	switch {
	case kind == history.KindCorrespondent:
		state = "written to"
	case p.Known:
		state = "known until " + c.at(p.KnownUntil) + ", and longer if it passes before"
	case p.Returned != nil:
		state = "returned"
	}
	fmt.Fprintf(&b, "%s (%s): %s\n", plain.Line(p.Name), kinds[kind][0], state)
	span := func(what string, first, last *time.Time) {
		switch {
		case last == nil && first == nil:
		case first == nil || last == nil || first.Equal(*last):
			if last == nil {
				last = first
			}
			fmt.Fprintf(&b, "  %-14s %s\n", what, c.at(last))
		default:
			fmt.Fprintf(&b, "  %-14s %s, first %s\n", what, c.at(last), c.at(first))
		}
	}
	span("last contact", p.FirstContact, p.LastContact)
	span("last pass", p.FirstPass, p.LastPass)
	span("came back", nil, p.Returned)
	if p.Objected != nil {
		fmt.Fprintf(&b, "  %-14s %s, last %s\n", "objected since", c.at(p.Objected), c.at(p.LastObjected))
	}
	if p.Deferrals > 0 {
		fmt.Fprintf(&b, "  %-14s %s\n", "deferred for", plain.Counted(p.Deferrals, "message that may come again", "messages that may come again"))
	}
	return b.String()
}

// at is a time of this place.
func (c *Command) at(t *time.Time) string { return t.In(c.Now.Location()).Format("2006-01-02 15:04") }

// printForgotten says of how many parties something was remembered.
func (c *Command) printForgotten(name string, n int) error {
	switch {
	case c.JSON:
		if err := c.writeJSON(struct {
			Forgotten int `json:"forgotten"`
		}{n}); err != nil {
			return err
		}
	case n == 0:
		fmt.Fprintf(c.Stdout, "nothing was remembered of %s\n", plain.Line(name))
	default:
		fmt.Fprintf(c.Stdout, "%s: forgotten\n", plain.Line(name))
	}
	if n == 0 {
		return exit.ErrNotWell
	}
	return nil
}

// printTotals prints how many are remembered.
func (c *Command) printTotals(totals answer.Totals) error {
	if c.JSON {
		all := map[string]answer.Total{}
		for _, kind := range answer.Kinds() {
			all[kinds[kind][2]] = totals[kind]
		}
		return c.writeJSON(all)
	}
	t := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "ALL\tKNOWN\tRETURNED\tOBJECTED\t PARTIES")
	for _, kind := range answer.Kinds() {
		n := totals[kind]
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t %s\n", plain.Number(n.Parties), plain.Number(n.Known), plain.Number(n.Returned), plain.Number(n.Objected), kinds[kind][1])
	}
	return t.Flush()
}
