package resolver

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/resolver/world"
)

// forgedRole is, in the environment of TestForgedICMP's own children, what they do.
const forgedRole = "RESOLVER_TEST_FORGED_ROLE"

const (
	forgedRate = 40_000 // messages a second
	firstPort  = 32768  // net.ipv4.ip_local_port_range
	lastPort   = 60999
)

// TestForgedICMP: an attacker who sees nothing tells a host that each of its ports
// in turn is not heard by its own resolver, 40,000 times a second. No query is
// lost, and no outage is seen. The host and the attacker are network namespaces.
func TestForgedICMP(t *testing.T) {
	switch os.Getenv(forgedRole) {
	case "host":
		forgedHost(t)
		return
	case "attacker":
		forgedAttacker(t)
		return
	}
	if os.Getuid() != 0 {
		t.Skip("needs root, for network namespaces")
	}
	if _, err := exec.LookPath("ip"); err != nil {
		if os.Getenv("POLICYD_RDNS_REQUIRE_ALL") != "" {
			t.Fatal(err)
		}
		t.Skip("needs ip (iproute2)")
	}
	host, attacker := namespaces(t)
	lookups := inNamespace(host, "host")
	stdin, err := lookups.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := lookups.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := lookups.Start(); err != nil {
		t.Fatal(err)
	}
	defer lookups.Wait()
	defer stdin.Close()
	lines := bufio.NewScanner(stdout)
	server := lineOf(t, lines, "server ")
	shooting := inNamespace(attacker, "attacker", server)
	shots, err := shooting.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := shooting.Start(); err != nil {
		t.Fatal(err)
	}
	defer shooting.Wait()
	defer shooting.Process.Kill()
	lineOf(t, bufio.NewScanner(shots), "shooting")
	if _, err := io.WriteString(stdin, "ask\n"); err != nil {
		t.Fatal(err)
	}
	if got, want := lineOf(t, lines, "lost "), "0 of 60, outage false"; got != want {
		t.Errorf("lost %s; want %s", got, want)
	}
	heard, err := strconv.Atoi(lineOf(t, lines, "heard "))
	if err != nil || heard < forgedRate/4 {
		t.Errorf("%d messages a second came, %v; want thousands", heard, err)
	}
	t.Logf("%d messages a second", heard)
}

// lineOf is what follows a text that a line begins with.
func lineOf(t *testing.T, lines *bufio.Scanner, text string) string {
	t.Helper()
	for lines.Scan() {
		if rest, ok := strings.CutPrefix(lines.Text(), text); ok {
			return rest
		}
	}
	t.Fatalf("no line that begins with %q: %v", text, lines.Err())
	return ""
}

// namespaces are those of a host, 198.51.100.1, and of an attacker, 198.51.100.2.
func namespaces(t *testing.T) (host, attacker string) {
	t.Helper()
	host, attacker = fmt.Sprintf("rdnshost%d", os.Getpid()), fmt.Sprintf("rdnsfoe%d", os.Getpid())
	ip := func(args string) {
		t.Helper()
		if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
			t.Skipf("needs network namespaces: ip %s: %v: %s", args, err, bytes.TrimSpace(out))
		}
	}
	for _, name := range []string{host, attacker} {
		ip("netns add " + name)
		t.Cleanup(func() { _ = exec.Command("ip", "netns", "del", name).Run() })
	}
	ip("-n " + host + " link add eth0 type veth peer name eth0 netns " + attacker)
	ip("-n " + host + " addr add 198.51.100.1/24 dev eth0")
	ip("-n " + attacker + " addr add 198.51.100.2/24 dev eth0")
	for _, name := range []string{host, attacker} {
		ip("-n " + name + " link set eth0 up")
		ip("-n " + name + " link set lo up")
	}
	return host, attacker
}

// inNamespace is this test in a part of its own.
func inNamespace(name, role string, args ...string) *exec.Cmd {
	cmd := exec.Command("ip", append([]string{"netns", "exec", name, os.Args[0], "-test.run=^TestForgedICMP$"}, args...)...)
	cmd.Env = append(os.Environ(), forgedRole+"="+role)
	cmd.Stderr = os.Stderr
	return cmd
}

// forgedHost asks its own resolver, which takes a while, as the world does.
func forgedHost(t *testing.T) {
	w, err := world.Parse("$GENERATE 0-59 mail.zone$.example. A 192.0.2.1\n!delay * 100ms")
	if err != nil {
		t.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	go w.Serve(t.Context(), pc, l)
	fmt.Println("server", pc.LocalAddr())
	if _, err := bufio.NewReader(os.Stdin).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	server, err := ParseServer(pc.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	outage := false
	r, err := New(Config{
		Servers: []netip.AddrPort{server}, Timeout: 2 * time.Second, CacheEntries: 1000, MaxInFlight: 100,
		OnOutage: func(Outage) { outage = true },
	})
	if err != nil {
		t.Fatal(err)
	}
	before, begin := unreachables(t), time.Now()
	lost := make([]int, 3)
	var lookups sync.WaitGroup
	for asker := range lost {
		lookups.Go(func() {
			for i := asker; i < 60; i += len(lost) {
				if a := r.LookupAddrs(t.Context(), "ip4", fmt.Sprintf("mail.zone%d.example", i), Options{}); a.Outcome != Found {
					lost[asker]++
					fmt.Println(words(a))
				}
			}
		})
	}
	lookups.Wait()
	took := time.Since(begin).Seconds()
	r.Close()
	fmt.Printf("lost %d of 60, outage %v\n", lost[0]+lost[1]+lost[2], outage)
	fmt.Printf("heard %d\n", int(float64(unreachables(t)-before)/took))
}

// unreachables is how many messages "unreachable" this host was sent.
func unreachables(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/net/snmp")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if fields[0] != "Icmp:" {
			continue
		}
		for i, name := range names {
			if name == "InDestUnreachs" {
				n, _ := strconv.Atoi(fields[i])
				return n
			}
		}
		names = fields
	}
	t.Fatal("no InDestUnreachs in /proc/net/snmp")
	return 0
}

// forgedAttacker tells the host of each of its ports, until it is killed, that
// nobody listens at the resolver's.
func forgedAttacker(t *testing.T) {
	server := netip.MustParseAddrPort(os.Args[len(os.Args)-1])
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_RAW, syscall.IPPROTO_ICMP)
	if err != nil {
		t.Fatal(err)
	}
	to := &syscall.SockaddrInet4{Addr: [4]byte{198, 51, 100, 1}}
	begin := time.Now()
	const end = time.Minute // if it is not killed
	port := firstPort
	fmt.Println("shooting")
	for sent := 0; time.Since(begin) < end; {
		for due := int(time.Since(begin).Seconds() * forgedRate); sent < due; sent++ {
			_ = syscall.Sendto(fd, unreachablePort(uint16(port), server), 0, to) // what is lost is lost
			if port++; port > lastPort {
				port = firstPort
			}
		}
		<-time.After(time.Millisecond)
	}
}

// unreachablePort is the ICMP message (RFC 792) that a datagram from a port of
// 127.0.0.1 to a server found nobody.
func unreachablePort(from uint16, server netip.AddrPort) []byte {
	const icmp, ip, udp = 8, 20, 8 // headers, in bytes
	b := make([]byte, icmp+ip+udp)
	b[0], b[1] = 3, 3 // unreachable, the port
	inner := b[icmp : icmp+ip]
	inner[0], inner[8], inner[9] = 0x45, 64, 17 // IPv4, time to live, UDP
	binary.BigEndian.PutUint16(inner[2:], 60)   // length
	copy(inner[12:], []byte{127, 0, 0, 1})
	copy(inner[16:], server.Addr().AsSlice())
	binary.BigEndian.PutUint16(inner[10:], checksum(inner))
	binary.BigEndian.PutUint16(b[icmp+ip:], from)
	binary.BigEndian.PutUint16(b[icmp+ip+2:], server.Port())
	binary.BigEndian.PutUint16(b[icmp+ip+4:], 40)
	binary.BigEndian.PutUint16(b[2:], checksum(b))
	return b
}

// checksum is that of RFC 1071.
func checksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}
