package history_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/netip"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
)

const passedOne = policy.NotedContact | policy.NotedPass

// request is one of a client, about a message.
func request(client netip.Addr) *policy.Request {
	return &policy.Request{Time: time.Now(), State: "RCPT", Client: client, Sender: "a@example.com", Recipient: "b@example.org"}
}

func newHistory(entries int, store history.Store) *history.History {
	return history.New(history.Options{Settings: settings, Entries: entries, Store: store, Log: slog.New(slog.NewTextHandler(io.Discard, nil))})
}

// knows reports whether a client is known.
func knows(h *history.History, client netip.Addr, p *policy.Parties) bool {
	past, wait := h.Begin(request(client), p, false)
	if wait != nil {
		past = wait(context.Background())
	}
	return past.PassDays >= 2
}

// TestHopping: whoever has a /48, or a zone that answers to every name, pushes no known
// party out, however often it comes and whether it passes.
func TestHopping(t *testing.T) {
	for _, tt := range []struct {
		name    string
		client  func(i int) netip.Addr
		parties func(i int) policy.Parties
		noted   policy.Noted
	}{
		{"a /48 that never passes", inPrefix6("2001:db8:bad::"), nobody, policy.NotedContact},
		{"a /48 that passes", inPrefix6("2001:db8:bad::"), nobody, passedOne},
		{"a /48 of which each address is of another name", inPrefix6("2001:db8:bad::"), func(i int) policy.Parties {
			return policy.Parties{Organisation: fmt.Sprintf("bad%d.example", i), HELO: fmt.Sprintf("mx.bad%d.example", i)}
		}, passedOne},
		{"a zone that answers to every name", func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}) }, func(i int) policy.Parties {
			return policy.Parties{Organisation: "bad.example", HELO: fmt.Sprintf("h%d.bad.example", i)}
		}, passedOne},
		{"a host that sends for every domain", func(int) netip.Addr { return netip.MustParseAddr("198.51.100.66") }, func(i int) policy.Parties {
			return policy.Parties{Organisation: "bad.example", Sender: fmt.Sprintf("d%d.example", i)}
		}, passedOne},
		{"everybody, for every domain", func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), 66}) }, func(i int) policy.Parties {
			return policy.Parties{Sender: fmt.Sprintf("d%d.example", i)}
		}, passedOne},
		{"everybody, who never passes", func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)}) }, nobody, policy.NotedContact},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				const entries = 4000
				h := newHistory(entries, nil)
				var good []netip.Addr
				for i := range 500 {
					good = append(good, netip.AddrFrom4([4]byte{203, 0, byte(i), 25}))
				}
				for range 2 {
					for i, client := range good {
						p := policy.Parties{Organisation: fmt.Sprintf("good%d.example", i), HELO: fmt.Sprintf("mx.good%d.example", i)}
						h.Note(request(client), &p, passedOne)
					}
					time.Sleep(21 * time.Hour)
				}
				for i := range 20_000 {
					p := tt.parties(i)
					h.Note(request(tt.client(i)), &p, tt.noted)
				}
				for _, client := range good {
					if !knows(h, client, new(policy.Parties)) {
						t.Fatalf("%v was pushed out", client)
					}
				}
				if n := h.State().Parties; n > entries {
					t.Errorf("%d parties in memory; want at most %d", n, entries)
				}
			})
		})
	}
}

func nobody(int) (p policy.Parties) { return p }

// inPrefix6 are addresses of a /48, each of another /64.
func inPrefix6(prefix string) func(i int) netip.Addr {
	return func(i int) netip.Addr {
		a := netip.MustParseAddr(prefix).As16()
		a[6], a[7], a[15] = byte(i>>8), byte(i), 1
		return netip.AddrFrom16(a)
	}
}

// TestSenders: what others send pushes out no domain that is known, but for one that is used
// less than as many as there is room for; and what is said in HELO is none.
func TestSenders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const entries = 4000
		h := newHistory(entries, nil)
		for range 2 {
			for i := range 200 {
				p := policy.Parties{Sender: fmt.Sprintf("good%d.example", i)}
				h.Note(request(netip.AddrFrom4([4]byte{203, 0, byte(i), 25})), &p, passedOne)
			}
			time.Sleep(21 * time.Hour)
		}
		for i := range 20_000 { // of one /24
			p := policy.Parties{Sender: fmt.Sprintf("bad%d.example", i)}
			h.Note(request(netip.AddrFrom4([4]byte{198, 51, 100, byte(i)})), &p, passedOne)
		}
		for i := range 200 {
			if is, wait := h.Sender(fmt.Sprintf("good%d.example", i), false); wait != nil || is.Known != policy.Yes || is.Correspondent != policy.No {
				t.Fatalf("good%d.example: %+v; want known, and no correspondent", i, is)
			}
		}
		for _, domain := range []string{"bad19999.example", "other.example", ""} {
			if is, wait := h.Sender(domain, false); wait != nil || is.Known != policy.No {
				t.Errorf("%q: %+v; want not known", domain, is)
			}
		}
		for i := range 20_000 { // of everywhere
			p := policy.Parties{Sender: fmt.Sprintf("many%d.example", i)}
			h.Note(request(netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 66})), &p, passedOne)
		}
		senders := 0
		err := h.Each(t.Context(), func(p history.Party, _ *history.Record) {
			if p.Kind() == history.KindSender {
				senders++
			}
		})
		if err != nil || senders > entries/8 || senders < entries/16 {
			t.Errorf("%d domains of %d parties, %v; want at most an eighth", senders, entries, err)
		}
	})
}

// TestStrangersHoldHalf: who never passed holds at most half.
func TestStrangersHoldHalf(t *testing.T) {
	h := newHistory(1000, nil)
	for i := range 3000 {
		h.Note(request(netip.AddrFrom4([4]byte{198, byte(i >> 8), byte(i), 1})), new(policy.Parties), policy.NotedContact)
	}
	if n := h.State().Parties; n > 500 {
		t.Errorf("%d strangers of 1000 parties; want at most half", n)
	}
}

// TestNewcomersReturn: where all room is taken by those who are known, a newcomer is
// remembered all the same until it comes again: else it would be deferred for ever.
func TestNewcomersReturn(t *testing.T) {
	for _, tt := range []struct {
		name     string
		entries  int
		hosts    int
		client   func(i int) netip.Addr // the first of them are known
		newcomer string
	}{
		{"a memory full of known parties", 300, 100, func(i int) netip.Addr { return netip.AddrFrom4([4]byte{198, 18, byte(i), 25}) }, "203.0.113.10"},
		{"a network full of known parties", 4000, 85, func(i int) netip.Addr { return netip.AddrFrom4([4]byte{203, 0, 113, byte(i)}) }, "203.0.113.250"},
		{"a /48 full of known parties", 4000, 64, inPrefix6("2001:db8:1::"), "2001:db8:1:ffff::25"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHistory(tt.entries, nil)
				for range 2 {
					for i := range tt.hosts {
						p := policy.Parties{Organisation: fmt.Sprintf("known%d.example", i), HELO: fmt.Sprintf("mx.known%d.example", i)}
						h.Note(request(tt.client(i)), &p, passedOne)
					}
					time.Sleep(21 * time.Hour)
				}
				client := request(netip.MustParseAddr(tt.newcomer))
				h.Note(client, new(policy.Parties), policy.NotedContact|policy.NotedDeferral)
				for i := range 20 {
					h.Note(request(tt.client(tt.hosts+i)), new(policy.Parties), policy.NotedContact)
				}
				time.Sleep(4 * time.Minute)
				if past, _ := h.Begin(client, new(policy.Parties), false); past.Returned.IsZero() {
					t.Errorf("%s came again, and has not returned: %+v", tt.newcomer, past)
				}
				if n := h.State().Parties; n > tt.entries {
					t.Errorf("%d parties in memory; want at most %d", n, tt.entries)
				}
			})
		})
	}
}

// TestForget: a party that is forgotten is one that never came.
func TestForget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHistory(100, nil)
		client := netip.MustParseAddr("203.0.113.10")
		p := policy.Parties{Organisation: "example.com", HELO: "mx.example.com"}
		h.Note(request(client), &p, passedOne)
		time.Sleep(21 * time.Hour)
		h.Note(request(client), &p, passedOne)
		if n, err := h.Forget(t.Context(), history.PartiesOf("203.0.113.10")); n != 1 || err != nil {
			t.Errorf("forgot %d, %v; want 1", n, err)
		}
		if knows(h, client, new(policy.Parties)) || !knows(h, client, &p) {
			t.Error("by its address alone a client is known, or by its organisation it is not")
		}
		if r, ok := h.Show(t.Context(), "o:example.com"); !ok || r.LastPass == 0 {
			t.Errorf("the organisation has %+v, %t", r, ok)
		}
	})
}

// BenchmarkRemember is what a cached client costs: asking and noting.
func BenchmarkRemember(b *testing.B) {
	for _, others := range []int{0, 1_000_000} {
		b.Run(fmt.Sprint("others=", others), func(b *testing.B) {
			h := newHistory(2_000_000, nil)
			for i := range others / 4 {
				h.Note(request(netip.AddrFrom4([4]byte{byte(1 + i>>16), byte(i >> 8), byte(i), 1})), &policy.Parties{
					Organisation: fmt.Sprintf("sender%d.example", i), HELO: fmt.Sprintf("mx.sender%d.example", i), Sender: fmt.Sprintf("d%d.example", i),
				}, passedOne)
			}
			p := policy.Parties{Organisation: "example.com", HELO: "mx.example.com"}
			req := request(netip.MustParseAddr("203.0.113.10"))
			h.Note(req, &p, passedOne)
			b.ReportAllocs()
			for b.Loop() {
				h.Sender("example.com", true)
				h.Begin(req, &p, true)
				h.Note(req, &p, passedOne)
			}
			b.ReportMetric(float64(h.State().Parties), "parties")
		})
	}
}

// BenchmarkPartyMemory is what a party takes in memory.
func BenchmarkPartyMemory(b *testing.B) {
	for b.Loop() {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		const clients = 100_000
		h := newHistory(10*clients, nil)
		for i := range clients {
			p := policy.Parties{Organisation: fmt.Sprintf("sender%d.example", i), HELO: fmt.Sprintf("mx.sender%d.example", i)}
			h.Note(request(netip.AddrFrom4([4]byte{byte(1 + i>>16), byte(i >> 8), byte(i), 1})), &p, passedOne)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/float64(h.State().Parties), "B/party")
		runtime.KeepAlive(h)
	}
}

// TestStoreAway: while the store does not answer, what is to be written stays within bounds
// however many strangers come.
func TestStoreAway(t *testing.T) {
	const entries = 1000
	h := newHistory(entries, &faulty{fault: 1})
	h.Tick(t.Context())
	for i := range 50_000 {
		h.Note(request(netip.AddrFrom4([4]byte{198, byte(i >> 16), byte(i >> 8), byte(i)})), new(policy.Parties), policy.NotedContact)
	}
	if n := h.Dirty(); n > 2*entries {
		t.Errorf("%d are to be written, of a memory of %d", n, entries)
	}
}

// TestForeignDomains: whichever sender domains strangers name, they take no room where a
// common store is asked again anyway.
func TestForeignDomains(t *testing.T) {
	h := newHistory(1000, &faulty{shared: true})
	h.Tick(t.Context())
	for i := range 100 {
		if _, wait := h.Sender(fmt.Sprintf("d%d.example", i), false); wait != nil {
			wait(t.Context())
		}
	}
	if n := h.State().Parties; n > 0 {
		t.Errorf("%d parties in memory; want none", n)
	}
}

// TestForgetUnwritten: who is forgotten is not written afterwards, though memory had to let
// it go before it was.
func TestForgetUnwritten(t *testing.T) {
	store := &faulty{records: map[history.Party]history.Record{}}
	h := newHistory(16, store)
	h.Tick(t.Context())
	for i := range 100 {
		h.Note(request(netip.AddrFrom4([4]byte{198, 18, byte(i), 25})), new(policy.Parties), policy.NotedContact)
	}
	parties := history.PartiesOf("198.18.0.25")
	if _, err := h.Forget(t.Context(), parties); err != nil {
		t.Fatal(err)
	}
	h.Tick(t.Context())
	if _, ok := h.Show(t.Context(), parties[0]); ok {
		t.Error("it is remembered all the same")
	}
}
