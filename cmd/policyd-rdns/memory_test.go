package main

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"
)

// TestMemory holds the real program to the formula: a full cache of 1,000,000
// answers and 2000 connections, each with requests, so many that the garbage
// collector has seen the cache as it is.
func TestMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	if underRace() {
		t.Skip("the race detector takes memory of its own")
	}
	const entries, connections, rounds = 1_000_000, 2000, 100
	few := memoryProgram(t, entries, 2*connections)
	base := few.resident(t, "VmRSS")
	few.keepBusy(t, connections, rounds/10, connections)
	connected := few.resident(t, "VmHWM")
	few.stop(t)

	begin := time.Now()
	d := memoryProgram(t, entries, entries)
	loaded := d.resident(t, "VmHWM")
	t.Logf("%d answers were read in %v", entries, time.Since(begin).Round(time.Millisecond))
	d.keepBusy(t, connections, rounds, entries/2)
	most := d.resident(t, "VmHWM")
	if got := len(d.stop(t)); got != connections*rounds {
		t.Errorf("%d decisions; want %d", got, connections*rounds)
	}
	const MiB = 1 << 20
	t.Logf("%d MiB; %d MiB with %d connections, %d bytes each", base/MiB, connected/MiB, connections, (connected-base)/connections)
	t.Logf("%d MiB with %d answers, %d bytes each; %d MiB with both, after %d decisions, %d bytes for an answer",
		loaded/MiB, entries, (loaded-base)/entries, most/MiB, connections*rounds, (most-connected)/entries)
	if bound := memoryBase + entries*memoryEntry + connections*memoryConnection; most > bound {
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
		})
	}
	asking.Wait()
}

// memoryClient is a client with a name, mailN.example.org, that leads back.
func memoryClient(n int) (netip.Addr, string) {
	addr := [16]byte{0x20, 0x01, 0x0d, 0xb8} // RFC 3849
	binary.BigEndian.PutUint32(addr[12:], uint32(n))
	return netip.AddrFrom16(addr), fmt.Sprintf("mail%d.example.org", n)
}

// memoryProgram starts the program with a cache of so many answers.
func memoryProgram(t *testing.T, entries, filled int) *aDaemon {
	t.Helper()
	dns, _ := startWorld(t, plainZone)
	dir := t.TempDir()
	path, cache := filepath.Join(dir, "config.toml"), filepath.Join(dir, "cache")
	writeMemoryCache(t, cache, filled/2)
	writeFile(t, path, fmt.Sprintf("[server]\nlisten = [%q]\n[resolver]\nservers = [%q]\ncache_entries = %d\ncache_file = %q\n",
		anyPort, dns, entries, cache))
	d := newDaemonProcess(t, "serve", "-c", path)
	loaded := d.expect(fmt.Sprintf("answers=%d", filled))
	d.start(t)
	d.await(t, loaded)
	return d
}

// writeMemoryCache writes a cache file with two answers for each of so many
// clients.
func writeMemoryCache(t *testing.T, path string, clients int) {
	t.Helper()
	const typePTR, typeAAAA = 12, 28 // RFC 1035 section 3.2.2, RFC 3596
	text := func(b []byte, s string) []byte { return append(binary.AppendUvarint(b, uint64(len(s))), s...) }
	// Age, TTL, whole, one record.
	about := binary.AppendUvarint([]byte{0}, uint64(time.Hour.Milliseconds()))
	about = append(about, 0, 1)
	b := binary.BigEndian.AppendUint64([]byte("policyd-rdns cache 1\n"), uint64(time.Now().UnixMilli()))
	for n := range clients {
		addr, name := memoryClient(n)
		b = append(append(b, typePTR), addr.AsSlice()...)
		b = text(append(b, about...), name)
		b = text(append(b, typeAAAA), name)
		b = append(append(b, about...), addr.AsSlice()...)
	}
	b = append(b, 0)
	b = binary.BigEndian.AppendUint32(b, crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)))
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
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

// underRace says that this runs under the race detector.
func underRace() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}
