package spf

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/resolver"
)

// TestCache: what a result is kept by, and for how long.
func TestCache(t *testing.T) {
	zone := zoneOf{
		"TXT example.com": {"v=spf1 a -all"}, "ip4 example.com": {"192.0.2.7"},
		"TXT local.example": {"v=spf1 exists:%{l}.ok.example -all"}, "ip4 alice.ok.example": {"192.0.2.1"},
		"TXT helo.example": {"v=spf1 a:%{h} -all"}, "ip4 mail.example.org": {"192.0.2.7"},
		"TXT broken.example": {"!"},
	}
	now := time.Date(2027, 3, 31, 12, 0, 0, 0, time.UTC)
	c := NewCache(100, func() time.Time { return now })
	for i, s := range []struct {
		after                time.Duration
		client, sender, helo string
		maxAge               time.Duration
		want                 string
		cached               bool
	}{
		{0, "192.0.2.7", "alice@example.com", "mail.example.org", 0, "own", false},
		{0, "192.0.2.7", "bob@Example.COM", "other.example.org", 0, "own", true},
		{0, "::ffff:192.0.2.7", "bob@example.com", "", 0, "own", true},
		{0, "192.0.2.8", "alice@example.com", "mail.example.org", 0, "fail", false},
		{0, "192.0.2.8", "", "example.com", 0, "fail", true}, // the same domain, by HELO
		{30 * time.Second, "192.0.2.7", "alice@example.com", "", 0, "own", true},
		{0, "192.0.2.7", "alice@example.com", "", 30 * time.Second, "own", true},
		{0, "192.0.2.7", "alice@example.com", "", 29 * time.Second, "own", false},
		{59 * time.Second, "192.0.2.7", "alice@example.com", "", 0, "own", true},
		{time.Second, "192.0.2.7", "alice@example.com", "", 0, "own", false}, // a minute is over

		{0, "192.0.2.7", "alice@local.example", "mail.example.org", 0, "neutral", false},
		{0, "192.0.2.7", "alice@local.example", "mail.example.org", 0, "neutral", true},
		{0, "192.0.2.7", "bob@local.example", "mail.example.org", 0, "fail", false},
		{0, "192.0.2.7", "bob@local.example", "mail.example.org", 0, "fail", true},
		{0, "192.0.2.7", "alice@local.example", "mail.example.org", 0, "neutral", true},
		{0, "192.0.2.7", "alice@local.example", "other.example.org", 0, "neutral", false},
		{0, "192.0.2.7", "alice@helo.example", "mail.example.org", 0, "neutral", false},
		{0, "192.0.2.7", "alice@helo.example", "other.example.org", 0, "fail", false},
		{0, "192.0.2.7", "alice@helo.example", "mail.example.org", 0, "neutral", true},
		{0, "192.0.2.7", "alice@helo.example", "other.example.org", 0, "fail", true},
		{0, "192.0.2.7", strings.Repeat("a", 500) + "@local.example", "mail.example.org", 0, "fail", false},
		{0, "192.0.2.7", strings.Repeat("a", 500) + "@local.example", "mail.example.org", 0, "fail", false}, // too long to be kept

		{0, "192.0.2.7", "alice@broken.example", "", 0, "temperror", false},
		{0, "192.0.2.7", "alice@broken.example", "", 0, "temperror", false},
		{0, "192.0.2.7", "alice@[192.0.2.7]", "", 0, "none", true}, // without a query
	} {
		now = now.Add(s.after)
		q := Query{Client: netip.MustParseAddr(s.client), Sender: s.sender, HELO: s.helo, MaxAge: s.maxAge}
		at, cached := c.Get(q)
		r := c.Check(t.Context(), zone, q)
		if r.Code.String() != s.want || cached != s.cached || cached && fmt.Sprint(at) != fmt.Sprint(r) {
			t.Errorf("step %d, %s from %s = %+v, cached %v; want %s, %v", i, s.sender, s.client, r, cached, s.want, s.cached)
		}
	}
}

// TestCacheAge: a result is as old as the oldest answer that it rests on, and goes on to
// grow old while the machine is suspended.
func TestCacheAge(t *testing.T) {
	now := time.Date(2027, 3, 31, 12, 0, 0, 0, time.UTC)
	c := NewCache(1, func() time.Time { return now })
	q := Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: "alice@example.com"}
	c.put(&q, Result{Code: Own, RFC: Pass, TTL: time.Minute, Age: 40 * time.Second})
	now = now.Add(20 * time.Second)
	if r, ok := c.Get(q); !ok || r.Age != time.Minute || r.TTL != 40*time.Second || !r.Cached {
		t.Errorf("after 20s = %+v, %v; want it a minute old, for 40s", r, ok)
	}
	monotonic := time.Now()
	if got := elapsed(monotonic, monotonic.Add(time.Hour).Round(0)); got != time.Hour {
		t.Errorf("an hour by the wall clock = %v", got)
	}
}

// TestCacheBounds: no more than there is room for, the least used first; stale results are
// not kept.
func TestCacheBounds(t *testing.T) {
	c := NewCache(3, nil)
	result := Result{Code: Own, RFC: Pass, TTL: time.Hour}
	query := func(i int) Query {
		return Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: fmt.Sprintf("alice@d%d.example", i)}
	}
	for i := range 5 {
		q := query(i)
		c.put(&q, result)
		if _, ok := c.Get(query(0)); !ok {
			t.Errorf("after %d results the first is gone, though it was used", i+1)
		}
	}
	if _, ok := c.Get(query(1)); ok || c.Len() != 3 {
		t.Errorf("%d are kept, the second %v; want 3, and it gone", c.Len(), ok)
	}
	c.Resize(1)
	if _, ok := c.Get(query(0)); !ok || c.Len() != 1 {
		t.Errorf("after Resize(1) %d are kept, the first %v; want it alone", c.Len(), ok)
	}
	stale := staleDNS{zoneOf{"TXT example.com": {"v=spf1 -all"}}}
	if r := NewCache(1, nil).Check(t.Context(), stale, Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: "a@example.com"}); !r.Stale || r.TTL != 0 || r.Code != Fail {
		t.Errorf("by a stale answer = %+v; want fail, stale, for 0s", r)
	}
}

// staleDNS has nothing but stale texts.
type staleDNS struct{ zoneOf }

func (s staleDNS) LookupTXT(ctx context.Context, name string, o resolver.Options) resolver.Answer {
	a := s.zoneOf.LookupTXT(ctx, name, o)
	a.Stale, a.Cached = true, true
	return a
}

// TestCacheByMany: from any number of goroutines.
func TestCacheByMany(t *testing.T) {
	c := NewCache(50, nil)
	zone := zoneOf{}
	for i := range 100 {
		zone[fmt.Sprintf("TXT d%d.example", i)] = []string{"v=spf1 exists:%{l}.example ip4:192.0.2.7 -all"}
	}
	var users sync.WaitGroup
	for user := range 4 {
		users.Go(func() {
			for i := range 500 {
				q := Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: fmt.Sprintf("a%d@d%d.example", i%3, (i*7+user)%100)}
				if r := c.Check(t.Context(), zone, q); r.Code != Own {
					t.Errorf("%s = %v; want own", q.Sender, r.Code)
				}
			}
		})
	}
	users.Wait()
	if c.Len() > 50 {
		t.Errorf("%d are kept; want at most 50", c.Len())
	}
}

func BenchmarkCached(b *testing.B) {
	for _, test := range []struct{ name, policy string }{{"by-domain", "v=spf1 ip4:192.0.2.7 -all"}, {"personal", "v=spf1 ip4:192.0.2.7 exists:%{l}.example -all"}} {
		b.Run(test.name, func(b *testing.B) {
			c := NewCache(100_000, nil)
			q := Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: "alice@example.com", HELO: "mail.example.com"}
			for i := range 100_000 {
				c.put(&Query{Client: q.Client, Sender: fmt.Sprintf("alice@d%d.example", i)}, Result{Code: Fail, TTL: time.Hour})
			}
			r := Check(b.Context(), zoneOf{"TXT example.com": {test.policy}}, q)
			r.TTL = 24 * time.Hour
			c.put(&q, r)
			b.ReportAllocs()
			for b.Loop() {
				if _, ok := c.Get(q); !ok {
					b.Fatal("not cached")
				}
			}
		})
	}
}

// BenchmarkCheck is an evaluation whose answers are all at hand.
func BenchmarkCheck(b *testing.B) {
	for _, test := range []struct {
		name string
		zone zoneOf
	}{
		{"own", zoneOf{"TXT example.com": {"v=spf1 a mx -all"}, "ip4 example.com": {"192.0.2.7"}}},
		{"hoster", zoneOf{
			"TXT example.com": {"v=spf1 include:a.example include:b.example -all"},
			"TXT a.example":   {"v=spf1 " + strings.Repeat("ip4:198.51.100.0/24 ", 15) + "~all"},
			"TXT b.example":   {"v=spf1 " + strings.Repeat("ip4:198.51.100.0/24 ", 15) + "ip4:192.0.2.0/24 ~all"},
		}},
	} {
		b.Run(test.name, func(b *testing.B) {
			q := Query{Client: netip.MustParseAddr("192.0.2.7"), Sender: "alice@example.com", HELO: "mail.example.com"}
			b.ReportAllocs()
			for b.Loop() {
				if r := Check(b.Context(), test.zone, q); r.RFC != Pass {
					b.Fatal(r)
				}
			}
		})
	}
}
