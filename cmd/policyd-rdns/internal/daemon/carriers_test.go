package daemon

import (
	"bytes"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// carried is client i of IPv4 under a prefix.
func carried(prefix string, i int) string {
	return fmt.Sprintf("%s%d.%d.%d.%d", prefix, 1+i%9, i/7%256, i/3%256, i%256)
}

// carriedBehind is client i of IPv4 behind a prefix of so many bits (RFC 6052 section
// 2.2).
func carriedBehind(bits, i int) string {
	b := netip.MustParseAddr("2001:db8:64:abcd::").As16()
	clear(b[bits/8:])
	v4 := netip.MustParseAddr(carried("", i)).As4()
	at := bits / 8
	for _, octet := range v4 {
		if at == 8 {
			at++
		}
		b[at] = octet
		at++
	}
	return netip.AddrFrom16(b).String()
}

func TestCarriers(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	v4 := func(i int) string { return fmt.Sprintf("203.0.113.%d", i%250) }
	type seen struct {
		addr string
		ptr  resolver.Outcome
	}
	const none, found = resolver.None, resolver.Found
	// mixed is client i, one in so many of a kind, the others of another.
	mixed := func(i, of int, one, other seen) seen {
		if i%of == 0 {
			return one
		}
		return other
	}
	for _, test := range []struct {
		name   string
		client func(i int) seen
		every  time.Duration
		want   bool
	}{
		{"all through a translator", func(i int) seen { return seen{carried("2001:db8:64::", i), none} }, 10 * time.Second, true},
		{"the local-use prefix (RFC 8215)", func(i int) seen { return seen{carried("64:ff9b:1::", i), none} }, 10 * time.Second, true},
		{"a prefix of 32 bits", func(i int) seen { return seen{carriedBehind(32, i), none} }, 10 * time.Second, true},
		{"a prefix of 40 bits", func(i int) seen { return seen{carriedBehind(40, i), none} }, 10 * time.Second, true},
		{"a prefix of 48 bits", func(i int) seen { return seen{carriedBehind(48, i), none} }, 10 * time.Second, true},
		{"a prefix of 56 bits", func(i int) seen { return seen{carriedBehind(56, i), none} }, 10 * time.Second, true},
		{"a prefix of 64 bits", func(i int) seen { return seen{carriedBehind(64, i), none} }, 10 * time.Second, true},
		{"the first host of each network, without a name", func(i int) seen { return seen{fmt.Sprintf("2001:db8:%x::1", i), none} }, 10 * time.Second, false},
		{"a quarter", func(i int) seen { return mixed(i, 4, seen{carried("2001:db8:64::", i/4), none}, seen{v4(i), found}) }, 10 * time.Second, true},
		{"beside senders of IPv6", func(i int) seen {
			return mixed(i, 3, seen{carried("2001:db8:64::", i/3), none}, seen{fmt.Sprintf("2001:db8:%x::100:%x", i%5000, i), found})
		}, 10 * time.Second, true},
		{"a few with a name", func(i int) seen {
			return mixed(i, 20, seen{carried("2001:db8:64::", i), found}, seen{carried("2001:db8:64::", i), none})
		}, 10 * time.Second, true},
		{"a name for most (DNS64)", func(i int) seen {
			return mixed(i, 3, seen{carried("2001:db8:64::", i), none}, seen{carried("2001:db8:64::", i), found})
		}, 10 * time.Second, false},
		{"a tenth", func(i int) seen { return mixed(i, 10, seen{carried("2001:db8:64::", i/10), none}, seen{v4(i), found}) }, 10 * time.Second, false},
		{"nobody could say", func(i int) seen { return seen{carried("2001:db8:64::", i), resolver.TempError} }, 10 * time.Second, false},
		{"the well-known prefix", func(i int) seen { return seen{carried("", i), none} }, 10 * time.Second, false},
		{"a few hosts", func(i int) seen { return seen{carried("2001:db8:64::", i%60), none} }, 10 * time.Second, false},
		{"a burst", func(i int) seen { return seen{carried("2001:db8:64::", i), none} }, 100 * time.Millisecond, false},
		{"a spammer's network, numbered", func(i int) seen { return seen{fmt.Sprintf("2001:db8:bad::%x", i), none} }, 10 * time.Second, false},
		{"the same at random", func(int) seen {
			return seen{fmt.Sprintf("2001:db8:bad::%x:%x", random.IntN(1<<16), random.IntN(1<<16)), none}
		}, 10 * time.Second, false},
		{"the same at random in 64 bits", func(int) seen {
			return seen{fmt.Sprintf("2001:db8:bad:0:%x:%x:%x:%x", random.IntN(1<<16), random.IntN(1<<16), random.IntN(1<<16), random.IntN(1<<16)), none}
		}, 10 * time.Second, false},
		{"hosts of many networks without a name", func(i int) seen { return seen{fmt.Sprintf("2001:db8:%x::102:304", i), none} }, 10 * time.Second, false},
		{"hardware addresses", func(i int) seen { return seen{fmt.Sprintf("2001:db8::21b:78ff:fe9a:%x", i), none} }, 10 * time.Second, false},
	} {
		var log bytes.Buffer
		g := natGuard{log: slog.New(slog.NewTextHandler(&log, nil))}
		begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		for i := range 3000 {
			one := test.client(i)
			g.see(&policy.Request{
				Time: begin.Add(time.Duration(i) * test.every), Client: netip.MustParseAddr(one.addr), Instance: fmt.Sprint(i),
			}, false, one.ptr)
			if len(g.carriers.list) > maxCarriers {
				t.Fatalf("%s: %d networks are counted; want at most %d", test.name, len(g.carriers.list), maxCarriers)
			}
		}
		got := log.String()
		want := 0
		if test.want {
			want = 1
		}
		if strings.Count(got, "\n") != want || test.want && !strings.Contains(got, "64:ff9b::/96 (RFC 6052)") {
			t.Errorf("%s: logged %q; want %d line", test.name, got, want)
			continue
		}
		_, network, _ := strings.Cut(got, " network=")
		network, _, _ = strings.Cut(network, " ")
		if prefix, err := netip.ParsePrefix(network); test.want && (err != nil || !prefix.Contains(netip.MustParseAddr(test.client(60).addr))) {
			t.Errorf("%s: logged %q; want the network of %s", test.name, got, test.client(60).addr)
		}
	}
}

// Clients of ours are none that a translator shows.
func TestCarriersOwn(t *testing.T) {
	var log bytes.Buffer
	g := natGuard{log: slog.New(slog.NewTextHandler(&log, nil)), told: true}
	begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	for i := range 1000 {
		g.see(&policy.Request{
			Time: begin.Add(time.Duration(i) * time.Minute), Client: netip.MustParseAddr(carried("2001:db8:64::", i)), Instance: fmt.Sprint(i),
		}, true, resolver.None)
	}
	if log.Len() > 0 {
		t.Errorf("logged %q; want nothing", &log)
	}
}
