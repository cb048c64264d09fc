package allow

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// List prints the exemptions of the file: who, since when, until when, how often it was
// used as the log tells, and why. Those that have ended are marked.
func (c *Command) List(ctx context.Context) error {
	path, err := c.file()
	if err != nil {
		return err
	}
	l, err := exempt.Read(path)
	if err != nil {
		return err
	}
	if len(l.Rules) == 0 {
		fmt.Fprintf(c.Stdout, "no exemptions in %s\n", path)
		return nil
	}
	used, err := c.used(ctx)
	if err != nil {
		fmt.Fprintf(c.Stderr, "policyd-rdns: how often they were used is not known: %v\n", err)
	}
	t := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "WHO\tSINCE\tUNTIL\tUSED\tWHY")
	for i := range l.Rules {
		r := &l.Rules[i]
		times := "-"
		if used != nil {
			times = plain.Number(used[r.Name])
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\n", plain.Cell(shown(r)), plain.OrDash(since(r)), c.until(r), times, plain.OrDash(plain.Line(r.Why)))
	}
	return t.Flush()
}

// used counts the decisions of the log by the exemption that decided them.
func (c *Command) used(ctx context.Context) (map[string]int, error) {
	used := map[string]int{}
	err := c.Recorded(ctx, func(r *journal.Record) bool {
		if r.Decision.Exempt {
			used[r.Decision.Rule]++
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return used, nil
}

// until is the end of an exemption in the list.
func (c *Command) until(r *policy.Rule) string {
	end, ok := r.When.End()
	if !ok {
		return "for good"
	}
	text := end.UTC().Format("2006-01-02 15:04")
	if end.UTC().Equal(end.UTC().Truncate(24 * time.Hour)) {
		text = end.UTC().AddDate(0, 0, -1).Format(time.DateOnly)
	}
	if !c.Now.Before(end) {
		text += " (ended)"
	}
	return text
}
