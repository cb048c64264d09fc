package floor

import (
	"context"
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
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
