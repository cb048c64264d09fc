// Package metrics is what Prometheus sees of the daemon.
//
// Decisions are counted as they are made ([Tally.Count]): the counters of every
// rule are found once for each configuration, so that a decision costs a few
// atomic additions. All the rest is counted where it happens, by the resolver,
// the server and the log, and read when somebody asks ([State]).
//
// Label values are bounded: names of rules and addresses of DNS servers come from
// the configuration, and those of a rule that is no longer in it go with it.
// Nothing that a client or the DNS chose is a label.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
)

// State is what is read when metrics are asked for.
type State struct {
	Resolver     resolver.Stats
	CacheEntries int // that there may be
	MaxInFlight  int

	Server         postfix.Stats
	MaxConnections int

	History *history.State // nil: nothing is remembered of clients

	LostLines    uint64 // of the decision log
	PendingBytes int    // of it, that wait to be written

	Config string // hash
	Mode   string // enforce or observe
}

// Metrics are the metrics of one daemon. The zero value is of no use: see [New].
type Metrics struct {
	registry *prometheus.Registry
	handler  http.Handler

	decisions *prometheus.CounterVec
	observed  *prometheus.CounterVec
	impaired  *prometheus.CounterVec
	waiting   *prometheus.CounterVec
	history   *prometheus.CounterVec
	returns   prometheus.Counter
	wanted    prometheus.Counter
	duration  prometheus.Histogram
	reloads   *prometheus.CounterVec
	reloaded  prometheus.Gauge
	reloadOK  prometheus.Gauge
}

// namespace begins the name of every metric of our own.
const namespace = "policyd_rdns"

// maxScrapes bounds the scrapes that are answered at once.
const maxScrapes = 4

// New makes the metrics of a daemon of some version, which has read its
// configuration. state is called for each scrape, by several goroutines at once.
func New(version string, state func() State) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		decisions: counters("decisions_total",
			"Decisions, by what Postfix was told and the rule that decided; rule is empty if none held.", "action", "rule"),
		observed: counters("observed_total",
			"Decisions that were only observed, by a rule or by the whole configuration, by what they would have been.", "action", "rule"),
		impaired: counters("impaired_decisions_total", impairedHelp(), "reason"),
		waiting: counters("waiting_decisions_total",
			"Decisions that a rule which rejects deferred, for it waits (defer_for, grace).", "rule"),
		history: counters("history_total", "Decisions that asked whether the client came before, by what the check history says.", "result"),
		returns: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "returns_total",
			Help: "Decisions about a message that the client had been deferred for, and came back with in time (history.delay, history.window).",
		}),
		wanted: prometheus.NewCounter(prometheus.CounterOpts{
			Namespace: namespace, Name: "wanted_refused_total",
			Help: "Decisions to refuse, carried out or only observed, of clients that are known for having passed before, and so are probably wanted.",
		}),
		duration: prometheus.NewHistogram(prometheus.HistogramOpts{
			Namespace: namespace, Name: "decision_duration_seconds",
			Help: "Time from a request to its decision, DNS included.",
			// Some 10 µs from the cache; 5 s is the default deadline.
			Buckets: []float64{25e-6, 100e-6, 500e-6, 1e-3, 5e-3, 10e-3, 25e-3, 50e-3, 0.1, 0.25, 0.5, 1, 2.5, 5, 10},
		}),
		reloads:  counters("config_reloads_total", "Times that the configuration was read again.", "result"),
		reloaded: gauge("config_last_reload_success_timestamp_seconds", "When the configuration in force was read, in seconds since 1970.", nil),
		reloadOK: gauge("config_last_reload_successful", "1 if the configuration could be read the last time; 0: an older one is in force.", nil),
	}
	build := gauge("build_info", "1; the labels say what runs.", prometheus.Labels{"version": version, "goversion": runtime.Version()})
	build.Set(1)
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.decisions, m.observed, m.impaired, m.waiting, m.history, m.returns, m.wanted, m.duration, m.reloads, m.reloaded, m.reloadOK, build, newCollector(state),
	)
	m.handler = promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{MaxRequestsInFlight: maxScrapes, EnableOpenMetrics: true})
	for _, result := range []string{success, failure} {
		m.reloads.WithLabelValues(result)
	}
	m.inForce(time.Now())
	return m
}

func counters(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string, labels prometheus.Labels) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help, ConstLabels: labels})
}

// ServeHTTP answers with all metrics, in Prometheus's text format or in
// OpenMetrics.
func (m *Metrics) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.handler.ServeHTTP(w, r) }

// The results of a reload.
const (
	success = "success"
	failure = "failure"
)

// Reloaded says that the configuration was read again, and whether it is in
// force.
func (m *Metrics) Reloaded(at time.Time, ok bool) {
	if !ok {
		m.reloads.WithLabelValues(failure).Inc()
		m.reloadOK.Set(0)
		return
	}
	m.reloads.WithLabelValues(success).Inc()
	m.inForce(at)
}

func (m *Metrics) inForce(at time.Time) {
	m.reloadOK.Set(1)
	m.reloaded.Set(float64(at.UnixMilli()) / 1000)
}
