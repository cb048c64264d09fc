package resolver

import (
	"context"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// TestNextServer: who is asked when, and what is said if nobody knows. A "+" is
// for a server that knows, a directive for one that does not.
func TestNextServer(t *testing.T) {
	const name = "mail.example.com"
	for _, test := range []struct {
		servers []string
		want    string
		queried []int
		took    time.Duration
	}{
		{[]string{"+", "+"}, "found 192.0.2.1", []int{1, 0}, 0},
		{[]string{"!servfail", "+"}, "found 192.0.2.1", []int{1, 1}, 0},
		{[]string{"!refused", "+"}, "found 192.0.2.1", []int{1, 1}, 0},
		{[]string{"!empty", "+"}, "found 192.0.2.1", []int{1, 1}, 0},
		{[]string{"!referral", "+"}, "found 192.0.2.1", []int{1, 1}, 0},
		{[]string{"!truncateall", "+"}, "found 192.0.2.1", []int{2, 1}, 0},
		{[]string{"!drop", "+"}, "found 192.0.2.1", []int{1, 1}, 2 * time.Second},
		{[]string{"!wrongid", "+"}, "found 192.0.2.1", []int{1, 1}, 2 * time.Second},
		{[]string{"!drop", "!drop", "!drop", "+"}, "found 192.0.2.1", []int{1, 1, 1, 1}, 6 * time.Second},
		// Silence is worth two tries, and nothing is worth more than four.
		{[]string{"!drop"}, "temperror: no reply from 192.0.2.53:53 in 2s", []int{2}, 4 * time.Second},
		{[]string{"!drop", "!drop"}, "temperror: no reply from 192.0.2.53:53 in 2s; no reply from 198.51.100.53:53 in 2s", []int{1, 1}, 4 * time.Second},
		{[]string{"!servfail", "!drop"}, "temperror: SERVFAIL from 192.0.2.53:53; no reply from 198.51.100.53:53 in 2s", []int{1, 1}, 2 * time.Second},
		{[]string{"!servfail", "!servfail", "!servfail", "!servfail", "+"}, "temperror: SERVFAIL from 192.0.2.53:53; SERVFAIL from 198.51.100.53:53; SERVFAIL from 203.0.113.53:53; SERVFAIL from [2001:db8::53]:53", []int{1, 1, 1, 1, 0}, 0},
		// An alias that resolves to itself does so on every server.
		{[]string{"loop", "+"}, `temperror: CNAME loop at "mail.example.com."`, []int{1, 0}, 0},
		{[]string{"none", "+"}, "none", []int{1, 0}, 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			var texts []string
			for _, s := range test.servers {
				switch s {
				case "+":
					texts = append(texts, name+". A 192.0.2.1")
				case "none":
					texts = append(texts, "")
				case "loop":
					texts = append(texts, name+". CNAME "+name+".")
				default:
					texts = append(texts, name+". A 192.0.2.1\n"+s+" "+name)
				}
			}
			b := newBed(t, texts...)
			start := time.Now()
			got := b.say("A "+name, Options{})
			var queried []int
			for i := range b.worlds {
				queried = append(queried, len(b.queries(i)))
			}
			if took := time.Since(start); got != test.want || !slices.Equal(queried, test.queried) || took != test.took {
				t.Errorf("%s = %s, queried %v, in %v; want %s, %v, %v", strings.Join(test.servers, " "), got, queried, took, test.want, test.queried, test.took)
			}
		})
	}
}

// TestIllServer: a server that failed is asked last until it answers again; a
// zone that fails is not its fault.
func TestIllServer(t *testing.T) {
	const zone = "a.example.com. A 192.0.2.1\nb.example.com. A 192.0.2.2\nc.example.com. A 192.0.2.3\n"
	for _, test := range []struct {
		fault string
		first int // who is asked first afterwards
	}{
		{"!drop a.example.com", 1},
		{"!refused a.example.com", 1},
		{"!empty a.example.com", 1},
		{"!referral a.example.com", 1},
		{"!servfail a.example.com", 0},
		{"!truncateall a.example.com", 0},
		{"", 0},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, zone+test.fault, zone+"!drop c.example.com")
			b.lookup("A a.example.com", Options{})
			b.lookup("A b.example.com", Options{})
			if got, want := b.heard("A b.example.com"), []int{test.first}; !slices.Equal(got, want) {
				t.Errorf("after %q, queried %v; want %v", test.fault, got, want)
			}
			// Now the second is silent, and the first answers and is well again.
			b.lookup("A c.example.com", Options{})
			b.lookup("A d.example.com", Options{})
			if got, want := b.heard("A d.example.com"), []int{0}; !slices.Equal(got, want) {
				t.Errorf("after %q, at last queried %v; want %v", test.fault, got, want)
			}
		})
	}
}

// TestWellAgain: a server that answers is asked before one that still does not.
func TestWellAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "!drop *", "!drop a.example.com")
		b.lookup("A a.example.com", Options{}) // both are failing
		b.lookup("A b.example.com", Options{}) // the second answers
		b.lookup("A c.example.com", Options{})
		if got, want := b.heard("A c.example.com"), []int{1}; !slices.Equal(got, want) {
			t.Errorf("queried %v; want %v", got, want)
		}
	})
}

func TestSetServers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, "a.example.com. A 192.0.2.1\n!drop *", "b.example.com. A 192.0.2.2")
		first, second := netip.MustParseAddrPort(serverAddrs[0]), netip.MustParseAddrPort(serverAddrs[1])
		b.SetServers([]netip.AddrPort{second}, time.Second)
		if got, want := b.say("A b.example.com", Options{}), "found 192.0.2.2"; got != want {
			t.Errorf("from the new server = %s; want %s", got, want)
		}
		b.SetServers([]netip.AddrPort{first}, time.Second)
		if got, want := b.say("A a.example.com", Options{}), "temperror: no reply from 192.0.2.53:53 in 1s"; got != want {
			t.Errorf("with the new timeout = %s; want %s", got, want)
		}
		if got, want := b.say("A b.example.com", Options{}), "cached: found 192.0.2.2"; got != want {
			t.Errorf("from the cache = %s; want %s", got, want)
		}
		b.SetServers([]netip.AddrPort{first, second}, time.Second) // the first is known to be failing
		b.SetServers(nil, time.Second)                             // changes nothing
		b.SetServers([]netip.AddrPort{first}, 0)                   // neither
		b.lookup("A c.example.com", Options{})
		if got, want := b.heard("A c.example.com"), []int{1}; !slices.Equal(got, want) {
			t.Errorf("queried %v; want %v", got, want)
		}
	})
}

// TestNetworkErrors: what the network says is said in few words, and the next
// server is asked at once.
func TestNetworkErrors(t *testing.T) {
	refused := &net.OpError{Op: "read", Net: "udp", Err: os.NewSyscallError("read", syscall.ECONNREFUSED)}
	for _, test := range []struct {
		err  error
		want string
	}{
		{refused, "temperror: 192.0.2.53:53: connection refused"},
		{syscall.ENETUNREACH, "temperror: 192.0.2.53:53: network is unreachable"},
		{net.UnknownNetworkError("udp"), "temperror: 192.0.2.53:53: unknown network udp"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, "", "a.example.com. A 192.0.2.1")
			inner := b.server
			b.server = func(ctx context.Context, network, address string) (net.Conn, error) {
				if address == serverAddrs[0] {
					return nil, test.err
				}
				return inner(ctx, network, address)
			}
			if got, want := b.say("A a.example.com", Options{}), "found 192.0.2.1"; got != want {
				t.Errorf("after %v = %s; want %s", test.err, got, want)
			}
			b.SetServers([]netip.AddrPort{netip.MustParseAddrPort(serverAddrs[0])}, time.Second)
			if got := b.say("A b.example.com", Options{}); got != test.want {
				t.Errorf("after %v = %s; want %s", test.err, got, test.want)
			}
		})
	}
}
