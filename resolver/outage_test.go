package resolver

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// moment is what happens at some time of a scenario.
type moment struct {
	at    time.Duration
	world string // of all servers from now on; "": as before
	ask   string // queries put from now on, with commas between
}

const (
	good   = "; all is well"
	silent = "!drop *"
	// noProbe drops probes alone.
	noProbe = "!drop .\n!drop in-addr.arpa"
	// failure has the zones fail.
	failure = "!servfail *.example.com\n!servfail *.example.net\n!servfail *.in-addr.arpa\n"
	// zones are queries about three unrelated zones.
	zones = "PTR 192.0.2.1,A mail.example.com,A mail.example.net"
)

// TestOutage: when an outage begins and ends, to the millisecond. A try takes 2
// seconds, a lookup with one or two silent servers 4.
func TestOutage(t *testing.T) {
	for _, test := range []struct {
		name    string
		servers int
		moments []moment
		want    string // "begin 5.5s, end 21s"
	}{
		{"all is well", 1, []moment{{0, good, zones}, {time.Hour, good, zones}}, ""},

		// What one hostile zone can do, and what several can.
		{"one silent zone", 1, []moment{
			{0, "!drop *.example.com", "A a.example.com,A b.example.com,A c.example.com,A d.a.example.com,A e.b.example.com"},
			{10 * time.Second, "", "A f.example.com,A g.example.com,A h.example.com"},
		}, ""},
		{"one silent zone on a host whose servers are silent", 1, []moment{
			{0, silent, "A a.example.com,A b.example.com,A c.example.com,A d.a.example.com"},
		}, ""},
		{"a silent zone and its reverse zone", 1, []moment{
			{0, silent, "A mail.example.com,PTR 192.0.2.1,PTR 192.0.2.2,PTR 192.0.3.1"},
			{10 * time.Second, "", "A mail.example.com,PTR 192.0.2.1,PTR 192.0.2.2,PTR 192.0.3.1"},
		}, ""},
		{"one IPv6 network", 1, []moment{
			{0, silent, "PTR 2001:db8::1,PTR 2001:db8:1::1,PTR 2001:db8:ffff::1,A mail.example.com"},
		}, ""},
		{"silent zones only", 1, []moment{
			{0, "!drop *.example.com\n!drop *.example.net\n!drop *.in-addr.arpa", zones},
			{10 * time.Second, "", "A b.example.com,A b.example.net,PTR 192.0.2.9"},
		}, ""},
		{"failing zones only", 1, []moment{
			{0, "!servfail *.example.com\n!servfail *.example.net\n!servfail *.in-addr.arpa", zones},
			{10 * time.Second, "", "A b.example.com,A b.example.net,PTR 192.0.2.9"},
		}, ""},
		{"loops in many zones are answers", 1, []moment{
			{0, "a.example.com. CNAME a.example.com.\na.example.net. CNAME a.example.net.\na.example.org. CNAME a.example.org.\n" + noProbe, "A a.example.com,A a.example.net,A a.example.org"},
		}, ""},

		// Servers that do not say what all know, and zones that fail.
		{"the root is refused", 1, []moment{{0, failure + "!refused .", zones}, {10 * time.Second, "", zones}}, ""},
		{"the root fails", 1, []moment{{0, failure + "!servfail .", zones}, {10 * time.Second, "", zones}}, ""},
		{"the root is not answered", 1, []moment{{0, failure + "!drop .", zones}, {10 * time.Second, "", zones}}, ""},
		{"the root is a lame reply", 1, []moment{{0, failure + "!empty .", zones}}, ""},
		{"no name servers are told", 1, []moment{{0, failure + "!refused * NS", zones}}, ""},
		{"no reverse names are told", 1, []moment{{0, failure + "!refused * PTR", zones}}, ""},
		{"silence of a server that refuses the root", 1, []moment{{0, silent, zones}, {19 * time.Second, "!refused .", ""}}, "begin 5.5s, end 21s"},

		// Outages of all kinds. The first round of probes begins 1.5 seconds
		// after the first silence, and takes 2 as well; and so on.
		{"silence", 1, []moment{{0, silent, zones}, {19 * time.Second, good, ""}}, "begin 5.5s, end 21s"},
		{"silence, and good again just after a probe", 1, []moment{{0, silent, zones}, {18*time.Second + 501*time.Millisecond, good, ""}}, "begin 5.5s, end 21s"},
		{"silence of two servers", 2, []moment{{0, silent, zones}, {19 * time.Second, good, ""}}, "begin 5.5s, end 21s"},
		{"SERVFAIL for everything", 1, []moment{{0, "!servfail *", zones}, {time.Second, good, ""}}, "begin 0s, end 1.5s"},
		{"REFUSED for everything", 2, []moment{{0, "!refused *", zones}, {time.Second, good, ""}}, "begin 0s, end 1.5s"},
		{"REFUSED one after the other", 1, []moment{
			{0, "!refused *", "A a.example.com"}, {500 * time.Millisecond, "", "A a.example.net"}, {time.Second, "", "A a.example.org"},
		}, "begin 1s"},
		{"lame", 1, []moment{{0, "!empty *", zones}, {time.Second, good, ""}}, "begin 0s, end 1.5s"},
		{"wrong IDs", 1, []moment{{0, "!wrongid *", zones}, {19 * time.Second, good, ""}}, "begin 5.5s, end 21s"},
		{"truncated for ever", 1, []moment{{0, "!truncateall *", zones}, {time.Second, good, ""}}, "begin 0s, end 1.5s"},
		{"twice", 1, []moment{
			{0, silent, zones},
			{19 * time.Second, good, ""},
			{time.Minute, silent, "PTR 198.51.100.1,A b.example.com,A b.example.net"},
			{2*time.Minute - time.Second, good, ""},
		}, "begin 5.5s, end 21s, begin 1m5.5s, end 1m59.5s"},

		// One after the other. The server is probed from the first silence on.
		{"three within minutes", 1, []moment{
			{0, silent, "PTR 192.0.2.1"}, {2 * time.Minute, "", "A mail.example.com"}, {4 * time.Minute, "", "A mail.example.net"},
		}, "begin 4m7s"},
		{"three, but too far apart", 1, []moment{
			{0, silent, "PTR 192.0.2.1"}, {3 * time.Minute, "", "A mail.example.com"}, {6 * time.Minute, "", "A mail.example.net"},
		}, ""},
		{"two, again and again", 1, []moment{
			{0, silent, "A a.example.com,A a.example.net"}, {10 * time.Second, "", "A a.example.com,A a.example.net"}, {20 * time.Second, "", "A a.example.com,A a.example.net"},
		}, ""},
		{"a good answer between", 1, []moment{
			{0, "!servfail *.example.com\n!servfail *.example.net\n!servfail .\n!servfail in-addr.arpa", "A a.example.com,A a.example.net"},
			{time.Second, "", "A a.example.org"},
			{2 * time.Second, "!servfail *", "PTR 192.0.2.1,A b.example.com"},
		}, ""},

		// Any good answer ends it.
		{"a lookup is answered", 1, []moment{
			{0, silent, zones}, {13 * time.Second, noProbe, "A a.example.org"},
		}, "begin 5.5s, end 13s"},
		{"a lookup is answered during probes", 1, []moment{
			{0, silent, zones}, {11 * time.Second, noProbe, "A a.example.org"},
		}, "begin 5.5s, end 11s told 1.5s later"},
		{"only the root is answered", 1, []moment{
			{0, silent, zones}, {19 * time.Second, "!drop *.example.com", ""},
		}, "begin 5.5s, end 21s"},
		{"a late answer is an answer", 1, []moment{{0, "!delay * 1999ms", zones}, {10 * time.Second, "", zones}}, ""},
		{"flapping", 1, []moment{{0, "!flap * 200ms", zones}, {time.Minute, "", "PTR 198.51.100.1,A b.example.com,A b.example.net"}}, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			start := time.Now()
			var events []string
			b := configured(t, Config{OnOutage: func(o Outage) {
				what, at := "begin", o.Begin
				if !o.End.IsZero() {
					what, at = "end", o.End
				}
				event := fmt.Sprintf("%s %v", what, at.Sub(start))
				if late := time.Since(at); late > 0 {
					event += fmt.Sprintf(" told %v later", late)
				}
				events = append(events, event)
			}}, make([]string, test.servers)...)
			b.play(start, test.moments)
			b.Close()
			if got := strings.Join(events, ", "); got != test.want {
				t.Errorf("%s: %q; want %q", test.name, got, test.want)
			}
		})
	}
}

// play goes through the moments, and on for 30 seconds when all is answered.
func (b *bed) play(start time.Time, moments []moment) {
	b.t.Helper()
	var wg sync.WaitGroup
	for _, m := range moments {
		time.Sleep(time.Until(start.Add(m.at)))
		for i := range b.worlds {
			if m.world != "" {
				b.setServer(i, m.world)
			}
		}
		for query := range strings.SplitSeq(m.ask, ",") {
			if query != "" {
				wg.Go(func() { b.lookup(query, Options{}) })
			}
		}
	}
	wg.Wait()
	time.Sleep(30*time.Second + time.Millisecond)
}

// TestOutageNow: what Outage says, and why, while one goes by.
func TestOutageNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var events []Outage
		b := configured(t, Config{OnOutage: func(o Outage) { events = append(events, o) }}, silent, "!refused *")
		start := time.Now()
		var wg sync.WaitGroup
		for query := range strings.SplitSeq(zones, ",") {
			wg.Go(func() { b.lookup(query, Options{}) })
		}
		wg.Wait()
		for _, step := range []struct {
			at   time.Duration
			want bool
		}{{4*time.Second - 1, false}, {4*time.Second + 1, true}, {time.Minute, true}} {
			time.Sleep(time.Until(start.Add(step.at)))
			if got := b.Outage(); got != step.want || b.Stats().Outage != got {
				t.Errorf("Outage() after %v = %v, %v in Stats; want %v", step.at, got, b.Stats().Outage, step.want)
			}
		}
		b.setServer(1, good)
		time.Sleep(5 * time.Second)
		if b.Outage() {
			t.Error("Outage() 5s after a server is good again = true; want false")
		}
		synctest.Wait()
		const why = "no reply from 192.0.2.53:53 in 1s; REFUSED from 198.51.100.53:53"
		if len(events) != 2 || events[0].Why != why || !events[0].End.IsZero() || events[1].Why != why || events[1].Begin != events[0].Begin {
			t.Errorf("events %+v; want a beginning and an end, with why %q", events, why)
		}
	})
}

// TestOutageNewServers: new servers end it as well.
func TestOutageNewServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, silent, good)
		b.SetServers([]netip.AddrPort{netip.MustParseAddrPort(serverAddrs[0])}, time.Second)
		b.play(time.Now(), []moment{{0, "", zones}})
		b.SetServers([]netip.AddrPort{netip.MustParseAddrPort(serverAddrs[1])}, time.Second)
		if !b.Outage() {
			t.Fatal("no outage")
		}
		time.Sleep(5 * time.Second)
		if b.Outage() {
			t.Error("5s after SetServers with a good server: still an outage")
		}
	})
}

// TestProbes: who is probed when, and that nobody is when all is well.
func TestProbes(t *testing.T) {
	for _, test := range []struct {
		name    string
		texts   []string
		moments []moment
		want    []int // after all that, and 30 seconds
		failing []bool
	}{
		{"all is well", []string{"", ""}, []moment{{0, "", zones}}, []int{0, 0}, []bool{false, false}},
		{"failing zones", []string{"!servfail *", ""}, []moment{{0, "", "A a.example.com"}}, []int{0, 0}, []bool{false, false}},
		{"a silent server", []string{silent, ""}, []moment{{0, "", "A a.example.com"}}, []int{17, 9}, []bool{true, false}},
		{"a server that refuses", []string{"!refused *", ""}, []moment{{0, "", "A a.example.com"}}, []int{40, 20}, []bool{true, false}},
		{"a server that was silent and refuses the root", []string{"!drop a.example.com\n!refused .", ""}, []moment{{0, "", "A a.example.com"}}, []int{2, 1}, []bool{false, false}},
		{"a silent zone", []string{"!drop a.example.com", ""}, []moment{{0, "", "A a.example.com"}}, []int{1, 1}, []bool{false, false}},
		{"a silent zone on all", []string{"!drop a.example.com", "!drop a.example.com"}, []moment{{0, "", "A a.example.com"}}, []int{2, 2}, []bool{false, false}},
		{"a suspicion", []string{"!servfail *.arpa\n!servfail *.com\n!servfail *.net", "!servfail *.arpa\n!servfail *.com\n!servfail *.net"}, []moment{{0, "", zones}}, []int{1, 1}, []bool{false, false}},
		{"suspicions do not add up", []string{"!servfail *.arpa\n!servfail *.com\n!servfail *.net"}, []moment{
			{0, "", zones},
			{time.Millisecond, "", "A b.example.com,A b.example.net,PTR 192.0.2.2"},
			{2 * time.Millisecond, "", "A c.example.com,A c.example.net,PTR 192.0.2.3"},
		}, []int{2}, []bool{false}},
		{"one fails for most, one is silent", []string{"!servfail *.arpa\n!servfail *.com\n!servfail *.net", silent}, []moment{
			{0, "", zones},
			{time.Second, "", "A b.example.com,A b.example.net,PTR 192.0.2.2"}, // fail while probes are under way
		}, []int{9, 18}, []bool{false, true}},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := configured(t, Config{OnOutage: func(o Outage) { t.Errorf("%s: %+v", test.name, o) }}, test.texts...)
			b.play(time.Now(), test.moments)
			var probes []int
			var failing []bool
			for i, s := range b.Stats().Servers {
				probes = append(probes, b.probes(i))
				failing = append(failing, s.Failing)
			}
			if !slices.Equal(probes, test.want) || !slices.Equal(failing, test.failing) {
				t.Errorf("%s: probes %v, failing %v; want %v, %v", test.name, probes, failing, test.want, test.failing)
			}
			if working := b.health.prober.cancel != nil; working != slices.Contains(failing, true) {
				t.Errorf("%s: a prober is at work: %v", test.name, working)
			}
		})
	}
}

// TestOutageOwn: a host without descriptors sees an outage that says so.
func TestOutageOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var why []string
		b := configured(t, Config{
			OnOutage: func(o Outage) { why = append(why, o.Why) },
			Dial:     func(context.Context, string, string) (net.Conn, error) { return nil, syscall.EMFILE },
		}, "")
		b.play(time.Now(), []moment{{0, "", zones}})
		synctest.Wait()
		if want := []string{"192.0.2.53:53: too many open files"}; !slices.Equal(why, want) {
			t.Errorf("outage %q; want %q", why, want)
		}
		if s := b.Stats().Servers[0]; s.Failing {
			t.Error("the server is failing; want it not to be blamed")
		}
	})
}

func TestZoneOf(t *testing.T) {
	for _, test := range []struct{ name, want string }{
		{".", "."},
		{"localhost.", "localhost."},
		{"example.com.", "example.com."},
		{"a.b.example.com.", "example.com."},
		{"1.2.0.192.in-addr.arpa.", "0.192.in-addr.arpa."},
		{"1.0/25.2.0.192.in-addr.arpa.", "0.192.in-addr.arpa."},
		{"192.in-addr.arpa.", "192.in-addr.arpa."},
		{"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.", "8.b.d.0.1.0.0.2.ip6.arpa."},
	} {
		if got := zoneOf(test.name); got != test.want {
			t.Errorf("zoneOf(%s) = %s; want %s", test.name, got, test.want)
		}
	}
}

// TestBegin: what makes an outage of what is known of two servers.
func TestBegin(t *testing.T) {
	const failed = "fail a.example.com,fail a.example.net,fail a.example.org,"
	for _, test := range []struct {
		events string
		want   bool
	}{
		{failed + "silent 0,silent 1", true},
		{"silent 0,silent 1," + failed, true},
		{failed, false},
		{failed + "silent 0", false},
		{"silent 0,silent 1", false},
		{"fail a.example.com,fail b.example.com,fail c.example.com,silent 0,silent 1", false},
		{failed + "silent 0,silent 1,answer 1", false},
		{failed + "silent 0,silent 1,answer 1," + failed, false},
		{failed + "silent 0,silent 1,answer 1," + failed + "silent 1", true},
	} {
		var h health
		servers := []netip.AddrPort{netip.MustParseAddrPort(serverAddrs[0]), netip.MustParseAddrPort(serverAddrs[1])}
		h.set(servers, time.Second)
		for event := range strings.SplitSeq(test.events, ",") {
			what, about, _ := strings.Cut(event, " ")
			switch what {
			case "fail":
				h.zoneFailed(about+".", 0)
			case "silent":
				h.silent(servers[about[0]-'0'], syscall.ECONNREFUSED)
			case "answer":
				h.answered(servers[about[0]-'0'], KindA, Found, time.Second)
			}
		}
		h.begin()
		if got := h.outage.Load(); got != test.want {
			t.Errorf("after %s: outage %v; want %v", test.events, got, test.want)
		}
	}
}

// TestProberStaysToTell: an outage that ends just before the prober looks is told
// of.
func TestProberStaysToTell(t *testing.T) {
	var h health
	h.prober.told = true
	if _, ok := h.next(time.Now()); !ok {
		t.Error("next() = not ok; want the prober to tell of the end first")
	}
}

// TestCloseWhileProbing: it does not wait for the probes, and they prove nothing.
func TestCloseWhileProbing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, silent)
		var wg sync.WaitGroup
		for query := range strings.SplitSeq(zones, ",") {
			wg.Go(func() { b.lookup(query, Options{}) })
		}
		wg.Wait() // 4s: a round has begun, and ends at 5.5s
		time.Sleep(time.Second)
		begin := time.Now()
		b.Close()
		if took := time.Since(begin); took != 0 || b.Outage() {
			t.Errorf("Close() took %v, outage %v; want no time and no outage", took, b.Outage())
		}
		b.health.prober.cancel = nil
		b.watch()
		if b.health.prober.cancel != nil {
			t.Error("after Close() a prober is started")
			b.health.prober.cancel()
		}
	})
}
