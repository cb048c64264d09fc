package postfix

import (
	"net"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
)

// TestInquiryByAnother: another user of the host, who may connect, is told apart from
// root. He is one on a thread of his own, which ends with him.
func TestInquiryByAnother(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be another user for once")
	}
	onEngines(t, func(t *testing.T, on engineKind) {
		dir, err := os.MkdirTemp("", "")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		if err := os.Chmod(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		s := startLive(t, on, &Server{Handler: greet, Inquire: told}, "unix:"+filepath.Join(dir, "socket"))
		connected := make(chan net.Conn)
		go func() {
			runtime.LockOSThread()                 // and never let go of
			const other, same = 12345, ^uintptr(0) // the effective one alone
			if _, _, errno := syscall.RawSyscall(syscall.SYS_SETRESUID, same, other, same); errno != 0 {
				t.Errorf("setresuid: %v", errno)
			}
			c, err := net.Dial("unix", filepath.Join(dir, "socket"))
			if err != nil {
				t.Error(err)
			}
			connected <- c
		}()
		conn := <-connected
		if conn == nil {
			return
		}
		c := s.over(conn)
		c.send(ask("hash"))
		c.wantLines("query=hash", "asker=0")
		c.send(helo("a"))
		c.want("INFO a")
		s.stop()
	})
}

// TestOwns: root, and the user that the program runs as. Nobody may be anybody.
func TestOwns(t *testing.T) {
	for _, tt := range []struct {
		peer uint32
		own  int
		want bool
	}{
		{0, 0, true},
		{0, 1000, true},
		{1000, 1000, true},
		{1000, 0, false},
		{1000, 1001, false},
		{65534, 65534, false},
		{4294967295, 1000, false},
		{0, 65534, true},
	} {
		if got := owns(tt.peer, tt.own); got != tt.want {
			t.Errorf("owns(%d, %d) = %v; want %v", tt.peer, tt.own, got, tt.want)
		}
	}
}
