package policy

import "fmt"

// kind is what the check is as an entry of a rule.
func (c *check) kind(number Check) *kind {
	return &kind{
		key: c.name, values: resultList(number), example: c.results[0].String(), needs: c.needs, standing: c.standing,
		make: func() condition { return &wanted{check: number} },
		implies: func(value string) (Check, Results) {
			r, _ := number.Result(value)
			return number, of(r)
		},
	}
}

// wanted asks for results of a check.
type wanted struct {
	check   Check
	results Results
}

func (w *wanted) add(v string) error {
	r, ok := w.check.Result(v)
	if !ok {
		return fmt.Errorf("%.60q: want %s", v, resultList(w.check))
	}
	w.results |= of(r)
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
	if checks[w.check].needs&AttrHELO != 0 && !e.req.heloGiven() {
		return holds(No)
	}
	switch f := &e.findings[w.check]; {
	case w.results.Has(f.Result) && (f.Result == TempError || f.Possible&^w.results == 0):
		return holding{truth: Yes, doubtful: f.Result == TempError}
	case f.Possible&w.results == 0:
		return holds(No)
	case f.Result == NotLearnt:
		return holding{truth: Undetermined, lacks: f.Lacks}
	}
	return holds(Unknown)
}
