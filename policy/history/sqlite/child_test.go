package sqlite

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"policyd-rdns/policy/history/internal/storetest"
)

// roleKey is, in the environment of a test's own children, what they do.
const roleKey = "HISTORY_TEST_ROLE"

// roles are what children do with a file. What they return ends them with an error.
var roles = map[string]func(path string, in *bufio.Reader) error{
	"writer": childWriter, "holder": childHolder, "locker": childLocker, "full": childFull, "stranger": childStranger, "reader": childReader,
}

func TestMain(m *testing.M) {
	if role := roles[os.Getenv(roleKey)]; role != nil {
		if err := role(os.Args[1], bufio.NewReader(os.Stdin)); err != nil {
			fmt.Println("error:", err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	status := m.Run()
	if benchFolder != "" {
		os.RemoveAll(benchFolder)
	}
	os.Exit(status)
}

// child is a process of the test.
type child struct {
	t     testing.TB
	cmd   *exec.Cmd
	stdin io.WriteCloser
	out   *bufio.Reader
	ended bool
}

// start runs a role in a process of its own, as another user if one is given.
func start(t testing.TB, role, path string, uid uint32) *child {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{t: t}
	if uid != 0 {
		program = copied(t, program)
	}
	c.cmd = exec.CommandContext(storetest.Bounded(t), program, path)
	c.cmd.Env = append(os.Environ(), roleKey+"="+role)
	c.cmd.Dir = "/"
	c.cmd.Stderr = os.Stderr
	if uid != 0 {
		c.cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
	}
	c.stdin, err = c.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := c.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	c.out = bufio.NewReader(stdout)
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.kill() })
	return c
}

// copied is a program where any user may run it.
func copied(t testing.TB, program string) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "history-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(folder) })
	to := filepath.Join(folder, "test")
	if err := copyFile(program, to); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{folder, to} {
		if err := os.Chmod(name, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

// line is the next line that the child writes.
func (c *child) line() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("the child ends after %q: %v", line, err)
	}
	return strings.TrimSuffix(line, "\n")
}

// expect reads a line.
func (c *child) expect(want string) {
	c.t.Helper()
	if got := c.line(); got != want {
		c.t.Fatalf("the child says %q; want %q", got, want)
	}
}

// tell writes a line to the child.
func (c *child) tell(line string) {
	c.t.Helper()
	if _, err := io.WriteString(c.stdin, line+"\n"); err != nil {
		c.t.Fatal(err)
	}
}

// end has the child end, and waits for it.
func (c *child) end() {
	c.t.Helper()
	c.stdin.Close()
	rest, _ := io.ReadAll(c.out)
	c.ended = true
	if err := c.cmd.Wait(); err != nil {
		c.t.Errorf("the child ends with %v: %s", err, rest)
	}
}

// kill ends the child as kill -9 does, and gives what it still wrote.
func (c *child) kill() string {
	if c.ended {
		return ""
	}
	c.ended = true
	c.cmd.Process.Kill()
	rest, _ := io.ReadAll(c.out)
	c.cmd.Wait()
	return string(rest)
}
