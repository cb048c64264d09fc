package e2e

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// unboundInstance is a private real Unbound that serves testdata/world.zone
// as if it were all of the DNS. It asks nobody but the stubs below.
type unboundInstance struct {
	addr string      // where it answers
	late *lateServer // that it asks for the name of 203.0.113.55
}

// unboundServer wants the address and the port to listen on. It asks on the
// loopback alone. The domains named "nodefault" are empty by default.
const unboundServer = `
server:
  verbosity: 1
  use-syslog: no
  logfile: ""
  chroot: ""
  username: ""
  pidfile: ""
  interface: %s@%s
  access-control: 127.0.0.0/8 allow
  module-config: "iterator"
  do-not-query-localhost: no
  do-ip6: no
  num-threads: 1
  local-zone: "113.0.203.in-addr.arpa." nodefault
  local-zone: "100.51.198.in-addr.arpa." nodefault
  local-zone: "8.b.d.0.1.0.0.2.ip6.arpa." nodefault
remote-control:
  control-enable: no
`

// unboundConfig wants behind them the zone file, and the addresses of two name
// servers: one that answers SERVFAIL, one that is late.
const unboundConfig = unboundServer + `
auth-zone:
  name: "."
  zonefile: "%s"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
stub-zone:
  name: "broken.example"
  stub-addr: %[4]s
stub-zone:
  name: "50.113.0.203.in-addr.arpa"
  stub-addr: %[4]s
stub-zone:
  name: "55.113.0.203.in-addr.arpa"
  stub-addr: %[5]s
`

// startUnbound returns when Unbound answers.
func startUnbound(t *testing.T) *unboundInstance {
	t.Helper()
	program := testbed.NeedProgram(t, "unbound", "unbound")
	dir := testbed.WorkFolder(t)
	zone, err := filepath.Abs("testdata/world.zone")
	if err != nil {
		t.Fatal(err)
	}
	broken, _ := testbed.StartWorld(t, "!servfail *\n")
	late := startLateServer(t)
	addr := testbed.FreeAddrs(t, 1)[0]
	host, port, _ := strings.Cut(addr, ":")
	config := filepath.Join(dir, "unbound.conf")
	testbed.WriteFile(t, config, fmt.Sprintf(unboundConfig, host, port, zone, atSign(broken), atSign(late.conn.LocalAddr().String())))
	p := startProcess(t, "unbound", exec.Command(program, "-d", "-c", config))
	p.await(t, "start of service")
	return &unboundInstance{addr: addr, late: late}
}

// atSign is an address as Unbound writes it.
func atSign(addr string) string { return strings.Replace(addr, ":", "@", 1) }

// lateServer is a name server that answers nothing until it is told to.
type lateServer struct {
	conn  net.PacketConn
	asked chan struct{} // holds a token once there was a question

	mu       sync.Mutex
	held     []question
	released bool
}

// question is a DNS message and where it came from.
type question struct {
	message []byte
	from    net.Addr
}

func startLateServer(t *testing.T) *lateServer {
	t.Helper()
	conn, err := net.ListenPacket("udp4", testbed.Loopback()+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := &lateServer{conn: conn, asked: make(chan struct{}, 1)}
	var serving sync.WaitGroup
	serving.Go(s.serve)
	t.Cleanup(func() {
		conn.Close()
		serving.Wait()
	})
	return s
}

func (s *lateServer) serve() {
	for {
		message := make([]byte, 512)
		n, from, err := s.conn.ReadFrom(message)
		if err != nil {
			return // closed
		}
		s.mu.Lock()
		s.held = append(s.held, question{message[:n], from})
		s.answer()
		s.mu.Unlock()
		select {
		case s.asked <- struct{}{}:
		default: // there is a token
		}
	}
}

// await waits for a question.
func (s *lateServer) await(t *testing.T) {
	t.Helper()
	select {
	case <-s.asked:
	case <-time.After(patience):
		t.Fatalf("the late name server was not asked within %v", patience)
	}
}

// release answers all questions, those to come too: Unbound may have given the
// first one up already.
func (s *lateServer) release() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released = true
	s.answer()
}

// answer says, if it may, that there are no such names: each question as a reply
// with authority that has RCODE 3 (RFC 1035 section 4.1.1). The caller holds mu.
func (s *lateServer) answer() {
	if !s.released {
		return
	}
	for _, q := range s.held {
		q.message[2] |= 0x84
		q.message[3] = 3
		_, _ = s.conn.WriteTo(q.message, q.from) // a lost packet: it is asked again
	}
	s.held = nil
}
