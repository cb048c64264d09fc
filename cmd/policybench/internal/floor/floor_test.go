package floor

import (
	"context"
	"io"
	"net"
	"strings"
	"testing"
)

func TestServe(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error)
	go func() { served <- Serve(ctx, l) }()
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	// Two at once, and one that comes in pieces.
	for _, pieces := range []string{"a=b\n\nc=d\n\n", "a=|b\n|\n"} {
		for piece := range strings.SplitSeq(pieces, "|") {
			if _, err := io.WriteString(conn, piece); err != nil {
				t.Fatal(err)
			}
		}
		want := strings.Repeat(string(answer), strings.Count(strings.ReplaceAll(pieces, "|", ""), "\n\n"))
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
}
