package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// Tally counts the decisions that are made by one configuration. The nil Tally
// counts nothing.
type Tally struct {
	m                   *Metrics
	decisions, observed map[string]byAction // by rule
	impaired            [len(impairments)]prometheus.Counter
	waiting             map[string]prometheus.Counter // by rule
	history             map[policy.Result]prometheus.Counter
}

// impairments are what makes a decision less than it could be, in the order of the
// documentation.
var impairments = [...]struct {
	reason, means string
	holds         func(*policy.Decision, *policy.Facts) bool
}{
	{"downgraded", "were less than a reject for a temporary failure", func(d *policy.Decision, _ *policy.Facts) bool { return d.Downgraded }},
	{"stale", "rested on an answer past its TTL", func(_ *policy.Decision, f *policy.Facts) bool { return f.Stale }},
	{"outage", "were made while no DNS server answered", func(_ *policy.Decision, f *policy.Facts) bool { return f.Outage }},
	{"overload", "were made without room for a lookup", func(_ *policy.Decision, f *policy.Facts) bool { return f.Overload }},
}

// impairedHelp is what there is to know about the metric of impairments.
func impairedHelp() string {
	means := make([]string, len(impairments))
	for i, one := range impairments {
		means[i] = one.means + " (" + one.reason + ")"
	}
	return "Decisions that " + plain.List(means, "or") + "."
}

// byAction are a rule's counters; nil for what it hardly comes to.
type byAction [policy.NumActions]prometheus.Counter

// Tally finds the counters for the decisions of a configuration, and makes those
// that are new, with the value 0. The counters of rules that are not among its
// own are dropped: it is to be called again when the configuration changes.
func (m *Metrics) Tally(rules *policy.Rules, old *Tally) *Tally {
	t := &Tally{m: m, decisions: map[string]byAction{}, observed: map[string]byAction{}, waiting: map[string]prometheus.Counter{}, history: map[policy.Result]prometheus.Counter{}}
	for i, one := range impairments {
		t.impaired[i] = m.impaired.WithLabelValues(one.reason)
	}
	for _, result := range policy.CheckHistory.Results() {
		t.history[result] = m.history.WithLabelValues(result.String())
	}
	t.add(t.decisions, m.decisions, "", policy.DUNNO)
	for i := range rules.List {
		r := &rules.List[i]
		switch {
		case r.Observe:
			t.add(t.observed, m.observed, r.Name, r.Action)
		case rules.Mode == policy.Enforce:
			t.add(t.decisions, m.decisions, r.Name, r.Action)
			if r.Action.Permanent() {
				t.waiting[r.Name] = m.waiting.WithLabelValues(r.Name)
			}
		default:
			t.add(t.observed, m.observed, r.Name, r.Action)
			t.add(t.decisions, m.decisions, r.Name, policy.DUNNO)
		}
	}
	if old != nil {
		drop(m.decisions, old.decisions, t.decisions)
		drop(m.observed, old.observed, t.observed)
		drop(m.waiting, old.waiting, t.waiting)
	}
	return t
}

// add finds a rule's counters for its action, and what a temporary failure may make of it.
func (t *Tally) add(to map[string]byAction, from *prometheus.CounterVec, rule string, a policy.Action) {
	c := to[rule]
	for _, less := range policy.Actions(true) {
		if less == a || less.Milder(a) {
			c[less] = from.WithLabelValues(less.String(), rule)
		}
	}
	to[rule] = c
}

// drop forgets the rules that are no longer there.
func drop[T any](v *prometheus.CounterVec, before, now map[string]T) {
	for rule := range before {
		if _, ok := now[rule]; !ok {
			v.DeletePartialMatch(prometheus.Labels{"rule": rule})
		}
	}
}

// Count counts the decision on a request, the facts that it rests on, and the time that it
// took.
func (t *Tally) Count(req *policy.Request, d *policy.Decision, f *policy.Facts, took time.Duration) {
	if t == nil {
		return
	}
	count(t.decisions, t.m.decisions, policy.Ruling{Action: d.Action, Rule: d.Rule})
	t.m.duration.Observe(took.Seconds())
	for _, v := range d.Would {
		count(t.observed, t.m.observed, v)
	}
	if !d.CarriedOut() {
		count(t.observed, t.m.observed, policy.Ruling{Action: d.Decided, Rule: d.Rule})
	}
	for i := range impairments {
		if impairments[i].holds(d, f) {
			t.impaired[i].Inc()
		}
	}
	t.remembered(req, d, f)
}

// remembered counts what follows from what is remembered of a client.
func (t *Tally) remembered(req *policy.Request, d *policy.Decision, f *policy.Facts) {
	if c := t.history[d.Checks[policy.CheckHistory]]; c != nil {
		c.Inc()
	}
	if d.Decided.Refuses() && d.Checks[policy.CheckHistory] == policy.Known {
		t.m.wanted.Inc()
	}
	if d.Waiting > 0 && d.CarriedOut() {
		if c := t.waiting[d.Rule]; c != nil {
			c.Inc()
		} else {
			t.m.waiting.WithLabelValues(d.Rule).Inc()
		}
	}
	// What is remembered is so to the second.
	if !f.Past.Returned.IsZero() && f.Past.Returned.Equal(req.Time.Truncate(time.Second)) {
		t.m.returns.Inc()
	}
}

func count(in map[string]byAction, all *prometheus.CounterVec, v policy.Ruling) {
	if c := in[v.Rule][v.Action]; c != nil {
		c.Inc()
		return
	}
	all.WithLabelValues(v.Action.String(), v.Rule).Inc()
}
