package replay

import (
	"bufio"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// minute is how times are printed in a summary.
const minute = "2006-01-02 15:04"

// countedActions are the actions that are told apart, the gravest first.
func countedActions() []policy.Action { return policy.Actions(true) }

// print writes the summary for people.
func (t *tally) print(out io.Writer, p *replayer, top int) error {
	w := bufio.NewWriter(out)
	c := plain.PaintFor(out)
	if t.mail != nil {
		t.mail.news.print(w)
	}
	fmt.Fprintf(w, "%s, %s to %s\n", t.size(), whenText(t.first, p.place), whenText(t.last, p.place))
	fmt.Fprintf(w, "before: %s\nafter:  %s\n\n", t.beforeText(p), configText(p.after))
	if t.mail != nil {
		t.mail.print(w)
	}
	if p.decided {
		fmt.Fprintf(w, "what the rules come to, whether it is carried out or not:\n")
	}
	t.printActions(w)
	if t.otherRule > 0 {
		fmt.Fprintf(w, "%s out the same by another rule\n", plain.Counted(t.otherRule, "decision comes", "decisions come"))
	}
	if !slices.ContainsFunc(t.changes[:], func(c changed) bool { return c.decisions > 0 }) {
		fmt.Fprintf(w, "nothing changes\n")
	}
	for change := newlyRejected; change < undecided; change++ {
		t.printChange(w, c, change, p.place, top)
	}
	t.printUndecided(w, c)
	t.printObserved(w, c)
	return w.Flush()
}

func (t *tally) size() string {
	return plain.Plural(t.decisions, "decision") + " about " + plain.Plural(t.messages, "message")
}

func (t *tally) beforeText(p *replayer) string {
	switch {
	case p.before != nil:
		return configText(p.before)
	case t.mail != nil:
		return "as Postfix did"
	}
	return "as logged"
}

func configText(c *config.Config) string {
	return cmp.Or(c.Path, "built-in") + " (" + c.Hash + ")"
}

func (t *tally) printActions(w io.Writer) {
	fmt.Fprintf(w, "%-10s %9s %9s\n", "", "before", "after")
	for _, a := range countedActions() {
		if t.before[a] == 0 && t.after[a] == 0 && !a.Refuses() {
			continue
		}
		diff := ""
		if d := t.after[a] - t.before[a]; d != 0 {
			diff = fmt.Sprintf(" %+9d", d)
		}
		fmt.Fprintf(w, "%-10s %9d %9d%s\n", a, t.before[a], t.after[a], diff)
	}
	if n := t.changes[undecided].decisions; n > 0 {
		fmt.Fprintf(w, "%-10s %9s %9d\n", "undecided", "", n)
	}
}

func (t *tally) printChange(out io.Writer, p plain.Paint, change change, place *time.Location, top int) {
	c := &t.changes[change]
	title := changeNames[change] + ":"
	if c.decisions == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s %s, %s", p.Bold(title), plain.Plural(c.messages, "message"), plain.Plural(c.decisions, "decision"))
	if c.deferred > 0 {
		fmt.Fprintf(out, ", %d of them deferred now", c.deferred)
	}
	fmt.Fprintf(out, "\n")
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintf(w, "  MESSAGES\tDECISIONS\tCLIENTS\tSENDERS\tFIRST\tLAST\tRULE\n")
	groups := c.sorted()
	shown := len(groups)
	if top > 0 {
		shown = min(top, shown)
	}
	for _, g := range groups[:shown] {
		fmt.Fprintf(w, "  %d\t%d\t%s\t%s\t%s\t%s\t%s\n", g.messages, g.decisions, plain.Cell(g.clients), g.sendersText(),
			whenText(g.first, place), whenText(g.last, place), plain.OrDash(plain.Cell(g.rule)))
	}
	_ = w.Flush()
	if more := len(groups) - shown; more > 0 {
		fmt.Fprintf(out, "  and %s (--top 0 prints all, --list every decision)\n", plain.Plural(more, "other"))
	}
}

func (t *tally) printUndecided(out io.Writer, p plain.Paint) {
	c := &t.changes[undecided]
	if c.decisions == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s %s, %s: %s\n", p.Bold(changeNames[undecided]+":"),
		plain.Plural(c.messages, "message"), plain.Plural(c.decisions, "decision"), t.undecidedText())
	for _, need := range byCount(t.needs) {
		fmt.Fprintf(out, "  %8d  %s\n", t.needs[need], plain.Line(need))
	}
	if t.mail != nil {
		return
	}
	fmt.Fprintf(out, "  a rule in force with mode = \"observe\", before all others, has it logged from then on\n")
}

func (t *tally) undecidedText() string {
	if t.mail != nil {
		return "Postfix does not log what the rules ask for, such as HELO names, or the DNS could not say"
	}
	return "the lines do not hold what the rules ask for"
}

func (t *tally) printObserved(out io.Writer, p plain.Paint) {
	if len(t.observed) == 0 && t.unobserved == 0 {
		return
	}
	fmt.Fprintf(out, "\n%s\n", p.Bold("observed only, after:"))
	for _, v := range t.observedVerdicts() {
		fmt.Fprintf(out, "  %8d  %s by %s\n", t.observed[v], v.Action, plain.Line(v.Rule))
	}
	if t.unobserved > 0 {
		fmt.Fprintf(out, "  %8d  lines do not hold what the rules under observation ask for\n", t.unobserved)
	}
}

// byCount are the keys of counts, the most frequent first.
func byCount(counts map[string]int) []string {
	return slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), strings.Compare(a, b))
	})
}

func (t *tally) observedVerdicts() []policy.Ruling {
	return slices.SortedFunc(maps.Keys(t.observed), func(a, b policy.Ruling) int {
		return cmp.Or(cmp.Compare(t.observed[b], t.observed[a]), gravest(a.Action, b.Action), strings.Compare(a.Rule, b.Rule))
	})
}

// printJSON writes the summary for programs, as one line.
func (t *tally) printJSON(out io.Writer, p *replayer) error {
	counts := func(by [policy.NumActions]int) map[string]int {
		m := map[string]int{}
		for _, a := range countedActions() {
			m[a.String()] = by[a]
		}
		return m
	}
	changes := map[string]any{}
	for c := newlyRejected; c < numChanges; c++ {
		changes[changeKey(c)] = t.changes[c].jsonValue()
	}
	var observed []any
	for _, v := range t.observedVerdicts() {
		observed = append(observed, map[string]any{"action": v.Action.String(), "rule": v.Rule, "decisions": t.observed[v]})
	}
	summary := map[string]any{
		"change":    "summary",
		"configs":   map[string]string{"before": t.beforeText(p), "after": configText(p.after)},
		"decisions": t.decisions, "messages": t.messages, "first": t.first, "last": t.last,
		"lines":  map[string]int{"other": t.lines.Other, "damaged": t.lines.Damaged, "unknown": t.lines.Unknown},
		"before": counts(t.before), "after": counts(t.after), "other_rule": t.otherRule, "decided": p.decided,
		"changes": changes, "needs": t.needs, "observed": observed, "unobserved": t.unobserved,
	}
	if t.mail != nil {
		summary["postfix"] = t.mail.jsonValue()
	}
	text, err := json.Marshal(summary)
	if err != nil {
		return err
	}
	_, err = out.Write(printableJSON(text))
	return err
}

func (c *changed) jsonValue() any {
	groups := []any{}
	for _, g := range c.sorted() {
		senders := map[string]int{}
		for _, s := range g.senders {
			senders[s.domain] = s.decisions
		}
		groups = append(groups, map[string]any{
			"clients": g.clients, "rule": g.rule, "decisions": g.decisions, "messages": g.messages,
			"first": g.first, "last": g.last, "senders": senders, "more_senders": g.more,
		})
	}
	return map[string]any{"decisions": c.decisions, "messages": c.messages, "deferred": c.deferred, "groups": groups}
}

// printableJSON makes JSON fit for a terminal, with a newline: all but printable
// ASCII is escaped, as it can be in its strings.
func printableJSON(text []byte) []byte {
	line, err := journal.AppendJSON(nil, string(text))
	if err != nil {
		return nil // it is not JSON: that would be a mistake of ours
	}
	return line
}

// gravest orders actions by what they cost the sender, the gravest first.
func gravest(a, b policy.Action) int {
	switch {
	case b.Milder(a):
		return -1
	case a.Milder(b):
		return 1
	}
	return 0
}
