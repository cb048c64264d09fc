package postfix

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/policy"
)

// settings are those of a server in a process of its own.
type settings struct {
	Socket         string // path of a unix socket to listen on, beside a port of the loopback
	MaxConnections int
	Write          time.Duration
	Engines        engineKind
	Files          uint64 // limit of file descriptors, unless 0
}

// settingsVariable tells the test binary to be such a process.
const settingsVariable = "POLICYD_RDNS_TEST_SERVER"

// account is what such a process tells of itself when asked.
type account struct {
	Port       string // host:port
	Stats      Stats
	CPU        time.Duration // user and system, since the start
	Memory     int           // bytes resident at the highest (VmHWM); 0 if the system does not tell
	Goroutines int
}

// patience is when a test gives up. It is long, for a machine that is busy with
// something else.
const patience = time.Minute

func TestMain(m *testing.M) {
	in := os.Getenv(settingsVariable)
	if in == "" {
		m.Run()
		return
	}
	if err := serveProcess(in); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// echo is a handler as bad as can be: it says what the peer wants said.
func echo(ctx context.Context, req *policy.Request) (reply Reply, wait func() Reply) {
	if req.Recipient != "" {
		return NewReply(req.Recipient), nil
	}
	return greet(ctx, req)
}

// serveProcess serves until standard input ends, and gives an account for each
// line of it.
func serveProcess(in string) error {
	var set settings
	if err := json.Unmarshal([]byte(in), &set); err != nil {
		return err
	}
	if set.Files > 0 {
		var limit syscall.Rlimit
		assign(&limit.Cur, set.Files)
		assign(&limit.Max, set.Files)
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
			return err
		}
	}
	port, err := Listen("127.0.0.1:0", 0, "")
	if err != nil {
		return err
	}
	socket, err := Listen("unix:"+set.Socket, 0o600, "")
	if err != nil {
		return err
	}
	s := &Server{
		Handler:        echo,
		Log:            slog.New(slog.NewTextHandler(os.Stderr, nil)),
		MaxConnections: set.MaxConnections,
		Write:          set.Write,
		engines:        set.Engines,
	}
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, port, socket) }()

	status, err := os.Open("/proc/self/status") // now, while there are file descriptors
	if err == nil {
		defer status.Close()
	}
	out := json.NewEncoder(os.Stdout)
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		a := account{Port: port.Addr().String(), Stats: s.Stats(), CPU: cpuTime(), Memory: peakMemory(status), Goroutines: runtime.NumGoroutine()}
		if err := out.Encode(a); err != nil {
			return err
		}
	}
	cancel()
	return <-ended
}

// assign is for a number whose type depends on the system.
func assign[T int64 | uint64](to *T, value uint64) { *to = T(value) }

func cpuTime() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// peakMemory reads proc_pid_status(5).
func peakMemory(status *os.File) int {
	if status == nil {
		return 0
	}
	text := make([]byte, 4<<10)
	n, _ := status.ReadAt(text, 0)
	found := regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`).FindSubmatch(text[:n])
	if found == nil {
		return 0
	}
	kib, _ := strconv.Atoi(string(found[1]))
	return kib << 10
}

// process is a server of that kind, seen from the test.
type process struct {
	t        *testing.T
	cmd      *exec.Cmd
	ask      io.WriteCloser
	accounts *json.Decoder
	log      bytes.Buffer // to be read after stop

	port, socket string
}

func startProcess(t *testing.T, set settings) *process {
	t.Helper()
	set.Socket = filepath.Join(t.TempDir(), "socket")
	in, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(self), socket: set.Socket}
	p.cmd.Env = append(os.Environ(), settingsVariable+"="+string(in))
	p.cmd.Stderr = &p.log
	if p.ask, err = p.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.ask.Close() }) // ends it if the test did not come to stop
	p.accounts = json.NewDecoder(out)
	p.port = p.account().Port
	return p
}

// account is up to date.
func (p *process) account() account {
	p.t.Helper()
	var a account
	if _, err := io.WriteString(p.ask, "\n"); err != nil {
		p.t.Fatal(err)
	}
	if err := p.accounts.Decode(&a); err != nil {
		_ = p.cmd.Wait()
		p.t.Fatalf("the process has ended: %v\n%s", err, p.tail())
	}
	return a
}

// stop wants the process to end well; it does not under the race detector if
// there was a race.
func (p *process) stop() {
	p.t.Helper()
	_ = p.ask.Close()
	if err := p.cmd.Wait(); err != nil {
		p.t.Errorf("the process has ended: %v\n%s", err, p.tail())
	}
}

func (p *process) tail() []byte {
	log := p.log.Bytes()
	return log[max(0, len(log)-4<<10):]
}

func (p *process) dial() *client {
	p.t.Helper()
	c, err := net.DialTimeout("tcp", p.port, patience)
	if err != nil {
		p.t.Fatal(err)
	}
	return &client{p.t, c, bufio.NewReader(c)}
}

// wantAnswer asks.
func (c *client) wantAnswer(name string) {
	c.t.Helper()
	c.patiently()
	c.send(helo(name))
	c.want("INFO " + name)
}

// patiently gives the client time for what it does next.
func (c *client) patiently() {
	c.t.Helper()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		c.t.Fatal(err)
	}
}
