package main

import (
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// unboundInstance is a private real Unbound that serves testdata/e2e/world.zone
// as if it were all of the DNS. It asks nobody but the stubs below.
type unboundInstance struct {
	addr string // where it answers
	// asked gets a token when the silent server is asked.
	asked <-chan struct{}
}

// unboundConfig wants the address and port to listen on (two of them), the zone
// file, and the addresses of two servers: one that answers SERVFAIL, one that
// does not answer. The domains named "nodefault" are empty by default.
const unboundConfig = `
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
  name: "silent.example"
  stub-addr: %[5]s
stub-zone:
  name: "55.113.0.203.in-addr.arpa"
  stub-addr: %[5]s
`

// startUnbound returns when Unbound answers.
func startUnbound(t *testing.T) *unboundInstance {
	t.Helper()
	program := needProgram(t, "unbound", "unbound")
	dir := workFolder(t)
	zone, err := filepath.Abs("testdata/e2e/world.zone")
	if err != nil {
		t.Fatal(err)
	}
	broken, _ := startWorld(t, "!servfail *\n")
	silent, asked := listenSilently(t)
	addr := freeAddrs(t, 1)[0]
	host, port, _ := strings.Cut(addr, ":")
	config := filepath.Join(dir, "unbound.conf")
	writeFile(t, config, fmt.Sprintf(unboundConfig, host, port, zone, atSign(broken), atSign(silent)))
	p := startProcess(t, "unbound", exec.Command(program, "-d", "-c", config))
	p.out.await(t, "start of service")
	return &unboundInstance{addr: addr, asked: asked}
}

// awaitQuestion waits until the silent server is asked, for a name under
// silent.example or for that of 203.0.113.55: a question without an answer.
func (u *unboundInstance) awaitQuestion(t *testing.T) {
	t.Helper()
	select {
	case <-u.asked:
	case <-time.After(patience):
		t.Fatalf("the silent server was not asked within %v", patience)
	}
}

// atSign is an address as Unbound writes it.
func atSign(addr string) string { return strings.Replace(addr, ":", "@", 1) }

// listenSilently is the address of a server that answers nothing, and a channel
// with a token once it was asked.
func listenSilently(t *testing.T) (string, <-chan struct{}) {
	t.Helper()
	conn, err := net.ListenPacket("udp4", loopback()+":0")
	if err != nil {
		t.Fatal(err)
	}
	asked := make(chan struct{}, 1)
	done := make(chan struct{})
	go func() {
		defer close(done)
		var packet [512]byte
		for {
			if _, _, err := conn.ReadFrom(packet[:]); err != nil {
				return // closed
			}
			select {
			case asked <- struct{}{}:
			default: // nobody has taken the last one yet
			}
		}
	}()
	t.Cleanup(func() {
		conn.Close()
		<-done
	})
	return conn.LocalAddr().String(), asked
}
