package policy

import (
	"fmt"
	"strings"
)

// kind is what the check is as an entry of a rule.
func (c *check) kind(number Check) *kind {
	k := &kind{
		key: c.name, values: resultList(number), example: c.outcomes[0].result.String(), needs: c.needs, standing: c.standing, ofNames: c.ofNames,
		make: func() condition { return &wanted{check: number, ofHELO: c.needs&AttrHELO != 0} },
		implies: func(values []string) (Check, Results) {
			w := wanted{check: number}
			for _, v := range values {
				_ = w.add(v) // what is wrong with it was told before
			}
			return number, w.results
		},
	}
	if c.turn != first {
		k.implies = nil // it says nothing of the others
	}
	return k
}

// wanted asks for results of a check.
type wanted struct {
	check   Check
	ofHELO  bool // it is about what the client says in HELO
	results Results
	// named and left are those that were written, plain and with "!": of both kinds
	// there is one.
	named, left Results
}

func (w *wanted) add(v string) error {
	name, but := strings.CutPrefix(v, "!")
	r, ok := w.check.Result(name)
	switch {
	case !ok && but:
		return fmt.Errorf("%.60q: after the ! want %s", v, resultList(w.check))
	case !ok:
		return fmt.Errorf("%.60q: want %s", v, resultList(w.check))
	case but:
		w.left |= of(r)
		w.results = of(w.check.Results()...) &^ of(TempError) &^ w.left
	default:
		w.named |= of(r)
		w.results = w.named
	}
	if w.named != 0 && w.left != 0 {
		return fmt.Errorf("%.60q: results to take and, with a !, results to leave out do not go together", v)
	}
	return nil
}

// resultList is what a rule may ask of a check, in words.
func resultList(c Check) string {
	var names []string
	for _, r := range c.Results() {
		names = append(names, r.String())
	}
	return alternatives(names)
}

func (w *wanted) holds(e *evaluation) holding {
	if w.ofHELO && !e.req.heloGiven() {
		return holds(No)
	}
	switch f := e.finding(w.check); {
	case w.results.Has(f.Result) && (f.Result == TempError || f.Possible&^w.results == 0):
		return holding{truth: Yes, doubtful: f.Result == TempError}
	case f.Possible&w.results == 0:
		return holds(No)
	case f.Result == NotLearnt:
		return holding{truth: Undetermined, lacks: f.Lacks}
	}
	return holds(Unknown)
}
