package machine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/resolver"
)

// System is the machine behind a [Machine]: how each of its parts is read. All of
// it is bounded in time and size.
type System struct {
	// Run gives the standard output of a program.
	Run func(ctx context.Context, name string, args ...string) ([]byte, error)
	// ReadFile gives the beginning of a file.
	ReadFile func(path string) ([]byte, error)
	// ReadEnd gives the end of a file.
	ReadEnd func(path string) ([]byte, error)
	// Stat is that of package os.
	Stat func(path string) (fs.FileInfo, error)
	// Glob is that of package filepath.
	Glob func(pattern string) ([]string, error)
	// Networks are those of the machine's interfaces.
	Networks func() []netip.Prefix
	// Account finds a user.
	Account func(name string) Account
	// Examine queries a DNS server.
	Examine func(ctx context.Context, server netip.AddrPort, timeout time.Duration) resolver.Examination
	// Mail queries the DNS for where the mail of our domains goes, as the daemon would;
	// nil: nobody does.
	Mail interface {
		LookupMX(ctx context.Context, domain string, o resolver.Options) resolver.Answer
		LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer
	}
	// Dial opens a connection to the daemon.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// runTime bounds a program that is run.
const runTime = 10 * time.Second

// NewSystem is this machine.
func NewSystem() *System {
	return &System{
		Run:      run,
		ReadFile: readFile,
		ReadEnd:  readEnd,
		Stat:     os.Stat,
		Glob:     filepath.Glob,
		Networks: interfaceNetworks,
		Account:  lookUpAccount,
		Examine:  resolver.Examine,
		Dial:     new(net.Dialer).DialContext,
	}
}

// run looks for programs where only root does, too. Its error is what the program
// said, if anything.
func run(ctx context.Context, name string, args ...string) ([]byte, error) {
	path, err := exec.LookPath(name)
	if err != nil {
		if path, err = exec.LookPath(filepath.Join("/usr/sbin", name)); err != nil {
			return nil, fmt.Errorf("no program %s on this host", name)
		}
	}
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stderr = &said
	cmd.WaitDelay = time.Second
	out, err := cmd.Output()
	if err == nil {
		return out[:min(len(out), maincf.MaxText)], nil
	}
	if first := firstError(said.String(), name); first != "" {
		err = errors.New(first)
	}
	return nil, fmt.Errorf("%s: %w", name, err)
}

// firstError is the first line of what a program said that is no warning. Postfix's programs
// warn of main.cf whatever they are asked, and what comes of that is in the exit status.
func firstError(said, name string) string {
	for line := range strings.Lines(said) {
		if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, name+": warning: ") {
			return line
		}
	}
	return ""
}

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, maincf.MaxText))
}

// readEnd begins at a line.
func readEnd(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	cut := info.Size() > maincf.MaxText
	if cut {
		if _, err := f.Seek(-maincf.MaxText, io.SeekEnd); err != nil {
			return nil, err
		}
	}
	text, err := io.ReadAll(io.LimitReader(f, maincf.MaxText))
	if cut {
		_, text, _ = bytes.Cut(text, []byte("\n"))
	}
	return text, err
}

func interfaceNetworks() []netip.Prefix {
	addrs, _ := net.InterfaceAddrs() // none: what is in them is not near
	var all []netip.Prefix
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p.Masked())
		}
	}
	return all
}

func lookUpAccount(name string) Account {
	u, err := user.Lookup(name)
	if err != nil {
		return Account{Unread: err.Error(), Name: name}
	}
	a := Account{Name: name}
	ids, _ := u.GroupIds() // the user's own is below
	for _, id := range append(ids, u.Gid) {
		a.GIDs = append(a.GIDs, number(id))
	}
	a.UID = number(u.Uid)
	return a
}
