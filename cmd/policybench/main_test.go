package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// call runs a command line within the test's own process.
func call(ctx context.Context, args ...string) (status int, stdout, stderr string) {
	var out, err bytes.Buffer
	status = run(ctx, args, &out, &err)
	return status, out.String(), err.String()
}

func TestExitStatus(t *testing.T) {
	tests := []struct {
		args   string
		status int
		stdout string // a part of it
		stderr string
	}{
		{"", 2, "Usage:", "which command?"},
		{"lode", 2, "", `unknown command "lode"`},
		{"help load", 0, "--this-server-is-mine", ""},
		{"load", 2, "", "--addr"},
		{"load --addr 127.0.0.1", 2, "", "want an address and a port"},
		{"load --addr 203.0.113.1:10040", 2, "", "--this-server-is-mine"},
		{"load --addr mail.example.com:10040", 2, "", "--this-server-is-mine"},
		{"load --addr [2001:db8::1]:10040", 2, "", "--this-server-is-mine"},
		{"load --addr 127.0.0.1:1 --clients 0", 2, "", "want 1 to 131072"},
		{"load --addr 127.0.0.1:1 --clients 131073", 2, "", "want 1 to 131072"},
		{"load --addr 127.0.0.1:1 --mix strange=1", 2, "", "want one of named"},
		{"load --addr 127.0.0.1:1 --requests x --once", 2, "", "not with --requests"},
		{"load --addr 127.0.0.1:1 --requests /nonexistent/file", 1, "", "no such file"},
		{"load --addr unix:/nonexistent/socket", 1, "", "no such file"},
		{"load --addr 127.0.0.1:1 --connections 0", 1, "", "want 1 to"},
		{"world --listen 0.0.0.0:0", 2, "", "want an address of the loopback"},
		{"world --listen 203.0.113.1:53", 2, "", "want an address of the loopback"},
		{"world --delay -1s", 2, "", "--delay -1s"},
		{"world --loss 200%", 2, "", "want a share"},
		{"floor --listen localhost:0", 2, "", "want an address of the loopback"},
		{"run extra", 2, "", "unknown command"},
	}
	for _, test := range tests {
		status, stdout, stderr := call(t.Context(), strings.Fields(test.args)...)
		if status != test.status || !strings.Contains(stdout, test.stdout) || !strings.Contains(stderr, test.stderr) {
			t.Errorf("policybench %s = %d, %q, %q; want %d, %q, %q",
				test.args, status, stdout, stderr, test.status, test.stdout, test.stderr)
		}
	}
}

func TestTarget(t *testing.T) {
	tests := []struct {
		address        string
		mine           bool
		network, where string // empty: refused
	}{
		{"127.0.0.1:10040", false, "tcp", "127.0.0.1:10040"},
		{"127.9.9.9:1", false, "tcp", "127.9.9.9:1"},
		{"[::1]:10040", false, "tcp", "[::1]:10040"},
		{"localhost:10040", false, "tcp", "localhost:10040"},
		{"unix:/run/policy.sock", false, "unix", "/run/policy.sock"},
		{"203.0.113.1:10040", true, "tcp", "203.0.113.1:10040"},
		{"mail.example.com:10040", true, "tcp", "mail.example.com:10040"},
		{"203.0.113.1:10040", false, "", ""},
		{"localhost.example.com:10040", false, "", ""},
		{"0.0.0.0:10040", false, "", ""},
		{"", true, "", ""},
	}
	for _, test := range tests {
		network, where, err := target(test.address, test.mine)
		if network != test.network || where != test.where || (err == nil) != (test.network != "") {
			t.Errorf("target(%s, %v) = %s, %s, %v; want %s, %s", test.address, test.mine, network, where, err, test.network, test.where)
		}
	}
}

// serve runs a server command until the test ends, and gives its address.
func serve(t *testing.T, args ...string) (address string, end func() string) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	r, w := io.Pipe()
	done := make(chan int, 1)
	go func() {
		done <- run(ctx, args, w, io.Discard)
		w.Close()
	}()
	buf := make([]byte, 100)
	n, err := r.Read(buf)
	if err != nil {
		t.Fatal(err)
	}
	_, address, _ = strings.Cut(strings.TrimSpace(string(buf[:n])), "listening ")
	if _, _, err := net.SplitHostPort(address); err != nil {
		t.Fatalf("%v says %q; want its address", args, buf[:n])
	}
	return address, func() string {
		cancel()
		rest, _ := io.ReadAll(r)
		if status := <-done; status != 0 {
			t.Errorf("%v ended with %d", args, status)
		}
		return string(rest)
	}
}

func TestLoadFloor(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("needs epoll")
	}
	address, end := serve(t, "floor")
	defer end()
	requests := filepath.Join(t.TempDir(), "requests")
	if err := os.WriteFile(requests, []byte("request=smtpd_access_policy\nclient_address=203.0.113.7\n\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	short := []string{"load", "--addr", address, "--duration", "50ms", "--warmup", "0s", "--connections", "3"}
	for _, more := range [][]string{nil, {"--requests", requests}, {"--rate", "1000", "--ipv6"}, {"--json"}} {
		status, stdout, stderr := call(t.Context(), append(short, more...)...)
		if status != 0 || !strings.Contains(stdout, "DUNNO") || len(more) == 1 && !json.Valid([]byte(stdout)) {
			t.Errorf("load %v = %d, %q, %q; want a result with DUNNO", more, status, stdout, stderr)
		}
	}
}

func TestWorldTellsCounts(t *testing.T) {
	_, end := serve(t, "world", "--delay", "1ms", "--loss", "1%", "--servfail", "0.01", "--mix", "named=1,other=1")
	if got := end(); !strings.HasPrefix(got, "udp=0 tcp=0 ptr=0") {
		t.Errorf("world ends with %q; want its counts", got)
	}
}
