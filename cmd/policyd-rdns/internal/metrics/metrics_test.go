package metrics

import (
	"bytes"
	"net/http/httptest"
	"net/netip"
	"os/exec"
	"regexp"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver"
)

// busy is the state of a daemon that has seen something of everything.
func busy() State {
	return State{
		Resolver: resolver.Stats{
			Servers: []resolver.ServerStats{
				{
					Addr: netip.MustParseAddrPort("192.0.2.53:53"), Answers: 3, Failures: 1, Took: 6 * time.Millisecond,
					Tries: []resolver.TryStats{{Kind: resolver.KindPTR, Outcome: resolver.Found, N: 3}, {Kind: resolver.KindA, Outcome: resolver.TempError, N: 1}},
					Times: []uint64{0, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3},
				},
				{Addr: netip.MustParseAddrPort("[2001:db8::53]:53"), Failing: true, Times: make([]uint64, 12)},
				{Addr: netip.MustParseAddrPort("192.0.2.53:53"), Times: make([]uint64, 12)},
			},
			Lookups: []resolver.LookupStats{
				{Kind: resolver.KindPTR, Outcome: resolver.Found, Source: resolver.Cached, N: 40},
				{Kind: resolver.KindAAAA, Outcome: resolver.None, Source: resolver.Queried, N: 2},
			},
			Hits: 40, Misses: 2, Stale: 1, Coalesced: 5, Prefetched: 6, Busy: 7, Share: 8, Displaced: 14, Panics: 9, Entries: 10, InFlight: 11, Outage: true,
		},
		CacheEntries: 100_000, MaxInFlight: 500,
		Server:         postfix.Stats{Open: 1, Accepted: 2, AcceptFailures: 3, Full: 4, GaveWay: 8, Requests: 5, BadRequests: 6, Panics: 7},
		MaxConnections: 2000, LostLines: 12, PendingBytes: 13, History: &history.State{Parties: 15, MaxParties: 200_000, Store: true, StoreAnswers: true}, Config: "09388c781a7e", Mode: "enforce",
	}
}

// rules are two that refuse, of which one is only observed.
func rules() *policy.Rules {
	return &policy.Rules{List: []policy.Rule{
		{Name: "no reverse name", Action: policy.Reject},
		{Name: `tried "first"`, Action: policy.Defer, Observe: true},
	}}
}

// scraped is what a scrape gets.
func scraped(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	return w.Body.String()
}

func expect(t *testing.T, text string, lines ...string) {
	t.Helper()
	for _, line := range lines {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
	if t.Failed() {
		t.Log(regexp.MustCompile(`(?m)^(#|go_|process_).*\n`).ReplaceAllString(text, ""))
	}
}

// TestState: what the daemon counts elsewhere is exported under its name.
func TestState(t *testing.T) {
	expect(t, scraped(t, New("1.2.3", busy)),
		`policyd_rdns_config_info{config="09388c781a7e",mode="enforce"} 1`,
		`policyd_rdns_lookups_total{outcome="found",source="cache",type="PTR"} 40`,
		`policyd_rdns_lookups_total{outcome="none",source="queried",type="AAAA"} 2`,
		`policyd_rdns_lookups_refused_total{reason="busy"} 7`,
		`policyd_rdns_lookups_refused_total{reason="share"} 8`,
		`policyd_rdns_lookups_refused_total{reason="displaced"} 14`,
		`policyd_rdns_lookups_coalesced_total 5`, `policyd_rdns_lookups_prefetched_total 6`,
		`policyd_rdns_lookups_in_flight 11`, `policyd_rdns_lookups_in_flight_max 500`,
		`policyd_rdns_panics_total{part="resolver"} 9`, `policyd_rdns_panics_total{part="handler"} 7`,
		`policyd_rdns_dns_tries_total{outcome="found",server="192.0.2.53:53",type="PTR"} 3`,
		`policyd_rdns_dns_tries_total{outcome="temperror",server="192.0.2.53:53",type="A"} 1`,
		`policyd_rdns_dns_answer_duration_seconds_bucket{server="192.0.2.53:53",le="0.001"} 2`,
		`policyd_rdns_dns_answer_duration_seconds_bucket{server="192.0.2.53:53",le="+Inf"} 3`,
		`policyd_rdns_dns_answer_duration_seconds_sum{server="192.0.2.53:53"} 0.006`,
		`policyd_rdns_dns_server_failing{server="192.0.2.53:53"} 0`, `policyd_rdns_dns_server_failing{server="[2001:db8::53]:53"} 1`,
		`policyd_rdns_dns_outage 1`, `policyd_rdns_cache_hits_total 40`, `policyd_rdns_cache_misses_total 2`,
		`policyd_rdns_cache_stale_hits_total 1`, `policyd_rdns_cache_entries 10`, `policyd_rdns_cache_entries_max 100000`,
		`policyd_rdns_connections 1`, `policyd_rdns_connections_max 2000`, `policyd_rdns_connections_accepted_total 2`,
		`policyd_rdns_connection_accept_failures_total 3`, `policyd_rdns_connection_waits_total 4`, `policyd_rdns_connections_gave_way_total 8`,
		`policyd_rdns_requests_total 5`, `policyd_rdns_bad_requests_total 6`,
		`policyd_rdns_log_dropped_lines_total 12`, `policyd_rdns_log_pending_bytes 13`,
		`policyd_rdns_history_parties 15`, `policyd_rdns_history_parties_max 200000`, `policyd_rdns_history_store_up 1`,
	)
}

// TestHistoryState: what there is not is not exported, nor is a store of memory alone.
func TestHistoryState(t *testing.T) {
	for _, test := range []struct {
		history *history.State
		want    string // the values of parties, most parties, store
	}{
		{nil, ""},
		{&history.State{Parties: 3, MaxParties: 9}, "parties 3, parties_max 9"},
		{&history.State{Parties: 3, MaxParties: 9, Store: true}, "parties 3, parties_max 9, store_up 0"},
		{&history.State{Parties: 3, MaxParties: 9, Store: true, StoreAnswers: true}, "parties 3, parties_max 9, store_up 1"},
	} {
		text := scraped(t, New("1.2.3", func() State { return State{History: test.history} }))
		var got []string
		for _, series := range regexp.MustCompile(`(?m)^policyd_rdns_history_((?:parties|store).*)`).FindAllStringSubmatch(text, -1) {
			got = append(got, series[1])
		}
		if got := strings.Join(got, ", "); got != test.want {
			t.Errorf("%+v is exported as %s; want %s", test.history, got, test.want)
		}
	}
}

// TestRemembered counts what follows from what is remembered of clients.
func TestRemembered(t *testing.T) {
	m := New("1.2.3", busy)
	tally := m.Tally(rules(), nil)
	expect(t, scraped(t, m), `policyd_rdns_history_total{result="known"} 0`, `policyd_rdns_history_total{result="new"} 0`,
		`policyd_rdns_history_total{result="returned"} 0`, `policyd_rdns_returns_total 0`, `policyd_rdns_waiting_decisions_total{rule="no reverse name"} 0`)
	at := time.Unix(1_795_424_400, 0)
	for _, one := range []struct {
		result   policy.Result
		returned time.Time
		rule     string
		waiting  int
		mode     policy.Mode
	}{
		{policy.New, time.Time{}, "no reverse name", 3600, policy.Enforce},
		{policy.Returned, at, "no reverse name", 60, policy.Enforce},
		{policy.Returned, at.Add(-time.Second), "old", 60, policy.Enforce},
		{policy.Known, at.Add(-time.Hour), "", 0, policy.Enforce},
		{policy.Known, at.Add(-time.Hour), "no reverse name", 0, policy.Observe},
		{policy.New, time.Time{}, "no reverse name", 60, policy.Observe},
		{policy.NotLearnt, time.Time{}, "no reverse name", 0, policy.Enforce},
	} {
		d := policy.Decision{Rule: one.rule, Waiting: one.waiting, Mode: one.mode}
		d.Checks[policy.CheckHistory] = one.result
		if one.rule != "" {
			d.Decided = policy.Defer
			if one.mode == policy.Enforce {
				d.Action = policy.Defer
			}
		}
		var f policy.Facts
		f.Past.Returned = one.returned
		tally.Count(&policy.Request{Time: at.Add(300 * time.Millisecond)}, &d, &f, 0)
	}
	expect(t, scraped(t, m), `policyd_rdns_history_total{result="known"} 2`, `policyd_rdns_history_total{result="new"} 2`,
		`policyd_rdns_history_total{result="returned"} 2`, `policyd_rdns_returns_total 1`, `policyd_rdns_wanted_refused_total 1`,
		`policyd_rdns_waiting_decisions_total{rule="no reverse name"} 2`, `policyd_rdns_waiting_decisions_total{rule="old"} 1`)
	other := rules()
	other.List[0].Name = "another"
	m.Tally(other, tally)
	if text := scraped(t, m); strings.Contains(text, `waiting_decisions_total{rule="no reverse name"}`) {
		t.Errorf("a rule that is gone is still exported")
	}
}

// TestTally counts decisions by what was done and by what was observed.
func TestTally(t *testing.T) {
	m := New("1.2.3", busy)
	tally := m.Tally(rules(), nil)
	expect(t, scraped(t, m), `policyd_rdns_decisions_total{action="reject",rule="no reverse name"} 0`,
		`policyd_rdns_observed_total{action="defer",rule="tried \"first\""} 0`)
	tally.Count(&policy.Request{}, &policy.Decision{Action: policy.Reject, Decided: policy.Reject, Rule: "no reverse name"}, &policy.Facts{}, time.Millisecond)
	tally.Count(&policy.Request{}, &policy.Decision{Action: policy.Defer, Decided: policy.Defer, Rule: "no reverse name", Downgraded: true}, &policy.Facts{Stale: true}, 2*time.Second)
	tally.Count(&policy.Request{}, &policy.Decision{Would: []policy.Ruling{{Action: policy.Defer, Rule: `tried "first"`}}}, &policy.Facts{Outage: true, Overload: true}, 0)
	// Of a configuration that was replaced while this was decided.
	tally.Count(&policy.Request{}, &policy.Decision{Action: policy.Info, Decided: policy.Reject, Rule: "old"}, &policy.Facts{}, 0)
	var none *Tally
	none.Count(&policy.Request{}, &policy.Decision{}, &policy.Facts{}, 0)
	text := scraped(t, m)
	expect(t, text,
		`policyd_rdns_decisions_total{action="reject",rule="no reverse name"} 1`,
		`policyd_rdns_decisions_total{action="defer",rule="no reverse name"} 1`,
		`policyd_rdns_decisions_total{action="dunno",rule=""} 1`,
		`policyd_rdns_decisions_total{action="info",rule="old"} 1`,
		`policyd_rdns_observed_total{action="defer",rule="tried \"first\""} 1`,
		`policyd_rdns_observed_total{action="reject",rule="old"} 1`,
		`policyd_rdns_impaired_decisions_total{reason="downgraded"} 1`, `policyd_rdns_impaired_decisions_total{reason="stale"} 1`,
		`policyd_rdns_impaired_decisions_total{reason="outage"} 1`, `policyd_rdns_impaired_decisions_total{reason="overload"} 1`,
		`policyd_rdns_decision_duration_seconds_bucket{le="0.001"} 3`, `policyd_rdns_decision_duration_seconds_count 4`,
	)

	// Rules that are gone leave nothing behind; the others go on to count.
	other := rules()
	other.List[1].Name = "another"
	m.Tally(other, tally)
	text = scraped(t, m)
	expect(t, text, `policyd_rdns_decisions_total{action="reject",rule="no reverse name"} 1`, `policyd_rdns_observed_total{action="defer",rule="another"} 0`)
	if strings.Contains(text, "tried") {
		t.Errorf("a rule that is gone is still exported")
	}
}

// TestObserveMode: under mode = "observe" nothing is done and all is observed.
func TestObserveMode(t *testing.T) {
	m := New("1.2.3", busy)
	r := rules()
	r.Mode = policy.Observe
	m.Tally(r, nil).Count(&policy.Request{}, &policy.Decision{Decided: policy.Reject, Rule: "no reverse name", Mode: policy.Observe}, &policy.Facts{}, 0)
	expect(t, scraped(t, m), `policyd_rdns_decisions_total{action="dunno",rule="no reverse name"} 1`,
		`policyd_rdns_observed_total{action="reject",rule="no reverse name"} 1`)
}

func TestReloaded(t *testing.T) {
	m := New("1.2.3", busy)
	at := time.UnixMilli(1_795_424_400_500)
	m.Reloaded(at, true)
	m.Reloaded(at.Add(time.Hour), false)
	expect(t, scraped(t, m), `policyd_rdns_config_last_reload_success_timestamp_seconds 1.7954244005e+09`,
		`policyd_rdns_config_last_reload_successful 0`,
		`policyd_rdns_config_reloads_total{result="success"} 1`, `policyd_rdns_config_reloads_total{result="failure"} 1`)
}

// TestPromtool has Prometheus's own tool look at the names and units.
func TestPromtool(t *testing.T) {
	promtool := needPromtool(t)
	m := New("1.2.3", busy)
	m.Tally(rules(), nil)
	cmd := exec.Command(promtool, "check", "metrics")
	cmd.Stdin = strings.NewReader(scraped(t, m))
	out, err := cmd.CombinedOutput()
	if err != nil || len(bytes.TrimSpace(out)) > 0 {
		t.Errorf("promtool check metrics: %v\n%s", err, out)
	}
}

func TestCountAllocatesNothing(t *testing.T) {
	tally, d, f := New("1.2.3", busy).Tally(rules(), nil), policy.Decision{Action: policy.Reject, Decided: policy.Reject, Rule: "no reverse name"}, policy.Facts{}
	req := policy.Request{Time: time.Unix(1_795_424_400, 5)}
	f.Past.Returned, d.Checks[policy.CheckHistory], d.Waiting = time.Unix(1_795_424_400, 0), policy.Known, 9
	if got := testing.AllocsPerRun(100, func() { tally.Count(&req, &d, &f, time.Millisecond) }); got != 0 {
		t.Errorf("Count: %v allocations; want none", got)
	}
}

func BenchmarkCount(b *testing.B) {
	tally := New("1.2.3", busy).Tally(&policy.Rules{List: builtin.Rules()}, nil)
	req, d, f := policy.Request{}, policy.Decision{Action: policy.Reject, Decided: policy.Reject, Rule: "no reverse name"}, policy.Facts{}
	b.ReportAllocs()
	for b.Loop() {
		tally.Count(&req, &d, &f, time.Millisecond)
	}
}
