package floor

import (
	"context"
	"io"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"policyd-rdns/resolver/world"
)

func TestServe(t *testing.T) {
	testServe(t, Serve)
}

func TestServeEpoll(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs epoll")
	}
	testServe(t, ServeEpoll)
}

// TestServeLookups: names are looked up for the clients that have an address, both ways, and
// the answers are the same.
func TestServeLookups(t *testing.T) {
	w, err := world.Parse("10.113.0.203.in-addr.arpa. PTR mail.example.com.\nmail.example.com. A 203.0.113.10")
	if err != nil {
		t.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.Serve(ctx, pc, l) })
	defer serving.Wait()
	defer stop()
	ours, theirs := net.Pipe()
	defer ours.Close()
	to, err := net.Dial("udp", pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	serving.Go(func() { converseWith(theirs, &asker{conn: to}) })
	for _, client := range []string{"203.0.113.10", "203.0.113.11"} {
		if _, err := io.WriteString(ours, "request=x\nclient_address="+client+"\n\n"); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, len(answer))
		if _, err := io.ReadFull(ours, got); err != nil || string(got) != string(answer) {
			t.Errorf("%s: reply %q, %v", client, got, err)
		}
	}
	want := []string{"PTR 10.113.0.203.in-addr.arpa", "A mail.example.com", "PTR 11.113.0.203.in-addr.arpa"}
	if got := w.Queries(); !slices.Equal(got, want) {
		t.Errorf("queried %q; want %q", got, want)
	}
}

func testServe(t *testing.T, serve func(context.Context, net.Listener) error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- serve(ctx, l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Two at once, one that comes in pieces, and three of which all but one are empty.
	for pieces, requests := range map[string]int{"a=b\n\nc=d\n\n": 2, "a=|b\n|\n": 1, "\n|\na=b\n|\n": 3} {
		for piece := range strings.SplitSeq(pieces, "|") {
			if _, err := io.WriteString(conn, piece); err != nil {
				t.Fatal(err)
			}
		}
		want := strings.Repeat(string(answer), requests)
		got := make([]byte, len(want))
		if _, err := io.ReadFull(conn, got); err != nil || string(got) != want {
			t.Errorf("replies to %q = %q, %v; want %q", pieces, got, err, want)
		}
	}
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v; want nil", err)
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("a connection is open after the end")
	}
}

func TestServeListenerFails(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := Serve(t.Context(), l); err == nil {
		t.Error("Serve() on a closed listener = nil; want an error")
	}
	if err := ServeEpoll(t.Context(), l); err == nil {
		t.Error("ServeEpoll() on a closed listener = nil; want an error")
	}
}
