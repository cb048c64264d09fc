package main

import (
	"bufio"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// TestMemoryOfHugeAnswers holds the real program, with the settings that it comes
// with, to the README's formula while everything that it asks over 100 connections
// is answered with 64 KiB that are made to take megabytes.
func TestMemoryOfHugeAnswers(t *testing.T) {
	if testbed.UnderRace() {
		t.Skip("the race detector takes memory of its own")
	}
	const entries, maxConnections = 100_000, 2000 // as in config.example.toml
	const connections, rounds = 100, 5
	// The delay has many come at the same time.
	dns, w := startWorld(t, "!huge *\n!delay * 300ms")
	path := filepath.Join(t.TempDir(), "config.toml")
	writeFile(t, path, fmt.Sprintf("[server]\nlisten = [%q]\n[resolver]\nservers = [%q]\n", anyPort, dns))
	d := startDaemon(t, "serve", "-c", path)
	var asking sync.WaitGroup
	for i := range connections {
		conn, replies := dial(t, "tcp", d.address)
		asking.Go(func() {
			for round := range rounds {
				n := round*connections + i
				client := fmt.Sprintf("198.%d.%d.7", 20+n/250, n%250) // a network of its own: no share binds
				if _, err := io.WriteString(conn, request(client, fmt.Sprintf("mail%d.example.net", n))); err != nil {
					t.Error(err)
					return
				}
				if err := skipReply(replies); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	asking.Wait()
	most := d.resident(t, "VmHWM")
	if got := len(d.stop(t)); got != connections*rounds {
		t.Errorf("%d decisions; want %d", got, connections*rounds)
	}
	const MiB = 1 << 20
	asked := len(w.Queries())
	t.Logf("%d MiB after %d questions for %d decisions", most/MiB, asked, connections*rounds)
	if bound := daemon.MemoryBase + entries*daemon.MemoryEntry + maxConnections*daemon.MemoryConnection; most > bound {
		t.Errorf("%d MiB; want at most the %d MiB of the README", most/MiB, bound/MiB)
	}
	if asked < 2*connections*rounds { // names of the client, and where HELO leads
		t.Errorf("%d questions for %d decisions; want more", asked, connections*rounds)
	}
}

// skipReply reads an answer to Postfix.
func skipReply(r *bufio.Reader) error {
	reply, err := r.ReadString('\n')
	if err == nil && !strings.HasPrefix(reply, "action=") {
		err = fmt.Errorf("reply %q; want an action", reply)
	}
	if err == nil {
		_, err = r.ReadString('\n')
	}
	return err
}
