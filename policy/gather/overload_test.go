package gather_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/gather"
	"policyd-rdns/resolver"
	"policyd-rdns/resolver/world"
)

// siege is what those do who want the daemon to be busy: conns connections, each
// with the next client 100ms after the answer to the one before.
type siege struct {
	name     string
	conns    int
	networks int    // the clients are of so many networks
	helo     string // %[1]d is the number of the client, %[2]d that of a zone of 50
	ptr      string // as helo; with # for ten of them: the client's names
	silent   string // faults of the DNS
	zone     string // that the warning names; empty: there is none
}

// client is client i of a siege: 20 of each network.
func (s *siege) client(i int) netip.Addr {
	network := i % s.networks
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(network >> 8), byte(network), 14: byte(i >> 8), 15: byte(i)})
}

// sieged is how many clients a siege has. They come again when all were there.
const sieged = 2000

// text is the DNS of a siege, and of those who are caught up in it.
func (s *siege) text() string {
	var text strings.Builder
	text.WriteString("$TTL 3600\n!delay * 20ms\n" + s.silent + "\n")
	for i := range sieged {
		if s.ptr == "" {
			break
		}
		reverse, _ := dns.ReverseAddr(s.client(i).String())
		name := fmt.Sprintf(s.ptr, i, i%50)
		for n := range 10 {
			fmt.Fprintf(&text, "%s PTR n%d.%s.\n", reverse, n, name)
		}
	}
	for i := range 100 {
		fmt.Fprintf(&text, "%d.100.51.198.in-addr.arpa. PTR mail%d.example.org.\nmail%d.example.org. A 198.51.100.%d\n", i, i, i, i)
		fmt.Fprintf(&text, "%d.2.0.192.in-addr.arpa. PTR ip-192-0-2-%d.example.net.\nip-192-0-2-%d.example.net. A 192.0.2.%d\n", i, i, i, i)
		fmt.Fprintf(&text, "%d.2.0.192.in-addr.arpa. PTR forged%d.example.org.\nforged%d.example.org. A 198.51.100.250\n", 100+i, i, i)
	}
	return text.String()
}

// besieged is a daemon's judgement under a siege.
type besieged struct {
	g     gather.Gatherer
	rules policy.Rules

	mu      sync.Mutex
	answers map[string]map[string]int // by who, and what
}

func newBesieged(r *resolver.Resolver) *besieged {
	return &besieged{
		g:       gather.Gatherer{DNS: r, Deadline: 5 * time.Second},
		rules:   policy.Rules{OnDoubt: policy.Defer, List: builtin.Rules()},
		answers: make(map[string]map[string]int),
	}
}

func (b *besieged) judge(t *testing.T, who string, client netip.Addr, helo string) {
	req := policy.Request{Client: client, HELO: helo, State: "RCPT", Time: time.Now()}
	d := b.g.Decide(t.Context(), &req, &b.rules, new(policy.Facts))
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.answers[who] == nil {
		b.answers[who] = make(map[string]int)
	}
	b.answers[who][d.Action.String()]++
}

// TestSiege: whatever holds room for lookups, all others are judged, to the last of
// a hundred but one.
func TestSiege(t *testing.T) {
	const slow = "!drop *.slow.example"
	zones := ""
	for i := range 50 {
		zones += fmt.Sprintf("!drop *.slow%d.example\n", i)
	}
	for _, s := range []siege{
		{name: "HELO in a silent zone", conns: 98, networks: 200, helo: "h%[1]d.slow.example", silent: slow},
		{name: "HELO in zones below a silent one", conns: 250, networks: 200, helo: "h%[1]d.z%[2]d.slow.example", silent: slow, zone: "zone=slow.example"},
		{name: "HELO in 50 silent zones", conns: 250, networks: 200, helo: "h%[1]d.slow%[2]d.example", silent: zones, zone: "zone=slow"},
		{name: "ten silent names", conns: 98, networks: 10, helo: "mail.example.com", ptr: "h%[1]d.slow.example", silent: slow, zone: "zone=slow.example"},
		{name: "ten silent names in 50 zones, and HELO", conns: 98, networks: 200, helo: "h%[1]d.slow%[2]d.example", ptr: "h%[1]d.slow%[2]d.example", silent: zones, zone: "zone=slow"},
		{name: "silent reverse zones", conns: 600, networks: 200, helo: "mail.example.com", silent: "!drop *.8.b.d.0.1.0.0.2.ip6.arpa", zone: "8.b.d.0.1.0.0.2.ip6.arpa"},
	} {
		synctest.Test(t, s.run)
	}
}

func (s siege) run(t *testing.T) {
	w, err := world.Parse(s.text())
	if err != nil {
		t.Fatal(err)
	}
	var log bytes.Buffer
	r, err := resolver.New(resolver.Config{
		Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, Timeout: 2 * time.Second,
		CacheEntries: 100_000, MaxInFlight: 500, Dial: w.Dial, Log: slog.New(slog.NewTextHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b := newBesieged(r)
	begin := time.Now()
	const lasts, until = 1500 * time.Millisecond, 3 * time.Second // others come after, and at
	var all sync.WaitGroup
	for c := range s.conns {
		all.Go(func() {
			for i := c; time.Since(begin) < until; i += s.conns {
				b.judge(t, "siege", s.client(i%sieged), fmt.Sprintf(s.helo, i, i%50))
				time.Sleep(100 * time.Millisecond)
			}
		})
	}
	time.Sleep(lasts)
	for i := range 100 {
		all.Go(func() {
			time.Sleep(time.Duration(i) * 15 * time.Millisecond)
			all.Go(func() { b.judge(t, "nameless", netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}), "some.name.example") })
			all.Go(func() {
				b.judge(t, "good", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), fmt.Sprintf("mail%d.example.org", i))
			})
			all.Go(func() {
				b.judge(t, "forged", netip.AddrFrom4([4]byte{192, 0, 2, byte(100 + i)}), fmt.Sprintf("forged%d.example.org", i))
			})
			all.Go(func() { b.judge(t, "generic", netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), "foreign.example") })
		})
	}
	all.Wait()
	for who, want := range map[string]string{"nameless": "reject", "forged": "reject", "good": "dunno", "generic": "reject"} {
		if got := b.answers[who]; got[want] < 99 || got["defer"] > 0 {
			t.Errorf("%s: %s = %v; want %s of 99 at least, and no defer", s.name, who, got, want)
		}
	}
	warns := strings.Count(log.String(), "level=WARN")
	if (s.zone == "") != (warns == 0) || warns > 1 || !strings.Contains(log.String(), s.zone) {
		t.Errorf("%s: log %q; want one warning that names %s", s.name, log.String(), s.zone)
	}
}

// TestLargeSender: after a restart nobody is put off of a sender with many addresses
// in one network and one zone, who come all at once.
func TestLargeSender(t *testing.T) {
	for _, test := range []struct {
		delay   string // of the DNS
		clients int    // at once
		most    int    // resolver.Config.MaxInFlight
		want    string
	}{
		{"50ms", 26, 500, "map[dunno:26]"},
		{"50ms", 90, 500, "map[dunno:90]"},
		{"300ms", 90, 500, "map[dunno:90]"},
		{"1s", 90, 500, "map[dunno:90]"},
		{"1s", 250, 500, "map[dunno:250]"},
		{"1s", 250, 100, "map[defer:200 dunno:50]"}, // half
	} {
		synctest.Test(t, func(t *testing.T) {
			text := "$TTL 3600\n!delay * " + test.delay + "\n"
			for i := range test.clients {
				text += fmt.Sprintf("%d.100.51.198.in-addr.arpa. PTR mail%d.example.org.\nmail%d.example.org. A 198.51.100.%d\n", i, i, i, i)
			}
			w, err := world.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			r, err := resolver.New(resolver.Config{
				Servers: []netip.AddrPort{netip.MustParseAddrPort("192.0.2.53:53")}, Timeout: 2 * time.Second,
				CacheEntries: 10_000, MaxInFlight: test.most, Dial: w.Dial,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			b := newBesieged(r)
			var all sync.WaitGroup
			for i := range test.clients {
				all.Go(func() {
					b.judge(t, "sender", netip.AddrFrom4([4]byte{198, 51, 100, byte(i)}), fmt.Sprintf("out%d.example.com", i))
				})
			}
			all.Wait()
			if got := fmt.Sprint(b.answers["sender"]); got != test.want {
				t.Errorf("%d clients at once, DNS in %s, %d lookups at once: %s; want %s", test.clients, test.delay, test.most, got, test.want)
			}
		})
	}
}
