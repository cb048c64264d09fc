package resolver

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestStatsOfLookups counts lookups by what they were, what came of them, and
// where that came from.
func TestStatsOfLookups(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := configured(t, Config{Stale: time.Hour}, `$TTL 60
1.2.0.192.in-addr.arpa. PTR mail.example.com.
mail.example.com. A 192.0.2.1
mail.example.com. AAAA 2001:db8::1
!servfail *.example.net`)
		for _, query := range []string{
			"PTR 192.0.2.1", "PTR 192.0.2.1", "PTR 192.0.2.2", "A mail.example.com", "AAAA mail.example.com",
			"A gone.example.com", "A mail.example.net", "A mail.example.net",
		} {
			b.lookup(query, Options{})
		}
		b.lookup("A other.example.com", Options{CacheOnly: true})
		time.Sleep(61 * time.Second)
		b.set("!drop *")
		b.lookup("PTR 192.0.2.1", Options{})
		s := b.Stats()
		var got []string
		for _, l := range s.Lookups {
			got = append(got, fmt.Sprintf("%v %v %v %d", l.Kind, l.Outcome, l.Source, l.N))
		}
		want := []string{
			"PTR found queried 1", "PTR found cache 1", "PTR found stale 1", "PTR none queried 1",
			"A found queried 1", "A none queried 1", "A temperror queried 1", "A temperror cache 1", "AAAA found queried 1",
		}
		if !slices.Equal(got, want) {
			t.Errorf("lookups\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if s.Hits != 3 || s.Misses != 6 || s.Stale != 1 {
			t.Errorf("%d hits, %d misses, %d stale; want 3, 6, 1", s.Hits, s.Misses, s.Stale)
		}
	})
}

// TestStatsOfServers counts tries by server, and their time.
func TestStatsOfServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, `!delay mail.example.com 7ms
!delay www.example.com 3s
mail.example.com. A 192.0.2.1
alias.example.com. CNAME mail.example.com.
!servfail mail.example.net`, "!servfail *")
		for _, query := range []string{"A mail.example.com", "PTR 192.0.2.1", "A alias.example.com", "A mail.example.net"} {
			b.lookup(query, Options{})
		}
		for i, want := range []string{"PTR none 1, A found 2, A temperror 1: 3, 1 in 7ms", "A temperror 1: 0, 1 in 0s"} {
			s := b.Stats().Servers[i]
			var tries []string
			for _, q := range s.Tries {
				tries = append(tries, fmt.Sprintf("%v %v %d", q.Kind, q.Outcome, q.N))
			}
			got := fmt.Sprintf("%s: %d, %d in %v", strings.Join(tries, ", "), s.Answers, s.Failures, s.Took)
			if got != want {
				t.Errorf("server %d: %s; want %s", i, got, want)
			}
		}
		if got, want := fmt.Sprint(b.Stats().Servers[0].Times), "[2 2 2 2 3 3 3 3 3 3 3 3]"; got != want {
			t.Errorf("answers by AnswerTimes %s; want %s", got, want)
		}
	})
}

// TestStatsOfOutage: since when, and why.
func TestStatsOfOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "!refused *")
		begin := time.Now()
		for query := range strings.SplitSeq(zones, ",") {
			b.lookup(query, Options{})
		}
		time.Sleep(time.Second)
		const why = "REFUSED from 192.0.2.53:53"
		if s := b.Stats(); !s.Outage || !s.Since.Equal(begin) || s.Why != why {
			t.Errorf("outage %v since %v, %q; want one since %v, %q", s.Outage, s.Since, s.Why, begin, why)
		}
		if err := b.Reachable(t.Context()); err == nil || err.Error() != why {
			t.Errorf("Reachable() = %v; want %s", err, why)
		}
		b.set(good)
		time.Sleep(3 * time.Second)
		if s := b.Stats(); s.Outage || !s.Since.IsZero() || s.Why != "" {
			t.Errorf("afterwards: outage %v since %v, %q; want none", s.Outage, s.Since, s.Why)
		}
		if err := b.Reachable(t.Context()); err != nil {
			t.Errorf("Reachable() afterwards = %v; want none", err)
		}
	})
}

// TestReachable: servers that nobody has asked yet are asked, not too often.
func TestReachable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "!drop *", "!refused *")
		const silence = "no reply from 192.0.2.53:53 in 1s; REFUSED from 198.51.100.53:53"
		for range 3 {
			if err := b.Reachable(t.Context()); err == nil || err.Error() != silence {
				t.Errorf("Reachable() = %v; want %s", err, silence)
			}
		}
		if got := b.probes(0); got != probeQueries {
			t.Errorf("%d probes of the first server; want %d", got, probeQueries)
		}
		time.Sleep(probePause)
		b.setServer(1, good)
		if err := b.Reachable(t.Context()); err != nil {
			t.Errorf("Reachable() = %v; want none: the second server answers", err)
		}
		before := b.probes(1)
		if err := b.Reachable(t.Context()); err != nil || b.probes(1) != before {
			t.Errorf("Reachable() = %v, %d more probes; want none, and none", err, b.probes(1)-before)
		}
	})
}

// TestReachableWithoutRoot: a server that answers clients answers, whatever it says
// of the root, and though nobody has asked it yet.
func TestReachableWithoutRoot(t *testing.T) {
	for text, want := range map[string]string{
		"!refused .":              "",
		"!servfail .":             "",
		"!drop .":                 "",
		"!empty .":                "",
		"!rcode . 4":              "",
		"!truncateall .":          "",
		"!refused * NS":           "",
		"!refused * PTR":          "",
		"!refused *":              "REFUSED from 192.0.2.53:53",
		"!refused .\n!servfail *": "SERVFAIL from 192.0.2.53:53",
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, text)
			got := ""
			if err := b.Reachable(t.Context()); err != nil {
				got = err.Error()
			}
			if got != want {
				t.Errorf("with %q: Reachable() = %q; want %q", text, got, want)
			}
		})
	}
}
