package web

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// TestRequester: who asks, whatever stands in X-Forwarded-For.
func TestRequester(t *testing.T) {
	proxies := []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32"), netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("192.0.2.0/28")}
	proxy := func(a netip.Addr) bool {
		for _, p := range proxies {
			if p.Contains(a) {
				return true
			}
		}
		return false
	}
	for _, tt := range []struct {
		peer  string
		lines []string
		want  string // empty: nobody can tell
	}{
		{"203.0.113.10:4711", nil, "203.0.113.10"},
		{"[2001:db8::10]:4711", nil, "2001:db8::10"},
		{"[::ffff:203.0.113.10]:4711", nil, "203.0.113.10"},
		{"[fe80::10%eth0]:4711", nil, "fe80::10"},
		{"[64:ff9b::203.0.113.10]:4711", nil, "203.0.113.10"},
		// Whoever is no proxy names nobody.
		{"203.0.113.10:4711", []string{"198.51.100.7"}, "203.0.113.10"},
		{"203.0.113.10:4711", []string{"198.51.100.7", "198.51.100.8"}, "203.0.113.10"},
		{"127.0.0.1:4711", []string{"198.51.100.7"}, "198.51.100.7"},
		{"[::1]:4711", []string{"2001:db8::10"}, "2001:db8::10"},
		{"[::ffff:127.0.0.1]:4711", []string{"::ffff:198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:4711", []string{"[2001:db8::10]"}, "2001:db8::10"},
		{"127.0.0.1:4711", []string{"[2001:db8::10]:80"}, "2001:db8::10"},
		{"127.0.0.1:4711", []string{"198.51.100.7:80"}, "198.51.100.7"},
		{"127.0.0.1:4711", []string{" 198.51.100.7\t"}, "198.51.100.7"},
		// The rightmost that is no proxy: what is left of it anybody may have written.
		{"127.0.0.1:4711", []string{"203.0.113.10, 198.51.100.7"}, "198.51.100.7"},
		{"127.0.0.1:4711", []string{"203.0.113.10,198.51.100.7, 192.0.2.3,127.0.0.1"}, "198.51.100.7"},
		{"127.0.0.1:4711", []string{"nonsense, 198.51.100.7"}, "198.51.100.7"},
		// Nobody can tell.
		{"127.0.0.1:4711", nil, ""},
		{"127.0.0.1:4711", []string{""}, ""},
		{"127.0.0.1:4711", []string{"127.0.0.1"}, ""},
		{"127.0.0.1:4711", []string{"192.0.2.1, 127.0.0.1"}, ""},
		{"127.0.0.1:4711", []string{"203.0.113.10, nonsense"}, ""},
		{"127.0.0.1:4711", []string{"203.0.113.10, unknown, 127.0.0.1"}, ""},
		{"127.0.0.1:4711", []string{"203.0.113.10,"}, ""},
		{"127.0.0.1:4711", []string{",203.0.113.10,,"}, ""},
		{"127.0.0.1:4711", []string{"203.0.113.10", "198.51.100.7"}, ""},
		{"127.0.0.1:4711", []string{"198.51.100.7", "198.51.100.7"}, ""},
		{"127.0.0.1:4711", []string{"203.0.113.10/32"}, ""},
		{"@", []string{"203.0.113.10"}, ""},
		{"", nil, ""},
	} {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = tt.peer
		r.Header["X-Forwarded-For"] = tt.lines
		got, ok := Requester(r, proxy)
		if ok != (tt.want != "") || ok && got != netip.MustParseAddr(tt.want) {
			t.Errorf("%s says %q: %v, %v; want %q", tt.peer, tt.lines, got, ok, tt.want)
		}
	}
}

// FuzzRequester: whatever a header says, a proxy is nobody's own address.
func FuzzRequester(f *testing.F) {
	for _, line := range []string{"", "203.0.113.10", "203.0.113.10, 127.0.0.1", "[2001:db8::1]:80,::1", ",,,", "127.0.0.1, ::ffff:127.0.0.1", "::1%lo"} {
		f.Add(line)
	}
	proxy := func(a netip.Addr) bool { return a.IsLoopback() }
	f.Fuzz(func(t *testing.T, line string) {
		r := httptest.NewRequest("GET", "/", nil)
		r.RemoteAddr = "127.0.0.1:4711"
		r.Header["X-Forwarded-For"] = []string{line}
		a, ok := Requester(r, proxy)
		if ok && (!a.IsValid() || proxy(a) || a.Zone() != "" || a.Is4In6()) || !ok && a.IsValid() {
			t.Errorf("X-Forwarded-For: %q: %v, %v", line, a, ok)
		}
	})
}

// TestLimiter: so many at once and then one after the other, each key on its own.
func TestLimiter(t *testing.T) {
	l := Limiter[string]{Every: time.Second, Burst: 3}
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	take := func(k string, after time.Duration) string {
		now = now.Add(after)
		return fmt.Sprint(l.Take(k, now))
	}
	for i, want := range []string{"0s", "0s", "0s", "1s", "1s"} {
		if got := take("a", 0); got != want {
			t.Errorf("take %d: %s; want %s", i, got, want)
		}
	}
	for _, tt := range []struct {
		k     string
		after time.Duration
		want  string
	}{
		{"b", 0, "0s"},
		{"a", 600 * time.Millisecond, "400ms"},
		{"a", 400 * time.Millisecond, "0s"},
		{"a", 0, "1s"},
		{"a", time.Hour, "0s"},
		{"a", 0, "0s"},
		{"a", 0, "0s"},
		{"a", 0, "1s"},
		{"a", -time.Hour, "1h0m1s"}, // the clock was set back
	} {
		if got := take(tt.k, tt.after); got != tt.want {
			t.Errorf("after %v %s has to wait for %s; want %s", tt.after, tt.k, got, tt.want)
		}
	}
	now = now.Add(2 * time.Hour)
	for range 3 {
		take("a", 0)
	}
	for i := range 10 * maxKeys {
		if take(fmt.Sprint(i), 0); i == maxKeys/2 && take("a", 0) != "1s" {
			t.Error("a key is forgotten before there are many others")
		}
	}
	if n := len(l.young) + len(l.old); n > 2*maxKeys {
		t.Errorf("%d keys are known; want at most %d", n, 2*maxKeys)
	}
}

// TestParty has the address of a party.
func TestParty(t *testing.T) {
	for addr, want := range map[string]string{"203.0.113.10": "203.0.113.10", "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::"} {
		if got := Party(netip.MustParseAddr(addr)); got != netip.MustParseAddr(want) {
			t.Errorf("Party(%s) = %s; want %s", addr, got, want)
		}
	}
	if got := Party(netip.Addr{}); got.IsValid() {
		t.Errorf("Party of nobody is %s; want nobody", got)
	}
}

// listener hands out connections at once, as many as are wanted.
type listener struct {
	net.Listener
	closed atomic.Int32
}

func (l *listener) Accept() (net.Conn, error) { return &someConn{l: l}, nil }

// someConn is a connection that can be closed.
type someConn struct {
	net.Conn
	l *listener
}

func (c *someConn) Close() error {
	c.l.closed.Add(1)
	return nil
}

// TestPaced: connections are taken in a burst, and then one after the other. Those that
// are too many are closed, and so are those for which too many are open.
func TestPaced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(time.Hour)
		l := &listener{}
		p := paced{Listener: l}
		take := func(n int, during time.Duration) (taken []net.Conn) {
			t.Helper()
			begin := time.Now()
			for range n {
				conn, err := p.Accept()
				if err != nil {
					t.Fatal(err)
				}
				taken = append(taken, conn)
			}
			if took := time.Since(begin); took != during {
				t.Errorf("%d connections took %v; want %v", n, took, during)
			}
			return taken
		}
		const pause = time.Second / connectionsPerSecond
		some := take(burst+5, 4*pause)
		if got, want := int(l.closed.Load()), 4*int(pause/closePause); got != want {
			t.Errorf("%d connections were closed for being too many; want %d", got, want)
		}
		time.Sleep(time.Hour)
		some = append(some, take(maxPublicConnections-len(some), 0)...)
		time.Sleep(time.Hour)
		taken := make(chan bool)
		go func() {
			take(1, time.Second)
			close(taken)
		}()
		time.Sleep(time.Second - closePause/2) // between two that are closed
		for range 2 {                          // once more does nothing
			_ = some[0].Close()
		}
		<-taken
		if got := p.open.Load(); got != maxPublicConnections {
			t.Errorf("%d are open; want %d", got, maxPublicConnections)
		}
	})
}

// publicly serves a Public until the test ends.
func publicly(t *testing.T, h http.HandlerFunc) (address string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p, ended := Public{Handler: h}, make(chan error, 1)
	go func() { ended <- p.Serve(t.Context(), l) }()
	t.Cleanup(func() {
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// TestPublic: a connection is for one request, of bounded size.
func TestPublic(t *testing.T) {
	address := publicly(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") })
	if got := get(t, address, "/", "X: "+strings.Repeat("x", 3*maxPublicHeader)+"\r\n"); got != "HTTP/1.1 431 Request Header Fields Too Large" {
		t.Errorf("GET / with a large header = %s; want 431", got)
	}
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	const request = "GET / HTTP/1.1\r\nHost: anybody.example\r\n\r\n"
	if _, err := io.WriteString(conn, request+request); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(bufio.NewReader(conn))
	if text := string(all); err != nil || strings.Count(text, "200 OK") != 1 || !strings.Contains(text, "Connection: close") {
		t.Errorf("two requests on a connection: %q, %v; want one answer and the end", text, err)
	}
}
