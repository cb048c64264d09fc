package world

import (
	"context"
	"net"
	"slices"
	"testing"
)

func TestServe(t *testing.T) {
	w := parse(t, text+"!delay slow.example.com 1h")
	pc, l, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- w.Serve(ctx, pc, l) }()
	var idle []net.Conn
	for _, network := range []string{"udp", "tcp"} {
		conn, err := net.Dial(network, l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		q := query("mail.example.com.", "AAAA")
		want := []string{"NOERROR ra mail.example.com./300/AAAA/2001:db8::10"}
		if got := summaries(put(t, conn, network, q), q); !slices.Equal(got, want) {
			t.Errorf("over %s = %q; want %q", network, got, want)
		}
		idle = append(idle, conn)
	}
	// Neither a late reply nor an idle connection keeps it.
	send(t, idle[0], "udp", query("slow.example.com.", "A"))
	cancel()
	if err := <-served; err != nil {
		t.Errorf("Serve() = %v; want nil", err)
	}
}

func TestServeSocketFails(t *testing.T) {
	pc, l, err := Listen()
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := parse(t, text).Serve(t.Context(), pc, l); err == nil {
		t.Error("Serve on a closed socket = nil; want an error")
	}
}
