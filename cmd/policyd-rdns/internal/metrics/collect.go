package metrics

import (
	"net/netip"

	"github.com/prometheus/client_golang/prometheus"

	"policyd-rdns/policy/history"
	"policyd-rdns/resolver"
)

// collector reads the daemon's state at each scrape.
type collector struct {
	state  func() State
	single []single

	config, lookups, refused, panics *prometheus.Desc
	tries, answerTime, failing       *prometheus.Desc
	parties, partiesMax, storeUp     *prometheus.Desc
}

// single is a metric of one value.
type single struct {
	desc  *prometheus.Desc
	kind  prometheus.ValueType
	value func(*State) float64
}

func newCollector(state func() State) *collector {
	c := &collector{
		state:      state,
		config:     describe("config_info", "1; the labels are the hash of the configuration in force, and its mode.", "config", "mode"),
		lookups:    describe("lookups_total", "Lookups for clients, by type of record, outcome and source.", "type", "outcome", "source"),
		refused:    describe("lookups_refused_total", "Lookups refused, for too many were under way in all (busy) or for one network or zone (share), or ended for others (displaced).", "reason"),
		panics:     describe("panics_total", "Errors of the program that cost one request or one lookup its answer, or one connection.", "part"),
		tries:      describe("dns_tries_total", "Queries sent to a DNS server, by type of record and outcome. NS are probes.", "server", "type", "outcome"),
		answerTime: describe("dns_answer_duration_seconds", "Time that a DNS server took for an answer.", "server"),
		parties:    describe("history_parties", "Parties of clients that are remembered in memory."),
		partiesMax: describe("history_parties_max", "Parties that may be."),
		storeUp:    describe("history_store_up", "1 if the store of what is remembered answered the last time; 0: memory alone tells."),
		failing:    describe("dns_server_failing", "1 if a DNS server is queried last because it failed the last time.", "server"),
	}
	c.add(prometheus.CounterValue, "cache_hits_total", "Lookups answered from the cache.", func(s *State) float64 { return float64(s.Resolver.Hits) })
	c.add(prometheus.CounterValue, "cache_misses_total", "Lookups that the cache could not answer.", func(s *State) float64 { return float64(s.Resolver.Misses) })
	c.add(prometheus.CounterValue, "cache_stale_hits_total", "Hits with an answer past its TTL.", func(s *State) float64 { return float64(s.Resolver.Stale) })
	c.add(prometheus.GaugeValue, "cache_entries", "Answers that are kept, those past their TTL included.", func(s *State) float64 { return float64(s.Resolver.Entries) })
	c.add(prometheus.GaugeValue, "cache_entries_max", "Answers that may be kept.", func(s *State) float64 { return float64(s.CacheEntries) })
	c.add(prometheus.CounterValue, "lookups_coalesced_total", "Lookups that waited for the query of another.", func(s *State) float64 { return float64(s.Resolver.Coalesced) })
	c.add(prometheus.CounterValue, "lookups_prefetched_total", "Answers queried again before they expired.", func(s *State) float64 { return float64(s.Resolver.Prefetched) })
	c.add(prometheus.GaugeValue, "lookups_in_flight", "Lookups under way.", func(s *State) float64 { return float64(s.Resolver.InFlight) })
	c.add(prometheus.GaugeValue, "lookups_in_flight_max", "Lookups that may be under way.", func(s *State) float64 { return float64(s.MaxInFlight) })
	c.add(prometheus.GaugeValue, "dns_outage", "1 while no DNS server answers.", func(s *State) float64 { return number(s.Resolver.Outage) })
	c.add(prometheus.GaugeValue, "connections", "Policy connections that are open.", func(s *State) float64 { return float64(s.Server.Open) })
	c.add(prometheus.GaugeValue, "connections_max", "Policy connections that there may be.", func(s *State) float64 { return float64(s.MaxConnections) })
	c.add(prometheus.CounterValue, "connections_accepted_total", "Policy connections accepted.", func(s *State) float64 { return float64(s.Server.Accepted) })
	c.add(prometheus.CounterValue, "connection_accept_failures_total", "Tries to accept a policy connection that failed.", func(s *State) float64 { return float64(s.Server.AcceptFailures) })
	c.add(prometheus.CounterValue, "connection_waits_total", "New policy connections that found as many as there may be.", func(s *State) float64 { return float64(s.Server.Full) })
	c.add(prometheus.CounterValue, "connections_gave_way_total", "Idle policy connections that were closed so that new ones could be served.", func(s *State) float64 { return float64(s.Server.GaveWay) })
	c.add(prometheus.CounterValue, "requests_total", "Policy requests read.", func(s *State) float64 { return float64(s.Server.Requests) })
	c.add(prometheus.CounterValue, "bad_requests_total", "Policy connections closed for what was sent over them, or was not.", func(s *State) float64 { return float64(s.Server.BadRequests) })
	c.add(prometheus.CounterValue, "log_dropped_lines_total", "Lines of the decision log that were lost.", func(s *State) float64 { return float64(s.LostLines) })
	c.add(prometheus.GaugeValue, "log_pending_bytes", "Bytes of the decision log that wait to be written.", func(s *State) float64 { return float64(s.PendingBytes) })
	return c
}

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc(prometheus.BuildFQName(namespace, "", name), help, labels, nil)
}

func (c *collector) add(kind prometheus.ValueType, name, help string, value func(*State) float64) {
	c.single = append(c.single, single{describe(name, help), kind, value})
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// Describe is that of [prometheus.Collector].
func (c *collector) Describe(to chan<- *prometheus.Desc) {
	for _, s := range c.single {
		to <- s.desc
	}
	for _, d := range []*prometheus.Desc{c.config, c.lookups, c.refused, c.panics, c.tries, c.answerTime, c.failing, c.parties, c.partiesMax, c.storeUp} {
		to <- d
	}
}

// Collect is that of [prometheus.Collector].
func (c *collector) Collect(to chan<- prometheus.Metric) {
	s := c.state()
	for _, one := range c.single {
		to <- prometheus.MustNewConstMetric(one.desc, one.kind, one.value(&s))
	}
	counter := func(d *prometheus.Desc, n uint64, labels ...string) {
		to <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(n), labels...)
	}
	to <- prometheus.MustNewConstMetric(c.config, prometheus.GaugeValue, 1, s.Config, s.Mode)
	for _, l := range s.Resolver.Lookups {
		counter(c.lookups, l.N, l.Kind.String(), l.Outcome.String(), l.Source.String())
	}
	counter(c.refused, s.Resolver.Busy, "busy")
	counter(c.refused, s.Resolver.Share, "share")
	counter(c.refused, s.Resolver.Displaced, "displaced")
	counter(c.panics, s.Resolver.Panics, "resolver")
	counter(c.panics, uint64(s.Server.Panics), "handler")
	c.history(to, s.History)
	told := map[netip.AddrPort]bool{}
	for i := range s.Resolver.Servers {
		// resolv.conf(5) may name one twice.
		if one := &s.Resolver.Servers[i]; !told[one.Addr] {
			told[one.Addr] = true
			c.server(to, one)
		}
	}
}

// history tells what is remembered of clients, if anything is.
func (c *collector) history(to chan<- prometheus.Metric, h *history.State) {
	if h == nil {
		return
	}
	to <- prometheus.MustNewConstMetric(c.parties, prometheus.GaugeValue, float64(h.Parties))
	to <- prometheus.MustNewConstMetric(c.partiesMax, prometheus.GaugeValue, float64(h.MaxParties))
	if h.Store {
		to <- prometheus.MustNewConstMetric(c.storeUp, prometheus.GaugeValue, number(h.StoreAnswers))
	}
}

// server tells of one DNS server.
func (c *collector) server(to chan<- prometheus.Metric, s *resolver.ServerStats) {
	addr := s.Addr.String()
	for _, t := range s.Tries {
		to <- prometheus.MustNewConstMetric(c.tries, prometheus.CounterValue, float64(t.N), addr, t.Kind.String(), t.Outcome.String())
	}
	buckets := map[float64]uint64{}
	for i, most := range resolver.AnswerTimes() {
		buckets[most.Seconds()] = s.Times[i]
	}
	to <- prometheus.MustNewConstHistogram(c.answerTime, s.Answers, s.Took.Seconds(), buckets, addr)
	to <- prometheus.MustNewConstMetric(c.failing, prometheus.GaugeValue, number(s.Failing), addr)
}
