package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// TestMemory holds the real program to the formula, as it comes: a full cache of
// 100,000 answers and 2000 connections, each with requests, so many that the
// garbage collector has seen the cache as it is.
func TestMemory(t *testing.T) {
	testbed.Long(t)
	if testing.Short() {
		t.Skip("takes seconds")
	}
	if testbed.UnderRace() {
		t.Skip("the race detector takes memory of its own")
	}
	const entries, connections, rounds = 100_000, 2000, 100
	// So few that none is kept out of its network's share of lookups.
	const learning = 80
	dns, w := startWorld(t, memoryZone(entries/2))
	d := memoryProgram(t, dns, entries)
	base := d.resident(t, "VmRSS")
	d.keepBusy(t, learning, entries/2/learning, entries/2)
	asked := len(w.Queries())
	if asked < entries {
		t.Fatalf("%d questions were asked; want one for each of %d answers", asked, entries)
	}
	loaded := d.resident(t, "VmHWM")
	d.keepBusy(t, connections, rounds, entries/2)
	most := d.resident(t, "VmHWM")
	if again := len(w.Queries()) - asked; again > 0 {
		t.Errorf("%d questions were asked again; want none, for all is in the cache", again)
	}
	if got, want := len(d.stop(t)), entries/2+connections*rounds; got != want {
		t.Errorf("%d decisions; want %d", got, want)
	}
	const MiB = 1 << 20
	t.Logf("%d MiB; %d MiB with %d answers; %d MiB with %d connections too", base/MiB, loaded/MiB, entries, most/MiB, connections)
	if bound := daemon.MemoryBase + entries*daemon.MemoryEntry + connections*daemon.MemoryConnection; most > bound {
		t.Errorf("%d MiB; want at most the %d MiB of the README", most/MiB, bound/MiB)
	}
}

// keepBusy asks about clients over many connections at once, and again.
func (d *aDaemon) keepBusy(t *testing.T, connections, rounds, clients int) {
	t.Helper()
	const askers = 8
	var asking sync.WaitGroup
	for asker := range askers {
		type peer struct {
			conn    net.Conn
			replies *bufio.Reader
		}
		peers := make([]peer, connections/askers)
		for i := range peers {
			peers[i].conn, peers[i].replies = dial(t, "tcp", d.address)
		}
		asking.Go(func() {
			for round := range rounds {
				for i, p := range peers {
					_ = p.conn.SetDeadline(time.Now().Add(time.Minute)) // for one round, not for all
					addr, name := memoryClient(((round*len(peers)+i)*askers + asker) % clients)
					if _, err := io.WriteString(p.conn, request(addr.String(), name)); err != nil {
						t.Error(err)
					}
				}
				for _, p := range peers {
					reply, err := p.replies.ReadString('\n')
					if _, end := p.replies.ReadString('\n'); err != nil || end != nil || reply != "action=DUNNO\n" {
						t.Errorf("reply %q, %v, %v; want DUNNO", reply, err, end)
						return
					}
				}
			}
			for _, p := range peers {
				p.conn.Close()
			}
		})
	}
	asking.Wait()
}

// memoryClient is a client with a name, mailN.example.org, that resolves back. Each
// is in a network of its own.
func memoryClient(n int) (netip.Addr, string) {
	addr := [16]byte{0x20, 0x01, 0x0d, 0xb8} // RFC 3849
	binary.BigEndian.PutUint16(addr[4:], uint16(n))
	return netip.AddrFrom16(addr), fmt.Sprintf("mail%d.example.org", n)
}

// memoryZone is the DNS of so many clients.
func memoryZone(clients int) string {
	var zone strings.Builder
	for n := range clients {
		addr, name := memoryClient(n)
		reverse := ""
		for _, b := range addr.As16() { // RFC 3596 section 2.5
			reverse = fmt.Sprintf("%x.%x.", b&15, b>>4) + reverse
		}
		fmt.Fprintf(&zone, "%sip6.arpa. 3600 PTR %s.\n%s. 3600 AAAA %s\n", reverse, name, name, addr)
	}
	return zone.String()
}

// memoryProgram starts the program with room for so many answers.
func memoryProgram(t *testing.T, dns string, entries int) *aDaemon {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	writeFile(t, path, fmt.Sprintf("[server]\nlisten = [%q]\n[resolver]\nservers = [%q]\ncache_entries = %d\n", anyPort, dns, entries))
	return startDaemon(t, "serve", "-c", path)
}

// resident is what of the program is in memory, in bytes: VmRSS, now, or VmHWM,
// at the highest (proc_pid_status(5)).
func (d *aDaemon) resident(t *testing.T, key string) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^` + key + `:\s+(\d+) kB$`).FindSubmatch(text)
	if found == nil {
		t.Skipf("needs %s in /proc/PID/status", key)
	}
	kib, _ := strconv.Atoi(string(found[1]))
	return kib << 10
}
