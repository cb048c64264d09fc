package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"
)

// unitFile is the service under whose system-call filter the program is tried.
const unitFile = "../../systemd/policyd-rdns.service"

// filterVariable names a file with a filter that the test binary is to put
// itself under before it becomes the program.
const filterVariable = "POLICYD_RDNS_TEST_FILTER"

// TestSystemCallFilter has the program do what it does, with the system calls
// that the unit file leaves it, and without a filter for comparison.
func TestSystemCallFilter(t *testing.T) {
	if file := os.Getenv(filterVariable); file != "" {
		fmt.Fprintln(os.Stderr, execFiltered(file))
		os.Exit(1)
	}
	filter := filepath.Join(t.TempDir(), "filter")
	writeFilter(t, filter)
	for _, file := range []string{"", filter} {
		t.Run(map[bool]string{true: "filtered", false: "unfiltered"}[file != ""], func(t *testing.T) {
			useProgram(t, file)
		})
	}
}

// useProgram starts the program under a filter, if there is one, and goes
// through all that it has the kernel do: sockets of both kinds, lookups over
// UDP and TCP, files that it writes, a reload, the end.
func useProgram(t *testing.T, filter string) {
	dns, _ := startWorld(t, "!truncate mail.example.com\n"+plainZone)
	dir := t.TempDir()
	path := filepath.Join(dir, "config.toml")
	passed, own := filepath.Join(dir, "passed"), filepath.Join(dir, "own")
	log := filepath.Join(dir, "decisions.log")
	configure := func(more string) {
		writeFile(t, path, fmt.Sprintf("%s\n[server]\nlisten = [%q, %q]\n[resolver]\nservers = [%q]\n[log]\nfile = %q\n",
			more, anyPort, "unix:"+own, dns, log))
	}
	configure("")
	d := newDaemonProcess(t, "serve", "-c", path)
	d.pass(t, passed)
	if filter != "" {
		d.putUnder(filter)
	}
	listening := d.expect("address=127.")
	d.start(t)
	_, tcp, _ := strings.Cut(d.await(t, listening), "address=")
	if got, want := d.seccomp(t), map[bool]int{true: 2, false: 0}[filter != ""]; got != want { // proc_pid_status(5)
		t.Errorf("Seccomp: %d in the status of the program; want %d", got, want)
	}
	decide := func(client, want string) {
		t.Helper()
		for address, network := range map[string]string{tcp: "tcp", passed: "unix", own: "unix"} {
			conn, replies := dial(t, network, address)
			if got, err := ask(conn, replies, client, "mail.example.com"); err != nil || got != want {
				t.Errorf("reply over %s about %s: %q, %v; want %q", address, client, got, err, want)
			}
		}
	}
	decide("203.0.113.20", "DUNNO")
	decide("203.0.113.10", "550 5.7.1 your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com")
	configure("[[rule]]\nname = \"new\"\nwhen = { client = \"203.0.113.0/24\" }\naction = \"defer\"\ntext = \"new\"")
	reloaded := d.expect("configuration reloaded")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await(t, reloaded)
	decide("203.0.113.20", "DEFER_IF_PERMIT 4.7.1 new; contact postmaster@example.com")
	d.stop(t)
	if text, err := os.ReadFile(log); err != nil || bytes.Count(text, []byte("msg=decision")) != 9 {
		t.Errorf("the log holds %q, %v; want 9 decisions", text, err)
	}
	if messages := strings.Join(d.logged(), "\n"); strings.Contains(messages, "level=WARN") || strings.Contains(messages, "level=ERROR") {
		t.Errorf("the program warns:\n%s", messages)
	}
}

// pass opens a unix socket and has the program get it, as a socket unit does.
func (d *aDaemon) pass(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	socket, err := l.(*net.UnixListener).File()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { socket.Close() })
	d.cmd.ExtraFiles = []*os.File{socket}
	d.cmd.Env = append(d.cmd.Env, "LISTEN_PID=self", "LISTEN_FDS=1")
}

// putUnder has the program start by way of execFiltered.
func (d *aDaemon) putUnder(filter string) {
	args := []string{d.cmd.Path, "-test.run=^TestSystemCallFilter$", "--"}
	d.cmd.Args = append(args, d.cmd.Args[1:]...)
	d.cmd.Env = append(d.cmd.Env, asProgram+"=", filterVariable+"="+filter) // the last one counts
}

// seccomp is the mode that the kernel shows for the process.
func (d *aDaemon) seccomp(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", d.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?m)^Seccomp:\s+(\d)$`).FindSubmatch(text)
	if found == nil {
		missing(t, "needs a kernel with seccomp")
	}
	mode, _ := strconv.Atoi(string(found[1]))
	return mode
}

// prSetNoNewPrivs is PR_SET_NO_NEW_PRIVS of prctl(2), without which only root
// may install a filter.
const prSetNoNewPrivs = 38

// execFiltered puts this thread under a filter, sees that it is in force, and
// becomes the program. It returns if it cannot.
func execFiltered(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	filter := make([]syscall.SockFilter, len(text)/binary.Size(syscall.SockFilter{}))
	if err := binary.Read(bytes.NewReader(text), binary.NativeEndian, filter); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	args := append([]string{self}, flag.Args()...)

	os.Unsetenv(filterVariable)
	os.Setenv(asProgram, "1")
	nice, err := syscall.Getpriority(syscall.PRIO_PROCESS, 0)
	if err != nil {
		return err
	}
	forbidden := func() error { return syscall.Setpriority(syscall.PRIO_PROCESS, 0, 20-nice) } // as it is (getpriority(2))

	runtime.LockOSThread() // a filter is a thread's, and so the program's that it becomes
	if err := forbidden(); err != nil {
		return fmt.Errorf("setpriority without a filter: %w", err)
	}
	prog := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if _, _, e := syscall.RawSyscall6(syscall.SYS_PRCTL, prSetNoNewPrivs, 1, 0, 0, 0, 0); e != 0 {
		return fmt.Errorf("prctl(PR_SET_NO_NEW_PRIVS): %w", e)
	}
	const modeFilter = 2 // SECCOMP_MODE_FILTER
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, syscall.PR_SET_SECCOMP, modeFilter, uintptr(unsafe.Pointer(&prog))); e != 0 {
		return fmt.Errorf("prctl(PR_SET_SECCOMP): %w", e)
	}
	if err := forbidden(); !errors.Is(err, syscall.EPERM) {
		return fmt.Errorf("setpriority under the filter: %v; want EPERM", err)
	}
	return syscall.Exec(self, args, os.Environ())
}

// writeFilter writes the filter of the unit file for this machine: every call
// but those that it allows fails with EPERM (seccomp(2)).
func writeFilter(t *testing.T, file string) {
	t.Helper()
	numbers := callNumbers(t)
	const callOffset = 0 // of seccomp_data.nr
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: callOffset, Size: 4}}
	for _, name := range slices.Sorted(maps.Keys(allowedCalls(t))) {
		if number, ok := numbers[name]; ok { // else it is of another kind of machine
			program = append(program,
				bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: number, SkipTrue: 1},
				bpf.RetConstant{Val: 0x7fff0000}) // SECCOMP_RET_ALLOW
		}
	}
	program = append(program, bpf.RetConstant{Val: 0x00050000 | uint32(syscall.EPERM)}) // SECCOMP_RET_ERRNO
	raw, err := bpf.Assemble(program)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d of %d system calls are allowed", (len(program)-2)/2, len(numbers))
	var text bytes.Buffer
	for _, i := range raw {
		if err := binary.Write(&text, binary.NativeEndian, syscall.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// allowedCalls reads the unit file: the first SystemCallFilter says what is
// allowed, beside what always is, and "~" takes away (systemd.exec(5)).
func allowedCalls(t *testing.T) map[string]bool {
	t.Helper()
	unit, err := os.ReadFile(unitFile)
	if err != nil {
		t.Fatal(err)
	}
	lines := regexp.MustCompile(`(?m)^SystemCallFilter=(~?)(.*)$`).FindAllStringSubmatch(string(unit), -1)
	if len(lines) == 0 || lines[0][1] != "" {
		t.Fatalf("%s: SystemCallFilter %q; want one that begins with what is allowed", unitFile, lines)
	}
	allowed := map[string]bool{}
	expandCalls(t, "@default", func(name string) { allowed[name] = true })
	for _, line := range lines {
		for word := range strings.FieldsSeq(line[2]) {
			expandCalls(t, word, func(name string) {
				if line[1] == "~" {
					delete(allowed, name)
				} else {
					allowed[name] = true
				}
			})
		}
	}
	return allowed
}

// expandCalls gives the system calls of a set, and of the sets in it. What is no
// set is a call.
func expandCalls(t *testing.T, word string, see func(name string)) {
	t.Helper()
	if !strings.HasPrefix(word, "@") {
		see(word)
		return
	}
	out, err := exec.Command(needProgram(t, "systemd-analyze", "systemd"), "syscall-filter", "--no-pager", word).Output()
	if err != nil {
		t.Fatalf("systemd-analyze syscall-filter %s: %v", word, err)
	}
	for line := range strings.Lines(string(out)) {
		if line = strings.TrimSpace(line); line != "" && line != word && line[0] != '#' {
			expandCalls(t, line, see)
		}
	}
}

// callNumbers are those of the system calls of this machine, as the source of
// golang.org/x/sys/unix lists them.
func callNumbers(t *testing.T) map[string]uint32 {
	t.Helper()
	out, err := exec.Command(needProgram(t, "go", "golang"), "list", "-f", "{{.Dir}}", "golang.org/x/sys/unix").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	text, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(out)), "zsysnum_linux_"+runtime.GOARCH+".go"))
	if err != nil {
		t.Fatal(err)
	}
	numbers := map[string]uint32{}
	for _, found := range regexp.MustCompile(`(?m)^\s+SYS_(\w+)\s+= (\d+)$`).FindAllStringSubmatch(string(text), -1) {
		number, err := strconv.ParseUint(found[2], 10, 32)
		if err != nil {
			t.Fatal(err)
		}
		numbers[strings.ToLower(found[1])] = uint32(number)
	}
	if len(numbers) < 300 {
		t.Fatalf("%d numbers of system calls; want those of Linux", len(numbers))
	}
	return numbers
}
