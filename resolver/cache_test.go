package resolver

import (
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestKept: how long each answer is kept, to the millisecond.
func TestKept(t *testing.T) {
	const soa = "example.com. %d SOA ns.example.com. hostmaster.example.com. 1 3600 600 86400 %d\n"
	for _, test := range []struct {
		text, query string
		want        time.Duration
	}{
		// Positive: the least of the chain, between a minute and a day.
		{"a.example.com. 300 A 192.0.2.1", "A a.example.com", 300 * time.Second},
		{"a.example.com. 0 A 192.0.2.1", "A a.example.com", time.Minute},
		{"a.example.com. 59 A 192.0.2.1", "A a.example.com", time.Minute},
		{"a.example.com. 86401 A 192.0.2.1", "A a.example.com", 24 * time.Hour},
		{"a.example.com. 2147483647 A 192.0.2.1", "A a.example.com", 24 * time.Hour},
		{"a.example.com. 2147483648 A 192.0.2.1", "A a.example.com", time.Minute}, // RFC 2181 section 8
		{"a.example.com. 300 A 192.0.2.1\na.example.com. 200 A 192.0.2.2", "A a.example.com", 200 * time.Second},
		{"a.example.com. 100 CNAME b.example.com.\nb.example.com. 300 A 192.0.2.1", "A a.example.com", 100 * time.Second},
		{"a.example.com. 300 CNAME b.example.com.\nb.example.com. 100 A 192.0.2.1", "A a.example.com", 100 * time.Second},
		{"a.example.com. 100 CNAME b.example.com.\nb.example.com. 300 A 192.0.2.1\n!nochase a.example.com", "A a.example.com", 100 * time.Second},
		{"1.2.0.192.in-addr.arpa. 7200 PTR a.example.com.", "PTR 192.0.2.1", 2 * time.Hour},

		// Negative: the lesser of the SOA's TTL and its minimum, between 5
		// seconds and 15 minutes.
		{fmt.Sprintf(soa, 300, 100), "A a.example.com", 100 * time.Second},
		{fmt.Sprintf(soa, 100, 300), "A a.example.com", 100 * time.Second},
		{fmt.Sprintf(soa, 100, 300), "AAAA example.com", 100 * time.Second},
		{fmt.Sprintf(soa, 86400, 86400), "A a.example.com", 15 * time.Minute},
		{fmt.Sprintf(soa, 0, 300), "A a.example.com", 5 * time.Second},
		{fmt.Sprintf(soa, 300, 300) + "a.example.com. 30 CNAME b.example.com.", "A a.example.com", 30 * time.Second},
		{fmt.Sprintf(soa, 30, 300) + "a.example.com. 300 CNAME b.example.com.", "A a.example.com", 30 * time.Second},
		{"!rcode a.example.com 3", "A a.example.com", time.Minute}, // no SOA
		{"!rcode a.example.com 0", "A a.example.com", time.Minute},

		// Failures.
		{"!servfail *", "A a.example.com", 5 * time.Second},
		{"!servfail *", "PTR 192.0.2.1", 5 * time.Second},
		{"a.example.com. 300 CNAME a.example.com.", "A a.example.com", 5 * time.Second},
		{"!drop *", "A a.example.com", 5 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.text)
			first := b.lookup(test.query, Options{})
			told := time.Now()
			queried := b.queried()
			time.Sleep(test.want - time.Millisecond)
			if got, want := b.say(test.query, Options{}), "cached: "+words(first); got != want {
				t.Errorf("%s of %q, just before %v = %s; want %s", test.query, test.text, test.want, got, want)
			}
			if got := b.lookup(test.query, Options{}); first.Outcome != TempError && got.Age != time.Since(told) {
				t.Errorf("%s of %q: Age = %v; want %v", test.query, test.text, got.Age, time.Since(told))
			}
			if b.queried() != queried {
				t.Errorf("%s of %q, just before %v: queried again", test.query, test.text, test.want)
			}
			time.Sleep(time.Millisecond)
			if got := b.lookup(test.query, Options{}); got.Cached || b.queried() == queried {
				t.Errorf("%s of %q, after %v = %s; want it queried again", test.query, test.text, test.want, words(got))
			}
		})
	}
}

func TestKeys(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "a.example.com. A 192.0.2.1\na.example.com. AAAA 2001:db8::1\n1.2.0.192.in-addr.arpa. PTR a.example.com.\n"+`it\'s.example.com. A 192.0.2.1`)
		for _, test := range []struct{ query, want string }{
			{"A a.example.com", "found 192.0.2.1"},
			{"A A.EXAMPLE.com.", "cached: found 192.0.2.1"},
			{"AAAA a.example.com", "found 2001:db8::1"},
			{"A a.example.com", "cached: found 192.0.2.1"},
			{"PTR 192.0.2.1", "found a.example.com"},
			{"PTR ::ffff:192.0.2.1", "cached: found a.example.com"},
			{"PTR ::192.0.2.1", "none"},
			{"A it's.example.com", "found 192.0.2.1"},
			{`A it\'s.example.com`, "cached: found 192.0.2.1"},
			{`A it's.example.com`, "cached: found 192.0.2.1"},
		} {
			if got := b.say(test.query, Options{}); got != test.want {
				t.Errorf("%s = %s; want %s", test.query, got, test.want)
			}
		}
	})
}

func TestCacheOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "a.example.com. A 192.0.2.1\n1.2.0.192.in-addr.arpa. PTR a.example.com.\n!servfail b.example.com")
		for _, test := range []struct{ query, before, after string }{
			{"A a.example.com", "not queried", "cached: found 192.0.2.1"},
			{"PTR 192.0.2.1", "not queried", "cached: found a.example.com"},
			{"AAAA a.example.com", "not queried", "cached: none"},
			{"A b.example.com", "not queried", "cached: temperror: SERVFAIL from 192.0.2.53:53"},
		} {
			queried := b.queried()
			if got := b.say(test.query, Options{CacheOnly: true}); got != test.before || b.queried() != queried {
				t.Errorf("%s = %s; want %s", test.query, got, test.before)
			}
			b.lookup(test.query, Options{})
			if got := b.say(test.query, Options{CacheOnly: true}); got != test.after {
				t.Errorf("%s = %s; want %s", test.query, got, test.after)
			}
		}
		time.Sleep(2 * time.Second)
		if got, want := b.say("A a.example.com", Options{CacheOnly: true, MaxAge: time.Second}), "not queried"; got != want {
			t.Errorf("an answer that is too old = %s; want %s", got, want)
		}
	})
}

// TestMaxAge walks through the life of an answer that rests on a server that
// fails in between.
func TestMaxAge(t *testing.T) {
	const zone = "a.example.com. 3600 A 192.0.2.1\n"
	const failed = "temperror: SERVFAIL from 192.0.2.53:53"
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"fresh enough", []step{
			{0, zone, 0, "found 192.0.2.1"},
			{time.Minute, zone, time.Minute, "cached: found 192.0.2.1"},
		}},
		{"queried again", []step{
			{0, zone, 0, "found 192.0.2.1"},
			{61 * time.Second, "a.example.com. 3600 A 192.0.2.2", time.Minute, "found 192.0.2.2"},
			{0, "", time.Minute, "cached: found 192.0.2.2"},
			{0, "", 0, "cached: found 192.0.2.2"},
			{time.Hour - time.Millisecond, "", 0, "cached: found 192.0.2.2"}, // a life of its own
		}},
		{"it was none and is found", []step{
			{0, "example.com. 600 SOA a.example.com. b.example.com. 1 1 1 1 600", 0, "none"},
			{61 * time.Second, zone, 0, "cached: none"},
			{0, zone, time.Minute, "found 192.0.2.1"},
			{0, zone, 0, "cached: found 192.0.2.1"},
		}},
		{"it fails, and the old answer holds for others", []step{
			{0, zone, 0, "found 192.0.2.1"},
			{61 * time.Second, "!servfail *", time.Minute, failed},
			{0, zone, time.Minute, "cached: " + failed}, // repaired, but not queried for a minute
			{0, zone, 0, "cached: found 192.0.2.1"},
			{time.Minute - time.Millisecond, zone, time.Minute, "cached: " + failed},
			{time.Millisecond, zone, time.Minute, "found 192.0.2.1"},
			{0, zone, time.Minute, "cached: found 192.0.2.1"},
		}},
		{"it fails again and again", []step{
			{0, zone, 0, "found 192.0.2.1"},
			{61 * time.Second, "!servfail *", time.Minute, failed},
			{time.Minute, "!refused *", time.Minute, "temperror: REFUSED from 192.0.2.53:53"},
			{time.Minute - time.Millisecond, zone, time.Minute, "cached: temperror: REFUSED from 192.0.2.53:53"},
			{time.Millisecond, zone, time.Minute, "found 192.0.2.1"},
		}},
		{"it fails and grows too old", []step{
			{0, zone, 0, "found 192.0.2.1"},
			{time.Hour - time.Second, "!servfail *", time.Minute, failed},
			{999 * time.Millisecond, zone, 0, "cached: found 192.0.2.1"},
			{time.Millisecond, zone, 0, "cached: " + failed}, // RFC 9520
			{4 * time.Second, zone, 0, "found 192.0.2.1"},
		}},
		{"it is too old and fails", []step{
			{0, zone, 0, "found 192.0.2.1"},
			{time.Hour, "!servfail *", time.Minute, failed},
			{5 * time.Second, zone, time.Minute, "found 192.0.2.1"},
		}},
		{"a failure is no evidence that could be too old", []step{
			{0, "!servfail *", 0, failed},
			{4 * time.Second, zone, time.Second, "cached: " + failed},
			{time.Second, zone, time.Second, "found 192.0.2.1"},
		}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, "")
			for i, s := range test.steps {
				time.Sleep(s.after)
				b.set(s.text)
				if got := b.say("A a.example.com", Options{MaxAge: s.maxAge}); got != s.want {
					t.Errorf("%s: step %d = %s; want %s", test.name, i, got, s.want)
				}
			}
		})
	}
}

// step is one lookup in a life: after some time the world is that of a text.
type step struct {
	after  time.Duration
	text   string
	maxAge time.Duration
	want   string
}

// TestMaxRecords: what a hostile zone may make us keep.
func TestMaxRecords(t *testing.T) {
	addrs := func(n int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, "a.example.com. A 192.0.2.%d\n", i)
		}
		return s.String()
	}
	names := func(n int, label string) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, "1.2.0.192.in-addr.arpa. PTR %d%s.example.com.\n", i, label)
		}
		return s.String()
	}
	for _, test := range []struct {
		text, query string
		kept        int
		more        bool
	}{
		{addrs(100), "A a.example.com", 100, false},
		{addrs(101), "A a.example.com", 100, true},
		{names(100, ""), "PTR 192.0.2.1", 100, false},
		{names(300, ""), "PTR 192.0.2.1", 100, true},
		// Names of 900 bytes in presentation format.
		{names(100, strings.Repeat(strings.Repeat(`\000`, 50)+".", 4)+"x"), "PTR 192.0.2.1", 19, true},
		{names(10, strings.Repeat(strings.Repeat(`\000`, 50)+".", 4)+"x"), "PTR 192.0.2.1", 10, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, test.text)
			for _, cached := range []bool{false, true} {
				a := b.lookup(test.query, Options{})
				if kept := len(a.Addrs) + len(a.Names); kept != test.kept || a.More != test.more || a.Cached != cached {
					t.Errorf("%.80q…: kept %d, more %v, cached %v; want %d, %v, %v", test.text, kept, a.More, a.Cached, test.kept, test.more, cached)
				}
			}
		})
	}
}

// TestLargeAnswers: they neither push out others nor stay without bound, and an
// answer that changes its size is there once.
func TestLargeAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		text.WriteString("small.example.com. 3600 A 192.0.2.1\n")
		for i := range 600 {
			fmt.Fprintf(&text, "$GENERATE 1-50 l%d 3600 A 192.0.2.$\n", i)
		}
		b := newBed(t, text.String())
		b.lookup("A small.example.com", Options{})
		for i := range 600 {
			b.lookup(fmt.Sprintf("A l%d", i), Options{})
		}
		if got, want := b.say("A small.example.com", Options{}), "cached: found 192.0.2.1"; got != want {
			t.Errorf("the small answer = %s; want %s", got, want)
		}
		if got, want := b.hosts.cache.many.Len(), 500/manyShare; got != want {
			t.Errorf("%d large answers kept; want %d", got, want)
		}
		b.set("l599. 3600 A 192.0.2.1")
		time.Sleep(2 * time.Second)
		b.lookup("A l599", Options{MaxAge: time.Second})
		if got, want := b.say("A l599", Options{}), "cached: found 192.0.2.1"; got != want {
			t.Errorf("the answer that was large = %s; want %s", got, want)
		}
		if got, want := b.hosts.cache.many.Len(), 500/manyShare-1; got != want {
			t.Errorf("%d large answers kept; want %d", got, want)
		}
		b.set("$GENERATE 1-50 small.example.com. 3600 A 192.0.2.$")
		time.Sleep(2 * time.Second)
		b.lookup("A small.example.com", Options{MaxAge: time.Second})
		if got := b.lookup("A small.example.com", Options{}); !got.Cached || len(got.Addrs) != 50 {
			t.Errorf("the answer that was small = %s; want 50 addresses from the cache", words(got))
		}
		if few := b.hosts.cache.few.Len(); few != 1 {
			t.Errorf("%d small answers kept; want 1", few)
		}
	})
}

func TestResize(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "")
		fill := func() {
			for i := range 10 {
				b.LookupPTR(t.Context(), netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), Options{})
				b.lookup(fmt.Sprintf("A a%d.example.com", i), Options{})
			}
		}
		fill()
		for _, test := range []struct{ entries, want int }{{8, 4}, {1000, 10}, {0, 1}} {
			b.Resize(test.entries)
			fill()
			if names, hosts := b.names.cache.few.Len(), b.hosts.cache.few.Len(); names != test.want || hosts != test.want {
				t.Errorf("Resize(%d): %d names and %d addresses are kept; want %d", test.entries, names, hosts, test.want)
			}
		}
	})
}

// TestUsefulToMany: hits are counted as far as it matters, whoever comes at the same
// time.
func TestUsefulToMany(t *testing.T) {
	for hits := 1; hits <= PrefetchHits; hits++ {
		var e entry[string]
		for range hits - 1 {
			e.useful(1)
		}
		if got := e.useful(1); got != (hits == PrefetchHits) {
			t.Errorf("useful() the time %d = %v; want %v", hits, got, !got)
		}
	}
	var e entry[string]
	var users sync.WaitGroup
	var often atomic.Int64
	const most = 8
	for range most {
		users.Go(func() {
			for range 1000 {
				if e.useful(1) {
					often.Add(1)
				}
			}
		})
	}
	users.Wait()
	if n, hits := often.Load(), e.hits.Load(); n != most*1000-PrefetchHits+1 || hits < PrefetchHits || hits >= PrefetchHits+most {
		t.Errorf("often %d times, %d hits; want all but %d, and no more hits than callers beyond %d", n, hits, PrefetchHits-1, PrefetchHits)
	}
}

// TestHitIsUse: an answer that is given from the cache is used, and so neither
// thrown out nor forgotten to be asked again.
func TestHitIsUse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "mail.example.com. 3600 A 192.0.2.1\n$GENERATE 1-2000 a$.example.com. 86400 A 192.0.2.3\n")
		ask := func() string { return b.say("A mail.example.com", Options{}) }
		ask()
		for i := 1; i <= 2000; i++ {
			b.lookup(fmt.Sprintf("A a%d.example.com", i), Options{})
			if i%100 == 0 {
				time.Sleep(time.Second)
				if got, want := ask(), "cached: found 192.0.2.1"; got != want {
					t.Fatalf("after %d other names = %s; want %s", i, got, want)
				}
			}
		}
		before := b.queried()
		time.Sleep(59*time.Minute - 20*time.Second)
		ask()
		time.Sleep(2 * time.Second)
		if got, want := ask(), "cached: found 192.0.2.1"; got != want || b.queried() != before+1 {
			t.Errorf("shortly before it expires = %s, after %d queries; want %s, after one", got, b.queried()-before, want)
		}
	})
}

// TestKeptByCaller: what the caller has kept and used counts as if it had asked each time.
func TestKeptByCaller(t *testing.T) {
	for kept := range 6 {
		res := result[string]{entry: &entry[string]{}, late: true}
		if got, want := res.due(Options{Kept: kept}), 1+kept >= PrefetchHits; got != want {
			t.Errorf("used %d times without asking: due() = %v; want %v", kept, got, want)
		}
	}
}
