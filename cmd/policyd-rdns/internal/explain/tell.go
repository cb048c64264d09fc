package explain

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// Print writes an explanation for people. On a terminal it keeps to its width, but for
// what can be pasted.
func (e *Explanation) Print(out io.Writer, p plain.Paint) {
	w := plain.NewFolder(out)
	fmt.Fprintf(w, "%s %s", p.Bold("client"), Client(&e.Request))
	if e.Request.HELO != "" {
		fmt.Fprintf(w, "  %s %s", p.Bold("helo"), plain.Line(e.Request.HELO))
	}
	fmt.Fprintf(w, "\n\n%s\n", p.Bold("lookups"))
	e.printLookups(w)
	fmt.Fprintf(w, "\n%s\n", p.Bold("facts"))
	e.printFacts(w)
	fmt.Fprintf(w, "\n%s\n", p.Bold("rules"))
	e.printRules(w, p)
	fmt.Fprintf(w, "\n%s\n", p.Bold("decision"))
	e.printDecision(w, p)
	if e.Now != nil {
		fmt.Fprintf(w, "\n%s\n  %s\n", p.Bold("by the rules in force now"), e.now())
	}
	if e.Allow.Key != "" {
		fmt.Fprintf(out, "\n%s\n  %s\nor, at the end of the configuration:\n%s", p.Bold("to let this client pass"),
			e.Allow.Command(), plain.Indent(e.Allow.Block()))
	}
}

func (e *Explanation) printLookups(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, l := range e.Lookups {
		fmt.Fprintf(t, "  %s\t%s\t%s\n", plain.Line(l.Query), AnswerText(l.Answer), l.Took.Round(100*time.Microsecond))
	}
	if len(e.Lookups) == 0 {
		fmt.Fprintf(t, "  none\n")
	}
	_ = t.Flush() // an error of w shows in the next write
}

// AnswerText is what a lookup came to.
func AnswerText(a resolver.Answer) string {
	switch a.Outcome {
	case resolver.Found:
		parts := make([]string, 0, len(a.Names)+len(a.Addrs))
		for _, n := range a.Names {
			parts = append(parts, plain.Line(n))
		}
		for _, addr := range a.Addrs {
			parts = append(parts, addr.String())
		}
		for _, text := range a.Texts {
			parts = append(parts, plain.Line(fmt.Sprintf("%.300q", text)))
		}
		const most = 12
		if len(parts) > most {
			parts = append(parts[:most], fmt.Sprintf("and %d more", len(parts)-most))
		}
		return strings.Join(parts, ", ")
	case resolver.None:
		return "none"
	}
	return plain.Line(fmt.Sprintf("temperror: %v", a.Err))
}

func (e *Explanation) printFacts(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, f := range e.Shown() {
		fmt.Fprintf(t, "  %s\t%s", f.Check, f.Result)
		if f.Why != "" {
			fmt.Fprintf(t, "\t%s", f.Why)
		}
		fmt.Fprintln(t)
	}
	_ = t.Flush()
}

// Fact is a check for people: its result, - if it was not needed, and what shows
// it.
type Fact struct{ Check, Result, Why string }

// Shown are the checks that were needed, or would have shown something.
func (e *Explanation) Shown() []Fact {
	var facts []Fact
	for i, result := range e.Decision.Checks {
		check := policy.Check(i)
		others := check.Fact(&e.Facts) != nil // who are asked where that matters
		if result == policy.NotLearnt && !others || check.Shown(result) {
			facts = append(facts, Fact{check.String(), Result(result), e.why(check)})
		}
	}
	return facts
}

// why adds the evidence to a check.
func (e *Explanation) why(c policy.Check) string {
	parts := c.Evidence(&e.Request, &e.Facts)
	for i := range parts {
		parts[i] = plain.Line(parts[i])
	}
	return strings.Join(parts, "; ")
}

func (e *Explanation) printRules(w io.Writer, p plain.Paint) {
	for i, t := range e.Trials {
		mark := paintTruth(p, t.Holds)
		fmt.Fprintf(w, "  %2d %s (%s): %s\n", i+1, t.Rule.Name, RuleAction(t.Rule), mark)
		for _, line := range TrialLines(&t) {
			fmt.Fprintf(w, "       %s\n", line)
		}
	}
}

// RuleAction is what a rule does.
func RuleAction(r *policy.Rule) string {
	if r.Observe {
		return r.Action.String() + ", observed only"
	}
	return r.Action.String()
}

// TrialLines tell how the entries of a rule came out, one by one.
func TrialLines(t *policy.Trial) []string {
	var lines []string
	if !t.Share {
		lines = append(lines, fmt.Sprintf("the client is not in its %d%%", t.Rule.Percent))
	}
	add := func(word string, entries []policy.EntryTrial) {
		for _, e := range entries {
			lines = append(lines, fmt.Sprintf("%s %s = %s: %s", word, e.Entry.Key, config.Values(e.Entry), e.Holds))
		}
	}
	add("when", t.When)
	for _, except := range t.Unless {
		add("unless", except)
	}
	return lines
}

func (e *Explanation) printDecision(w io.Writer, p plain.Paint) {
	d := &e.Decision
	sentences := DecisionLines(d)
	fmt.Fprintf(w, "  %s %s\n", PaintAction(p, d.Decided, d.Decided.String()), strings.TrimPrefix(sentences[0], d.Decided.String()+" "))
	for _, line := range sentences[1:] {
		fmt.Fprintf(w, "  %s\n", line)
	}
	if e.Reads == "" {
		fmt.Fprintf(w, "  the sending server reads nothing of it\n")
		return
	}
	fmt.Fprintf(w, "  the sending server reads:\n    %s\n", e.Reads)
	if e.Usual != "" {
		fmt.Fprintf(w, "  RFC 7372 has a code of its own for this: code = %q in the rule\n", e.Usual)
	}
}

// now tells whether the rules in force would decide the same.
func (e *Explanation) now() string {
	was, now := DecisionLines(&e.Decision)[0], DecisionLines(e.Now)[0]
	if e.Assumed {
		now += ", if what was not asked then (history, SPF) does not speak for the client"
	}
	switch {
	case e.Now.Undetermined:
		return "cannot be told: they ask for what was not learnt then"
	case e.Now.Decided == e.Decision.Decided && strings.HasPrefix(now, was) && e.Now.Downgraded == e.Decision.Downgraded:
		return "the same: " + now
	}
	return "another: " + now
}

// DecisionLines tell what was decided, by which rule, and what else is to be
// said of it.
func DecisionLines(d *policy.Decision) []string {
	lines := []string{d.Decided.String() + " no rule holds"}
	switch {
	case d.Exempt && d.Why != "":
		lines[0] = d.Decided.String() + " by exemption " + config.Quote(d.Rule) + ": " + plain.Line(d.Why)
	case d.Exempt:
		lines[0] = d.Decided.String() + " by exemption " + config.Quote(d.Rule)
	case d.Early:
		lines[0] = d.Decided.String() + " for now: rule " + config.Quote(d.Rule) + " may let it pass, and looks at what comes later in the dialogue"
	case d.Rule != "":
		lines[0] = d.Decided.String() + " by rule " + config.Quote(d.Rule)
	}
	for _, name := range d.Tags {
		lines = append(lines, "tagged by rule "+config.Quote(name))
	}
	if d.Downgraded {
		lines = append(lines, "less than a reject, "+Lesser(d))
	}
	if waits := Waits(d); waits != "" {
		lines = append(lines, waits)
	}
	if !d.CarriedOut() {
		lines = append(lines, "not carried out: mode is observe")
	}
	if d.Rescued {
		lines = append(lines, "a defer for as long as SPF says so: the domain of the sender is known, and says that the client sends for it")
	}
	vouched := d.Checks[policy.CheckSPF] == policy.Own || d.Checks[policy.CheckSPF] == policy.Pass
	for i, v := range d.Would {
		when := "observed"
		if vouched && i == len(d.Would)-1 && d.Decided == policy.Defer && v.Action == policy.Reject {
			when = "without SPF"
		}
		lines = append(lines, fmt.Sprintf("%s: %s by rule %s", when, v.Action, config.Quote(v.Rule)))
	}
	return lines
}

// WriteJSON writes the explanation for programs, with the names of the decision log.
func (e *Explanation) WriteJSON(w io.Writer) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(e.values())
}

func (e *Explanation) values() any {
	lookups := make([]map[string]any, 0, len(e.Lookups))
	for _, l := range e.Lookups {
		lookups = append(lookups, map[string]any{
			"query": l.Query, "answer": AnswerText(l.Answer), "ms": float64(l.Took) / float64(time.Millisecond),
		})
	}
	facts := map[string]string{}
	for i, result := range e.Decision.Checks {
		if result != policy.NotLearnt {
			facts[policy.Check(i).String()] = result.String()
		}
	}
	rules := make([]map[string]any, 0, len(e.Trials))
	for _, t := range e.Trials {
		rules = append(rules, map[string]any{"name": t.Rule.Name, "action": t.Rule.Action.String(), "observe": t.Rule.Observe, "holds": t.Holds.String()})
	}
	d := &e.Decision
	would := make([]string, 0, len(d.Would))
	for _, v := range d.Would {
		would = append(would, v.Action.String()+":"+v.Rule)
	}
	allow, block := "", ""
	if e.Allow.Key != "" {
		allow, block = e.Allow.Command(), e.Allow.Block()
	}
	values := map[string]any{
		"client": Client(&e.Request), "helo_is": e.Request.HELO, "lookups": lookups, "facts": facts, "rules": rules,
		"action": d.Action.String(), "decided": d.Decided.String(), "rule": d.Rule, "would": would,
		"exempted": d.Exempt, "exempt_why": d.Why, "early": d.Early, "tags": append([]string{}, d.Tags...),
		"downgraded": d.Downgraded, "waiting": d.Waiting, "reads": e.Reads, "allow": allow, "exempt": block,
	}
	if e.Now != nil {
		values["now"] = map[string]any{"decided": e.Now.Decided.String(), "rule": e.Now.Rule, "undetermined": e.Now.Undetermined}
	}
	return values
}
