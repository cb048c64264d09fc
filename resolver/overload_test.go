package resolver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// flood is lookups of one kind, each for another client.
type flood struct {
	query    string // "PTR", or "A h#.z%.example.com": # is the number of the lookup
	zones    int    // % is the number of a zone of so many, in turn; 0: that of the lookup
	networks int    // the clients are of so many networks, in turn; 0: a network each
	first    int    // number of the first network
	helo     bool
}

// client is that of lookup i.
func (f *flood) client(i int) netip.Addr {
	network := f.first + i
	if f.networks > 0 {
		network = f.first + i%f.networks
	}
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, byte(network >> 8), byte(network), 14: byte(i >> 8), 15: byte(i)})
}

// lookup is the query of lookup i.
func (f *flood) lookup(i int) string {
	if f.query == "PTR" {
		return "PTR " + f.client(i).String()
	}
	zone := i
	if f.zones > 0 {
		zone = i % f.zones
	}
	return strings.NewReplacer("#", fmt.Sprint(i), "%", fmt.Sprint(zone)).Replace(f.query)
}

// held is a bed whose servers never answer, where lookups are begun and counted.
type held struct {
	*bed
	ctx  context.Context
	stop context.CancelFunc
	wg   sync.WaitGroup
	mu   sync.Mutex
	errs []error // of those who wait, as they come in
}

// newHeld has each try take as long as a flight may.
func newHeld(t *testing.T, c Config) *held {
	t.Helper()
	h := &held{bed: configured(t, c, "!drop *")}
	h.ctx, h.stop = context.WithCancel(t.Context())
	return h
}

// pour begins n lookups, from the number first on, and tells how many are waited
// for after that; the others were refused at once.
func (h *held) pour(f flood, first, n int) (begun int) {
	for i := first; i < first+n; i++ {
		before := h.refusals()
		h.wg.Go(func() {
			a := h.lookupContext(h.ctx, f.lookup(i), Options{Client: f.client(i), HELO: f.helo})
			h.mu.Lock()
			defer h.mu.Unlock()
			h.errs = append(h.errs, a.Err)
		})
		synctest.Wait()
		if h.refusals() == before {
			begun++
		}
	}
	return begun
}

func (h *held) refusals() uint64 {
	s := h.Stats()
	return s.Busy + s.Share
}

// told counts those who were told why, of those who have an answer.
func (h *held) told(why error) (n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, err := range h.errs {
		if errors.Is(err, why) {
			n++
		}
	}
	return n
}

// end has nobody wait any more, and nothing be under way.
func (h *held) end() {
	h.t.Helper()
	h.stop()
	h.wg.Wait()
	h.Close()
	if s := h.Stats(); s.InFlight != 0 || h.charged() != 0 {
		h.t.Errorf("in the end %d under way, %d networks and zones charged; want none", s.InFlight, h.charged())
	}
}

// TestShares: how many lookups are begun of floods that come in turn, until each
// of them is refused, and how many of others after that, with no other ended for
// them but HELO names.
func TestShares(t *testing.T) {
	one := func(query string) flood { return flood{query: query, networks: 1} }
	for _, test := range []struct {
		name   string
		most   int // Config.MaxInFlight
		floods []flood
		want   []int // begun of each
		others flood
		free   int // how many of the others are begun
	}{
		// Nobody is refused while half is free, and what one takes leaves as much.
		{"one network", 500, []flood{one("A h%.example")}, []int{250}, flood{query: "PTR", first: 1000}, 188},
		{"one reverse zone", 500, []flood{one("PTR")}, []int{250}, flood{query: "PTR", first: 1000}, 188},
		{"one zone", 500, []flood{{query: "A h#.example.com"}}, []int{250}, flood{query: "PTR", first: 1000}, 188},
		{"one zone and those below it", 500, []flood{{query: "A h#.%.example.com", zones: 50}}, []int{250}, flood{query: "A h%.example", first: 1000}, 125},
		{"a small whole", 100, []flood{one("A h%.example")}, []int{50}, flood{query: "PTR", first: 1000}, 38},
		{"one decision's worth at least", 20, []flood{one("A h%.example")}, []int{12}, flood{query: "PTR", first: 1000}, 6},
		// A third each if there are two, and so on.
		{"two networks", 500, []flood{one("A a%.example"), {query: "A b%.example", networks: 1, first: 500}}, []int{167, 167}, flood{query: "PTR", first: 1000}, 104},
		{"two zones of 200 networks", 500, []flood{{query: "A h#.example.com"}, {query: "A h#.example.net"}}, []int{167, 167}, flood{query: "PTR", first: 1000}, 104},
		{"ten networks", 500, []flood{{query: "PTR", networks: 10}}, []int{438}, flood{query: "PTR", first: 1000}, 0},
		// Addresses and their names leave an eighth to HELO names.
		// HELO names: the same within their half, and nothing that others would miss.
		{"HELO, one network", 500, []flood{{query: "A h%.example", networks: 1, helo: true}}, []int{125}, flood{query: "PTR", first: 1000}, 438},
		{"HELO, one zone", 500, []flood{{query: "A h#.example.com", helo: true}}, []int{125}, flood{query: "A h#.example.com", helo: false, networks: 1}, 250},
		{"HELO, one zone, and HELO of others", 500, []flood{{query: "A h#.example.com", helo: true}}, []int{125}, flood{query: "A h%.example", helo: true, first: 1000}, 125},
		{"HELO, any zone and network", 500, []flood{{query: "A h%.example", helo: true}}, []int{250}, flood{query: "PTR", first: 1000}, 438},
		{"addresses, and HELO in what they leave", 500, []flood{{query: "PTR"}}, []int{438}, flood{query: "A o%.example", helo: true, first: 1000}, 62},
		{"names, and HELO in what they leave", 500, []flood{{query: "A h%.example"}}, []int{375}, flood{query: "A o%.example", helo: true, first: 1000}, 125},
		{"names, and addresses in what they leave", 500, []flood{{query: "A h%.example"}}, []int{375}, flood{query: "PTR", first: 1000}, 63},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHeld(t, Config{MaxInFlight: test.most})
			begun, gives := make([]int, len(test.floods)), 0
			for i := range test.most + 1 {
				for j, f := range test.floods {
					begun[j] += h.pour(f, i, 1)
				}
			}
			for j, f := range test.floods {
				if f.helo && !test.others.helo {
					gives += begun[j] // give way
				}
			}
			free := 0
			for h.pour(test.others, 10_000+free, 1) == 1 && int(h.Stats().Displaced) <= gives {
				free++
			}
			if fmt.Sprint(begun) != fmt.Sprint(test.want) || free != test.free {
				t.Errorf("%s: %v begun, then %d of others; want %v and %d", test.name, begun, free, test.want, test.free)
			}
			if s := h.Stats(); s.InFlight > test.most {
				t.Errorf("%s: %d under way; want %d at most", test.name, s.InFlight, test.most)
			}
			h.end()
		})
	}
}

// TestDisplaced: where there is no room the lookup that has lasted for longest ends
// for a new one, if it has lasted for long, or its network or zone has more than
// that of the other.
func TestDisplaced(t *testing.T) {
	clients, namesHELO := flood{query: "PTR"}, flood{query: "A h%.example", helo: true}
	ptr, otherHELO := flood{query: "PTR", first: 1000}, flood{query: "A o%.example", helo: true, first: 1000}
	one := flood{query: "A h%.example", networks: 1}
	for _, test := range []struct {
		name      string
		old       flood
		n         int // how many of it, which are begun
		lasts     time.Duration
		newer     flood
		m         int // how many of it
		begun     int // of them
		displaced int
		busy      int    // who is told ErrBusy
		share     int    // who is told ErrShare
		again     string // of the oldest, for who cannot wait
	}{
		{"young", clients, 88, ripeAfter - 1, ptr, 100, 0, 0, 100, 0, "temperror: cut short"},
		{"ripe", clients, 88, ripeAfter, ptr, 88, 88, 88, 88, 0, "temperror: cut short"},
		// What was not answered in a whole try is no trouble of ours any more.
		{"silent", clients, 88, 2 * time.Second, ptr, 88, 88, 88, 0, 0, "cached: temperror: no answer yet when others needed the room"},
		{"a HELO name for another", namesHELO, 50, ripeAfter, otherHELO, 50, 50, 50, 50, 0, "temperror: cut short"},
		{"a young HELO name for another", namesHELO, 50, 0, otherHELO, 50, 0, 0, 50, 0, "temperror: cut short"},
		{"a young HELO name for what is none", namesHELO, 50, 0, ptr, 100, 88, 38, 50, 0, "temperror: cut short"},
		{"what is none for a HELO name", clients, 88, time.Second, otherHELO, 100, 12, 0, 88, 0, "temperror: cut short"},
		{"one network for others", one, 50, 0, ptr, 120, 87, 49, 44, 38, "temperror: cut short"},
		{"others for one network", ptr, 88, 0, one, 120, 0, 0, 120, 0, "temperror: cut short"},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHeld(t, Config{MaxInFlight: 100})
			if got := h.pour(test.old, 0, test.n); got != test.n {
				t.Errorf("%s: %d begun; want %d", test.name, got, test.n)
			}
			time.Sleep(test.lasts)
			begun := h.pour(test.newer, 10_000, test.m)
			s, told := h.Stats(), [2]int{h.told(ErrBusy), h.told(ErrShare)}
			if begun != test.begun || s.Displaced != uint64(test.displaced) || told != [2]int{test.busy, test.share} || s.InFlight != test.n+test.begun-test.displaced {
				t.Errorf("%s: %d begun, %d displaced, %d told that it is busy and %d that it is their share, %d under way; want %d, %d, %d, %d, %d",
					test.name, begun, s.Displaced, told[0], told[1], s.InFlight, test.begun, test.displaced, test.busy, test.share, test.n+test.begun-test.displaced)
			}
			h.stop()
			if got := words(h.lookupContext(h.ctx, test.old.lookup(0), Options{})); got != test.again {
				t.Errorf("%s: the oldest, queried again = %s; want %s", test.name, got, test.again)
			}
			h.end()
		})
	}
}

// TestRaised: a lookup of a HELO name that turns out to be more than that, or that
// somebody joins for whom it is, has the place of one that is no HELO name, if there
// is room.
func TestRaised(t *testing.T) {
	said := flood{query: "A h%.example", helo: true, first: 2000}
	for _, test := range []struct {
		name      string
		names     int // of addresses, under way before
		said      int // HELO names
		raised    int // of these
		begun     int // of 100 that are no names after that
		displaced int // for them
	}{
		{"none", 0, 50, 0, 88, 38},
		{"some", 0, 50, 10, 78, 28},
		{"all", 0, 50, 50, 38, 0},
		{"no room for more names", 75, 25, 10, 13, 13},
		{"room for some more", 70, 30, 10, 13, 13},
	} {
		for _, joined := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				h := newHeld(t, Config{MaxInFlight: 100})
				begun := h.pour(flood{query: "A o%.example"}, 0, test.names) + h.pour(said, 0, test.said)
				more := said
				more.helo = false
				for i := range test.raised {
					if _, name, _ := strings.Cut(said.lookup(i), " "); joined && h.pour(more, i, 1) == 0 || !joined && !h.Raise("ip4", name, Options{Client: more.client(i)}) {
						t.Errorf("%s: %s is not under way", test.name, name)
					}
				}
				if want := test.names + test.said; begun != want || h.refusals() != 0 {
					t.Errorf("%s: %d begun, %d refused; want %d, 0", test.name, begun, h.refusals(), want)
				}
				begun = h.pour(flood{query: "PTR", first: 1000}, 10_000, 100)
				if s := h.Stats(); begun != test.begun || s.Displaced != uint64(test.displaced) || s.InFlight > 100 {
					t.Errorf("%s: then %d begun, %d displaced, %d under way; want %d, %d, 100 at most", test.name, begun, s.Displaced, s.InFlight, test.begun, test.displaced)
				}
				if h.Raise("ip4", "never.example", Options{}) || h.Raise("ip6", "h0.example", Options{}) {
					t.Errorf("%s: raised what is not under way", test.name)
				}
				h.end()
			})
		}
	}
}

// TestAccounts: whoever comes, joins, leaves, gives way and is cut at the same
// moment, in the end nobody has a place and nothing is charged, and meanwhile there
// are never more under way than allowed.
func TestAccounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most = 40
		b := configured(t, Config{MaxInFlight: most}, "!delay * 50ms\n!drop *.silent.example\n!servfail *.broken.example\n")
		var wg sync.WaitGroup
		for i := range 64 {
			rnd := rand.New(rand.NewPCG(1, uint64(i)))
			wg.Go(func() {
				for range 100 {
					zone := [...]string{"silent", "broken", "well"}[rnd.IntN(3)]
					query := fmt.Sprintf("A h%d.%s.example", rnd.IntN(8), zone)
					if rnd.IntN(4) == 0 {
						query = "PTR " + v4(rnd.IntN(2000)).String()
					}
					ctx, cancel := context.WithTimeoutCause(t.Context(), time.Duration(rnd.IntN(300))*time.Millisecond, [...]error{nil, ErrUnneeded}[rnd.IntN(2)])
					b.lookupContext(ctx, query, Options{Client: v4(rnd.IntN(2000)), HELO: query[0] == 'A' && rnd.IntN(2) == 0})
					cancel()
					if n := b.Stats().InFlight; n > most {
						t.Errorf("%d under way; want %d at most", n, most)
					}
				}
			})
		}
		wg.Wait()
		b.Close()
		if s := b.Stats(); s.InFlight != 0 || b.charged() != 0 || b.named() != 0 || len(b.hosts.flights)+len(b.names.flights) != 0 || s.Displaced == 0 {
			t.Errorf("in the end %d under way, %d charged, %d for names, %d flights, %d displaced; want none, and some displaced",
				s.InFlight, b.charged(), b.named(), len(b.hosts.flights)+len(b.names.flights), s.Displaced)
		}
	})
}

// TestLessRoom: a bound that is lower than what is under way ends nothing but one
// lookup for each new one.
func TestLessRoom(t *testing.T) {
	for _, test := range []struct {
		old   flood
		most  int // from then on
		n     int // how many come then
		begun int
		under int // way after that
	}{
		{flood{query: "PTR"}, 20, 1, 1, 88},
		{flood{query: "PTR"}, 20, 30, 30, 88},
		{flood{query: "PTR"}, 200, 30, 30, 118},
		{flood{query: "A h%.example", helo: true}, 20, 10, 10, 50},
	} {
		synctest.Test(t, func(t *testing.T) {
			h := newHeld(t, Config{MaxInFlight: 100})
			h.pour(test.old, 0, 88)
			time.Sleep(ripeAfter)
			h.SetMaxInFlight(test.most)
			begun := h.pour(flood{query: "PTR", first: 1000}, 10_000, test.n)
			if s := h.Stats(); begun != test.begun || s.InFlight != test.under {
				t.Errorf("%v at most where there were 88 %q: %d of %d begun, %d under way; want %d, %d", test.most, test.old.query, begun, test.n, s.InFlight, test.begun, test.under)
			}
			h.end()
		})
	}
}

// TestCrowdIsTold: an operator is told once in 10 minutes who holds most, whatever
// a stranger calls his zone.
func TestCrowdIsTold(t *testing.T) {
	long := strings.Repeat("a", 60) + "." + strings.Repeat("b", 60)
	for _, test := range []struct {
		name  string
		flood flood
		want  string
	}{
		{"one zone", flood{query: "A h#.example.com"}, "zone=example.com zone_lookups=50 network=2001:db8::/48 network_lookups=1 lookups=50 max_inflight=100 refused=1"},
		{"one network", flood{query: "PTR", networks: 1}, "zone=0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa zone_lookups=50 network=2001:db8::/48 network_lookups=50 lookups=50 max_inflight=100 refused=1"},
		{"a HELO zone", flood{query: "A h#.example.com", helo: true}, "zone=example.com zone_lookups=25 network=2001:db8::/48 network_lookups=1 lookups=25 max_inflight=100 refused=1"},
		{"a hostile zone", flood{query: "A h#.a\\010b=\\\"c.example"}, `zone="a\\010b=\\\"c.example" zone_lookups=50 network=2001:db8::/48 network_lookups=1 lookups=50 max_inflight=100 refused=1`},
		{"a long zone", flood{query: "A #." + long}, "zone=" + long[:100] + " zone_lookups=50 network=2001:db8::/48 network_lookups=1 lookups=50 max_inflight=100 refused=1"},
	} {
		synctest.Test(t, func(t *testing.T) {
			var log bytes.Buffer
			plain := func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			}
			h := newHeld(t, Config{MaxInFlight: 100, Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{ReplaceAttr: plain}))})
			h.pour(test.flood, 0, 100)
			want := `level=WARN msg="too many DNS lookups under way: some are refused; told once in 10 minutes, with who holds most" ` + test.want + "\n"
			if got := log.String(); got != want {
				t.Errorf("%s: log %q; want %q", test.name, got, want)
			}
			h.end()
		})
	}
}

// TestCrowdPause: how often.
func TestCrowdPause(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log bytes.Buffer
		b := configured(t, Config{MaxInFlight: 100, Log: slog.New(slog.NewTextHandler(&log, nil))}, "")
		for _, step := range []struct {
			after time.Duration
			lines int
			last  string
		}{{0, 1, "refused=1"}, {crowdPause - time.Minute, 1, "refused=1"}, {time.Minute, 2, "refused=100"}} {
			time.Sleep(step.after)
			b.fly(100, Options{Client: v4(1)})
			time.Sleep(30 * time.Second)
			lines := strings.Split(strings.TrimSuffix(log.String(), "\n"), "\n")
			if last := lines[len(lines)-1]; len(lines) != step.lines || !strings.HasSuffix(last, step.last) {
				t.Errorf("%v later: %d lines, the last %q; want %d and %s", step.after, len(lines), last, step.lines, step.last)
			}
		}
	})
}
