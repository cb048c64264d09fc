// Package testbed is what tests of the program need of the machine: other programs,
// addresses of the loopback, folders, a DNS world. It is for tests alone.
package testbed

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"policyd-rdns/resolver/world"
)

// requireAll makes a failure of what is else a reason to skip a test.
const requireAll = "POLICYD_RDNS_REQUIRE_ALL"

// NeedProgram gives the path of a program, or skips the test if the machine has
// none.
func NeedProgram(t testing.TB, name, debianPackage string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		// Not in everybody's PATH.
		path, err = exec.LookPath(filepath.Join("/usr/sbin", name))
	}
	if err != nil {
		Missing(t, fmt.Sprintf("needs the program %s (Debian package %s)", name, debianPackage))
	}
	return path
}

// Missing skips the test for want of something, or fails if nothing may be missing
// (POLICYD_RDNS_REQUIRE_ALL).
func Missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(requireAll) != "" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// long has the tests run that take long.
const long = "POLICYD_RDNS_LONG"

// Long skips a test that takes long, but where these are wanted (POLICYD_RDNS_LONG), as
// in a step of .ci/run of their own.
func Long(t testing.TB) {
	t.Helper()
	if os.Getenv(long) == "" {
		t.Skip("takes long: " + long + "=1 has it run")
	}
}

// Loopback is an address of this process alone, as all of 127.0.0.0/8 is the
// machine itself: a port that is free on it stays free until Postfix or
// Unbound, which cannot be handed a listener, has taken it.
func Loopback() string {
	pid := os.Getpid() // of at most 22 bits
	return fmt.Sprintf("127.%d.%d.%d", 64+pid>>16, pid>>8&0xff, pid&0xff)
}

// given are the addresses that FreeAddrs has given to a test of this process. Tests
// run side by side, and who was given one may not listen on it yet.
var given sync.Map

// FreeAddrs picks n addresses with ports that nobody listens on, and that no other
// test is given.
func FreeAddrs(t testing.TB, n int) []string {
	t.Helper()
	var addrs []string
	for len(addrs) < n {
		l, err := net.Listen("tcp4", Loopback()+":0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close() // not before all are picked, so that they differ
		addr := l.Addr().String()
		if _, taken := given.LoadOrStore(addr, true); !taken {
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

// WorkFolder is a folder that processes of other users may enter, with a path
// short enough for unix sockets in it; t.TempDir has neither.
func WorkFolder(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "policyd-rdns-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// WriteFile writes a file that everybody may read.
func WriteFile(t testing.TB, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Age makes a file older than it is: postconf, and each program of Postfix, would
// wait until main.cf is two seconds old.
func Age(t testing.TB, file string) {
	t.Helper()
	if err := os.Chtimes(file, time.Time{}, time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
}

// StartWorld serves a DNS world on the loopback until the test ends.
func StartWorld(t testing.TB, zone string) (server string, w *world.World) {
	t.Helper()
	w, err := world.Parse(zone)
	if err != nil {
		t.Fatal(err)
	}
	pc, l, err := world.Listen()
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() { _ = w.Serve(ctx, pc, l) })
	t.Cleanup(func() {
		stop()
		serving.Wait()
	})
	return pc.LocalAddr().String(), w
}

// TempFile writes a file into a folder of the test's own.
func TempFile(t testing.TB, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TempLog writes a log into a folder of the test's own.
func TempLog(t testing.TB, log []byte) (path string) {
	t.Helper()
	return TempFile(t, "decisions.log", string(log))
}

// Gzip compresses a text.
func Gzip(t testing.TB, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// UnderRace reports whether this runs under the race detector.
func UnderRace() bool {
	info, _ := debug.ReadBuildInfo()
	return slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// HostileHELOs are HELO names that would be more than text on a page that did not
// escape them, or on a terminal.
func HostileHELOs() []string {
	return []string{
		`<script>document.title="owned"</script>`, `"><svg onload=document.title="owned">`, `' onfocus=document.title="owned" autofocus='`,
		`javascript:document.title="owned"`, "{{.State}}", "</textarea></style></title><script>document.title='owned'</script>",
		"\u202egpj.exe", "\x1b[31mred", strings.Repeat("x", 2000),
	}
}

// Fetch is what an HTTP server answers; host is that of the request, if not the
// URL's.
func Fetch(t testing.TB, method, url, host string) (status int, body string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Host = host
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
