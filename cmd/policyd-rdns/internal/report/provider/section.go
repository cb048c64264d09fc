package provider

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/report/document"
)

// Section tells it to people.
func (r *Report) Section() document.Section {
	s := document.Section{ID: "providers", Title: "Your providers"}
	if len(r.Generic)+len(r.Proper) == 0 {
		s.Text = []string{"Nothing speaks against how numbered names are judged: generic or proper."}
		return s
	}
	s.Text = []string{"Confirmed names that differ in the numbers of one label only, and that do not behave as they are judged. Look at them before you paste a line into [names]."}
	s.Tables = append(
		tables("Taken for proper, but hardly one has a HELO of its own: lines or machines of a provider?", r.Generic),
		tables("Taken for generic, but each has a HELO of its own, and senders: servers of a mail service?", r.Proper)...)
	s.Notes = append(s.Notes, lines("generic", r.Generic, r.MoreGeneric)...)
	s.Notes = append(s.Notes, lines("proper", r.Proper, r.MoreProper)...)
	if r.Cut > 0 {
		s.Notes = append(s.Notes, "There were too many to tell all apart: "+plain.Plural(r.Cut, "way")+" to write a name, of few names each, were let go.")
	}
	return s
}

// tables is the table of a list, if there is anything in it.
func tables(caption string, list []Suggestion) []document.Table {
	if len(list) == 0 {
		return nil
	}
	t := document.Table{Caption: caption, Columns: []document.Column{
		{Title: "names"},
		{Title: "for example"},
		{Title: "seen", Numeric: true},
		{Title: "own HELO", Numeric: true},
		{Title: "and senders", Numeric: true},
		{Title: "refused", Numeric: true},
		{Title: "entry"},
		{Title: "which holds for, too"},
	}}
	count := func(n int, more bool) document.Cell {
		c := document.Cell{Text: plain.Number(n), Sort: strconv.Itoa(n)}
		if more {
			c.Text += " or more"
		}
		return c
	}
	for _, one := range list {
		t.Rows = append(t.Rows, []document.Cell{
			{Text: plain.Brief(one.Shape)},
			{Text: plain.Brief(one.Example)},
			count(one.Names, one.More), count(one.Own, false),
			count(one.Sender, false), count(one.Refused, false),
			{Text: plain.Brief(one.Entry)},
			{Text: plain.OrDash(plain.Brief(one.Beside))},
		})
	}
	return []document.Table{t}
}

// mostPasted bounds the entries of a line.
const mostPasted = 20

// lines is the line for the file, without the entries that hold for another name, too.
func lines(key string, list []Suggestion, more int) (notes []string) {
	var entries []string
	for _, one := range list {
		if entry := strconv.QuoteToASCII(one.Entry); one.Beside == "" && len(entries) < mostPasted && !slices.Contains(entries, entry) {
			entries = append(entries, entry)
		}
	}
	if len(entries) > 0 {
		notes = append(notes, fmt.Sprintf("[names] %s = [%s]", key, strings.Join(entries, ", ")))
	}
	if more > 0 {
		notes = append(notes, "And "+plain.Plural(more, "other suggestion")+" for names."+key+" (--top 0 tells all).")
	}
	return notes
}
