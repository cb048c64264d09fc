package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// TestGuard: who may ask for what.
func TestGuard(t *testing.T) {
	s := Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "hello") }),
		Names:   func() []string { return []string{"mx.example.com"} },
	}
	for _, test := range []struct {
		method, host string
		want         int
	}{
		{"GET", "127.0.0.1:10041", 200},
		{"HEAD", "127.0.0.1:10041", 200},
		{"GET", "127.0.0.1", 200},
		{"GET", "[::1]:10041", 200},
		{"GET", "[::1]", 200},
		{"GET", "192.0.2.1:10041", 200},
		{"GET", "localhost:10041", 200},
		{"GET", "LOCALHOST", 200},
		{"GET", "MX.example.com:10041", 200},
		{"GET", "mx.example.com.", 200},
		// A name of the attacker's own that resolves to the loopback.
		{"GET", "rebind.example.org", 421},
		{"GET", "rebind.example.org:10041", 421},
		{"GET", "127.0.0.1.example.org", 421},
		{"GET", "localhost.example.org", 421},
		{"GET", "2130706433", 421},
		{"GET", "", 421},
		{"POST", "127.0.0.1:10041", 405},
		{"DELETE", "127.0.0.1:10041", 405},
		{"OPTIONS", "127.0.0.1:10041", 405},
		{"POST", "rebind.example.org", 421},
	} {
		r := httptest.NewRequest(test.method, "/", nil)
		r.Host = test.host
		w := httptest.NewRecorder()
		s.guard().ServeHTTP(w, r)
		if w.Code != test.want {
			t.Errorf("%s / of %q = %d; want %d", test.method, test.host, w.Code, test.want)
		}
		if got := w.Header().Get("Content-Security-Policy"); !strings.HasPrefix(got, "default-src 'none'; ") {
			t.Errorf("%s / of %q: Content-Security-Policy %q; want default-src 'none' and more", test.method, test.host, got)
		}
		if w.Header().Get("X-Content-Type-Options") != "nosniff" || w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s / of %q: header %v", test.method, test.host, w.Header())
		}
	}
}

// serve starts a server, and gives its address and what ends it.
func serve(t *testing.T, s *Server) (address string, stop func() error) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, l) }()
	stop = func() error {
		cancel()
		return <-ended
	}
	t.Cleanup(cancel)
	return l.Addr().String(), stop
}

// TestServe: a request is answered, one with an endless header is not, and a stop
// lets those finish that have begun.
func TestServe(t *testing.T) {
	begun, leave := make(chan struct{}), make(chan struct{})
	address, stop := serve(t, &Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/slow" {
			close(begun)
			<-leave
		}
		_, _ = io.WriteString(w, "hello")
	})})
	if got := get(t, address, "/", ""); got != "HTTP/1.1 200 OK" {
		t.Errorf("GET / = %s; want 200", got)
	}
	if got := get(t, address, "/", "X: "+strings.Repeat("x", 2*maxHeader)+"\r\n"); got != "HTTP/1.1 431 Request Header Fields Too Large" {
		t.Errorf("GET / with a large header = %s; want 431", got)
	}
	slow := make(chan string, 1)
	go func() { slow <- get(t, address, "/slow", "") }()
	<-begun
	ended := make(chan error, 1)
	go func() { ended <- stop() }()
	close(leave)
	if got := <-slow; got != "HTTP/1.1 200 OK" {
		t.Errorf("GET /slow during the stop = %s; want 200", got)
	}
	if err := <-ended; err != nil {
		t.Errorf("Serve() = %v; want none", err)
	}
}

// get is the first line of an answer, or the error.
func get(t *testing.T, address, path, header string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return err.Error()
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		return err.Error()
	}
	// The server may hang up before it has read all of it.
	_, _ = io.WriteString(conn, "GET "+path+" HTTP/1.1\r\nHost: "+address+"\r\n"+header+"\r\n")
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return err.Error()
	}
	return strings.TrimSpace(line)
}

// TestServeListenerFails: the error of a listener that somebody has closed.
func TestServeListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	s := Server{Handler: http.NotFoundHandler()}
	if err := s.Serve(t.Context(), l); err == nil {
		t.Error("Serve() of a closed listener = nil; want an error")
	}
}
