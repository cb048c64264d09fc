package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"policyd-rdns/policy"
)

// Tally counts the decisions that are made by one configuration. The nil Tally
// counts nothing.
type Tally struct {
	m                                   *Metrics
	decisions, observed                 map[string]byAction // by rule
	downgraded, stale, outage, overload prometheus.Counter
}

// byAction are a rule's counters; nil for what it hardly comes to.
type byAction [policy.NumActions]prometheus.Counter

// Tally finds the counters for the decisions of a configuration, and makes those
// that are new, with the value 0. The counters of rules that are not among its
// own are dropped: it is to be called again when the configuration changes.
func (m *Metrics) Tally(rules *policy.Rules, old *Tally) *Tally {
	t := &Tally{
		m: m, decisions: map[string]byAction{}, observed: map[string]byAction{},
		downgraded: m.impaired.WithLabelValues("downgraded"), stale: m.impaired.WithLabelValues("stale"),
		outage: m.impaired.WithLabelValues("outage"), overload: m.impaired.WithLabelValues("overload"),
	}
	t.add(t.decisions, m.decisions, "", policy.DUNNO)
	for i := range rules.List {
		r := &rules.List[i]
		switch {
		case r.Observe:
			t.add(t.observed, m.observed, r.Name, r.Action)
		case rules.Mode == policy.Enforce:
			t.add(t.decisions, m.decisions, r.Name, r.Action)
		default:
			t.add(t.observed, m.observed, r.Name, r.Action)
			t.add(t.decisions, m.decisions, r.Name, policy.DUNNO)
		}
	}
	if old != nil {
		drop(m.decisions, old.decisions, t.decisions)
		drop(m.observed, old.observed, t.observed)
	}
	return t
}

// add finds a rule's counters for its action, and what doubt may make of it.
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
func drop(v *prometheus.CounterVec, before, now map[string]byAction) {
	for rule := range before {
		if _, ok := now[rule]; !ok {
			v.DeletePartialMatch(prometheus.Labels{"rule": rule})
		}
	}
}

// Count counts a decision, the facts that it rests on, and the time that it took.
func (t *Tally) Count(d *policy.Decision, f *policy.Facts, took time.Duration) {
	if t == nil {
		return
	}
	count(t.decisions, t.m.decisions, policy.Ruling{Action: d.Action, Rule: d.Rule})
	t.m.duration.Observe(took.Seconds())
	for _, v := range d.Would {
		count(t.observed, t.m.observed, v)
	}
	if d.Decided != d.Action {
		count(t.observed, t.m.observed, policy.Ruling{Action: d.Decided, Rule: d.Rule})
	}
	for _, reason := range [...]struct {
		holds   bool
		counter prometheus.Counter
	}{{d.Downgraded, t.downgraded}, {f.Stale, t.stale}, {f.Outage, t.outage}, {f.Overload, t.overload}} {
		if reason.holds {
			reason.counter.Inc()
		}
	}
}

func count(in map[string]byAction, all *prometheus.CounterVec, v policy.Ruling) {
	if c := in[v.Rule][v.Action]; c != nil {
		c.Inc()
		return
	}
	all.WithLabelValues(v.Action.String(), v.Rule).Inc()
}
