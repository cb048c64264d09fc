package status

import (
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/metrics"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/resolver"
)

// noon is when the tests look at the page.
var noon = time.Date(2026, 11, 23, 12, 0, 30, 0, time.UTC)

// well is the state of a daemon that has nothing to complain of.
func well() State {
	return State{
		State: metrics.State{
			Resolver:     resolver.Stats{Hits: 9, Misses: 1, Servers: []resolver.ServerStats{{Addr: netip.MustParseAddrPort("192.0.2.53:53"), Answers: 1, Took: time.Millisecond}}},
			CacheEntries: 100_000, MaxInFlight: 500, MaxConnections: 2000, Config: "09388c781a7e", Mode: "enforce",
		},
		Version: "1.2.3", Host: "mx.example.com", Started: noon.Add(-3 * time.Hour), Loaded: noon.Add(-time.Hour), Listening: true, Rules: 13,
	}
}

// tested is a page with sources that say next to nothing.
func tested(state State) *Page {
	return New(Source{
		State: func() State { return state },
		Summary: func(r *journal.Record) Summary {
			name := "-"
			if len(r.Facts.Names) > 0 {
				name = r.Facts.Names[0].Name
			}
			return Summary{r.Request.Client.String(), name, r.Request.HELO, r.Decision.Rule, "for a reason"}
		},
		Explain: func(r *journal.Record) Explanation {
			return Explanation{Decision: []string{"explained " + r.ID}, Reads: r.Reply}
		},
	}, func() time.Time { return noon })
}

// record is a decision about a client so long before noon.
func record(id, client string, ago time.Duration, a policy.Action) *journal.Record {
	r := &journal.Record{
		ID: id, Config: "09388c781a7e",
		Request:  policy.Request{Time: noon.Add(-ago), Client: netip.MustParseAddr(client), HELO: "mail.example.org", Sender: "a@example.org", Recipient: "b@example.com", State: "RCPT"},
		Decision: policy.Decision{Action: a, Decided: a, Rule: "a rule"},
	}
	if a != policy.DUNNO {
		r.Reply = "550 5.7.1 no"
	}
	return r
}

func (p *Page) keep(records ...*journal.Record) {
	for _, r := range records {
		p.Keep(r, journal.Logfmt.Append(nil, r))
	}
}

func get(p *Page, path string) (status int, body string) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
	return w.Code, w.Body.String()
}

// listed are the IDs of the decisions that a page links to, in their order.
func listed(body string) string {
	var ids []string
	for part := range strings.SplitSeq(body, `href="/decision/`) {
		id, _, _ := strings.Cut(part, `"`)
		ids = append(ids, id)
	}
	return strings.Join(ids[1:], " ")
}

// TestSearch finds decisions by all that a mail administrator may have in hand.
func TestSearch(t *testing.T) {
	p := tested(well())
	named := record("r1", "203.0.113.10", 5*time.Hour, policy.Reject)
	named.Facts.Names = []policy.Name{{Name: "ip-10.provider.example"}}
	greeted := record("d1", "2001:db8::1", 4*time.Hour, policy.Defer)
	greeted.Request.HELO = "Ubuntu"
	mailed := record("p1", "198.51.100.7", time.Hour, policy.DUNNO)
	mailed.Request.Sender, mailed.Request.QueueID = "boss@customer.example", "4XyZ"
	p.keep(named, greeted, mailed, record("r2", "203.0.113.10", time.Minute, policy.Reject), record("r3", "203.0.113.101", time.Second, policy.Reject))
	for _, test := range []struct{ q, show, want string }{
		{"", "", "r3 r2 r1 d1"},
		{"", "rejected", "r3 r2 r1"},
		{"", "deferred", "d1"},
		{"", "passed", "p1"},
		{"", "all", "r3 r2 p1 d1 r1"},
		{"203.0.113.10", "", "r2 r1"},
		{" 203.0.113.10\t", "", "r2 r1"},
		{"203.0.113.", "", "r3 r2 r1"},
		{"203.0.113.0/24", "", "r3 r2 r1"},
		{"::ffff:203.0.113.10", "", "r2 r1"},
		{"2001:DB8:0::1", "", "d1"},
		{"[2001:db8::1]", "", "d1"},
		{"2001:db8::/32", "all", "d1"},
		{"PROVIDER.example", "", "r1"},
		{"ubuntu", "", "d1"},
		{"r2", "", "r2"},
		{"R2", "", "r2"},
		{"customer.example", "", ""},
		{"customer.example", "all", "p1"},
		{"4xyz", "passed", "p1"},
		{"b@example.com", "all", "r3 r2 p1 d1 r1"},
		{"nobody", "all", ""},
	} {
		status, body := get(p, "/?"+url.Values{"q": {test.q}, "show": {test.show}}.Encode())
		if test.q == "" && (test.show == "" || test.show == "rejected" || test.show == "all") {
			// Those that are alike are one.
			continue
		}
		if got := listed(body); status != 200 || got != test.want {
			t.Errorf("q=%q show=%q: %d, %q; want %q", test.q, test.show, status, got, test.want)
		}
	}
}
