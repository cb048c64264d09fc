package trial

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// Report is the outcome of a run.
type Report struct {
	demands [numDemands]spread
	figures []figure // in the order in which they were first measured
}

// figure is something measured that is not judged.
type figure struct {
	what, unit string
	samples    spread
}

func (r *Report) judge(d demand, sample float64) { r.demands[d] = append(r.demands[d], sample) }

func (r *Report) note(what, unit string, sample float64) {
	for i := range r.figures {
		if f := &r.figures[i]; f.what == what {
			f.samples = append(f.samples, sample)
			return
		}
	}
	r.figures = append(r.figures, figure{what, unit, spread{sample}})
}

// Met says whether every demand is.
func (r *Report) Met() bool {
	for d, samples := range r.demands {
		if !demand(d).met(samples) {
			return false
		}
	}
	return true
}

// Print writes the table, and the figures that it comes from: each is the median,
// with the least and the greatest in parentheses.
func (r *Report) Print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "WHAT\tDEMAND\tMEASURED\tMET")
	for d, samples := range r.demands {
		a := demand(d).terms()
		word, met := "at most", "no"
		if a.least {
			word = "at least"
		}
		if demand(d).met(samples) {
			met = "yes"
		}
		fmt.Fprintf(t, "%s\t%s %g%s\t%s\t%s\n", a.what, word, a.limit, a.unit, samples.show(""), met)
	}
	fmt.Fprintln(t, "\t\t\t\nFIGURE\t\tMEASURED\t")
	for _, f := range r.figures {
		fmt.Fprintf(t, "%s\t\t%s\t\n", f.what, f.samples.show(f.unit))
	}
	return t.Flush()
}

// MarshalJSON writes all samples.
func (r *Report) MarshalJSON() ([]byte, error) {
	type line struct {
		What    string    `json:"what"`
		Unit    string    `json:"unit,omitempty"`
		Limit   float64   `json:"limit,omitempty"`
		AtLeast bool      `json:"at_least,omitempty"`
		Samples []float64 `json:"samples"`
		Met     *bool     `json:"met,omitempty"`
	}
	var out struct {
		Demands []line `json:"demands"`
		Figures []line `json:"figures"`
	}
	for d, samples := range r.demands {
		a := demand(d).terms()
		met := demand(d).met(samples)
		out.Demands = append(out.Demands, line{a.what, a.unit, a.limit, a.least, samples, &met})
	}
	for _, f := range r.figures {
		out.Figures = append(out.Figures, line{What: f.what, Unit: f.unit, Samples: f.samples})
	}
	return json.Marshal(out)
}
