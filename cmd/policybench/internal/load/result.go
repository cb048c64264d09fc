package load

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what was measured.
type Result struct {
	Address     string
	Connections int
	Rate        float64 // that was asked for; 0: a closed loop
	Duration    time.Duration

	Requests int64 // answered within the window
	Answered int64 // in all, those before and after it included
	Unsent   int64 // that an open loop had no connection for until the end
	// Exhausted says that there were no more clients before the end: the window
	// was not filled.
	Exhausted bool

	Latency *hdrhistogram.Histogram // nanoseconds, of the requests meant to be sent within the window
	Actions map[string]int64        // their replies, by the first word of the action
	Errors  map[string]int64        // of the whole run

	Measured     bool          // whether the server's process was
	ServerCPU    time.Duration // within the window
	ServerPeak   int64         // bytes
	GeneratorCPU time.Duration // within the window
}

// PerSecond is how many requests were answered in a second.
func (r *Result) PerSecond() float64 {
	return float64(r.Requests) / max(r.Duration, time.Microsecond).Seconds()
}

// CPUPerRequest is the server's processor time for one request; 0 if it was not
// measured.
func (r *Result) CPUPerRequest() time.Duration { return each(r.ServerCPU, r.Requests) }

func each(total time.Duration, n int64) time.Duration {
	if n == 0 {
		return 0
	}
	return total / time.Duration(n)
}

// Quantile is the latency that a share of the requests did not exceed, 0 to 1.
func (r *Result) Quantile(q float64) time.Duration {
	return time.Duration(r.Latency.ValueAtQuantile(q * 100))
}

// quantiles are those that are told.
var quantiles = [...]struct {
	name string
	at   float64
}{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1}}

// busy is the share of one processor that the generator took.
func (r *Result) busy() float64 { return r.GeneratorCPU.Seconds() / r.Duration.Seconds() }

// Print writes the result for people.
func (r *Result) Print(out io.Writer) error {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	loop := "closed loop"
	if r.Rate > 0 {
		loop = fmt.Sprintf("open loop, %.0f/s", r.Rate)
	}
	fmt.Fprintf(t, "server\t%s, %d connections, %s, %v\n", r.Address, r.Connections, loop, r.Duration)
	fmt.Fprintf(t, "answered\t%d requests, %.0f/s\n", r.Requests, r.PerSecond())
	for _, q := range quantiles {
		fmt.Fprintf(t, "latency %s\t%s\n", q.name, Shown(r.Quantile(q.at)))
	}
	for _, action := range slices.Sorted(maps.Keys(r.Actions)) {
		fmt.Fprintf(t, "action %s\t%d\n", action, r.Actions[action])
	}
	for _, kind := range slices.Sorted(maps.Keys(r.Errors)) {
		fmt.Fprintf(t, "error: %s\t%d\n", kind, r.Errors[kind])
	}
	if r.Unsent > 0 {
		fmt.Fprintf(t, "not sent\t%d requests: no connection was free for them until the end\n", r.Unsent)
	}
	if r.Exhausted {
		fmt.Fprintf(t, "note\tthere were no more clients before the end: ask for more (--clients) or for a shorter time\n")
	}
	if r.Measured {
		fmt.Fprintf(t, "server CPU\t%s a request, %.0f%% of a processor\n", Shown(r.CPUPerRequest()), 100*r.ServerCPU.Seconds()/r.Duration.Seconds())
		fmt.Fprintf(t, "server memory\t%.1f MiB at the highest\n", float64(r.ServerPeak)/(1<<20))
	}
	fmt.Fprintf(t, "generator CPU\t%s a request, %.0f%% of a processor\n", Shown(each(r.GeneratorCPU, r.Requests)), 100*r.busy())
	return t.Flush()
}

// Shown is a duration to three digits or so.
func Shown(d time.Duration) string {
	switch {
	case d < time.Millisecond:
		return fmt.Sprintf("%.1fµs", float64(d)/float64(time.Microsecond))
	case d < time.Second:
		return fmt.Sprintf("%.2fms", float64(d)/float64(time.Millisecond))
	}
	return fmt.Sprintf("%.2fs", d.Seconds())
}

// MarshalJSON writes the result for programs. Times are in microseconds but for
// the duration, memory is in bytes.
func (r *Result) MarshalJSON() ([]byte, error) {
	us := func(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
	latency := map[string]float64{"mean": r.Latency.Mean() / float64(time.Microsecond)}
	for _, q := range quantiles {
		latency[strings.ReplaceAll(q.name, ".", "_")] = us(r.Quantile(q.at))
	}
	type server struct {
		CPU        float64 `json:"cpu_us_per_request"`
		PeakMemory int64   `json:"peak_memory"`
	}
	out := struct {
		Address      string             `json:"address"`
		Connections  int                `json:"connections"`
		Rate         float64            `json:"rate,omitempty"`
		Seconds      float64            `json:"seconds"`
		Requests     int64              `json:"requests"`
		PerSecond    float64            `json:"per_second"`
		Answered     int64              `json:"answered_in_all"`
		Unsent       int64              `json:"unsent,omitempty"`
		Exhausted    bool               `json:"exhausted,omitempty"`
		Latency      map[string]float64 `json:"latency_us"`
		Actions      map[string]int64   `json:"actions"`
		Errors       map[string]int64   `json:"errors"`
		Server       *server            `json:"server,omitempty"`
		GeneratorCPU float64            `json:"generator_cpu_us_per_request"`
	}{
		Address: r.Address, Connections: r.Connections, Rate: r.Rate, Seconds: r.Duration.Seconds(),
		Requests: r.Requests, PerSecond: r.PerSecond(), Answered: r.Answered, Unsent: r.Unsent, Exhausted: r.Exhausted,
		Latency: latency, Actions: r.Actions, Errors: r.Errors, GeneratorCPU: us(each(r.GeneratorCPU, r.Requests)),
	}
	if r.Measured {
		out.Server = &server{us(r.CPUPerRequest()), r.ServerPeak}
	}
	return json.Marshal(out)
}
