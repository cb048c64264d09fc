package daemon

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/journal/logwriter"
)

// heard is a daemon whose messages are kept.
type heard struct {
	*Daemon
	decisions *logwriter.Writer
	messages  testbed.Log
}

// newHeard makes one that is configured by a file.
func newHeard(t *testing.T, path string, host config.Host) *heard {
	t.Helper()
	conf, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	var none bytes.Buffer
	d := &heard{decisions: logwriter.New(&none, nil)}
	d.Daemon, err = New(conf, Options{Log: slog.New(slog.NewTextHandler(&d.messages, nil)), Decisions: d.decisions, Host: host})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	t.Cleanup(func() { _ = closeLog(d.decisions) })
	return d
}

// reloadable is a daemon whose configuration names a list in a file.
type reloadable struct {
	*heard
	list string // path
}

func newReloadable(t *testing.T, h config.Host) *reloadable {
	t.Helper()
	dns, _ := testbed.StartWorld(t, "")
	dir := t.TempDir()
	r := &reloadable{list: filepath.Join(dir, "names")}
	testbed.WriteFile(t, r.list, "")
	path := filepath.Join(dir, "config.toml")
	testbed.WriteFile(t, path, fmt.Sprintf("[server]\nlisten = [\"127.0.0.1:0\"]\n[resolver]\nservers = [%q]\n[names]\nproper = [%q]\n[log]\nfile = %q\n",
		dns, "@"+r.list, filepath.Join(dir, "decisions.log")))
	r.heard = newHeard(t, path, h)
	return r
}

// A reload that is under way at the stop is waited for, and puts nothing into force
// any more: neither a configuration nor a log that nobody closes.
func TestReloadAtTheStop(t *testing.T) {
	d := newReloadable(t, config.Host{})
	before := d.current.Load()
	listener := testbed.NewPipes()
	hup := make(chan os.Signal, 1)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx, []net.Listener{listener}, hup) }()

	if err := os.Remove(d.list); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Mkfifo(d.list, 0o600); err != nil {
		t.Skipf("Mkfifo: %v", err)
	}
	hup <- syscall.SIGHUP
	pipe, err := os.OpenFile(d.list, os.O_WRONLY, 0) // waits for the reload to read it
	if err != nil {
		t.Fatal(err)
	}
	stop()
	<-listener.Closed()
	pipe.Close()
	if err := <-ended; err != nil {
		t.Errorf("the daemon ended with %v", err)
	}
	stacks := make([]byte, 1<<20)
	if stacks = stacks[:runtime.Stack(stacks, true)]; bytes.Contains(stacks, []byte(".reload(")) {
		t.Errorf("the reload was left behind:\n%s", stacks)
	}
	if d.current.Load() != before {
		t.Error("a configuration was put into force behind the stop")
	}
	_, log, _ := strings.Cut(d.messages.String(), "configuration not reloaded: the daemon stops")
	if !strings.Contains(log, "msg=stopped") {
		t.Errorf("the log does not tell of the reload before the stop:\n%s", d.messages.String())
	}
}

// What the machine is called is part of what a reload replaces: a request is judged
// by the one or the other as a whole.
func TestReloadFindsHost(t *testing.T) {
	d := newReloadable(t, config.Host{Names: []string{"former.example.net"}})
	before := d.current.Load()
	d.reload(t.Context())
	after := d.current.Load()
	now := config.FindHost()
	if after == before || !slices.Equal(after.host.Names, now.Names) || !slices.Equal(after.gatherer.HostNames, now.Names) || !slices.Equal(after.gatherer.HostAddrs, now.Addrs) {
		t.Errorf("after a reload the host is %v, and clients are compared with %v; want %v", after.host, after.gatherer.HostNames, now)
	}
	if got := before.host.Name(); got != "former.example.net" || !slices.Equal(before.gatherer.HostNames, before.host.Names) {
		t.Errorf("the generation before is of %q now; want it as it was", got)
	}
}

// TestReloadOfThePage: replies name the page that is served, and its numbers are read, until
// a restart: whoever is refused keeps the URL.
func TestReloadOfThePage(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	d := newReloadable(t, config.Host{})
	path := d.current.Load().conf.Path
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const listens = "\n[reply]\nhelp = \"https://mx.example.com/\"\nlisten = \"127.0.0.1:10042\"\n"
	testbed.WriteFile(t, path, string(text)+listens)
	d.reload(t.Context())
	if g := d.current.Load(); g.conf.Reply.Help == "" || g.keys != nil || !g.texts.ByCause {
		t.Errorf("listen was added: help %q, keys %v, a page for each cause %t; want help, and nothing of a page that nobody serves", g.conf.Reply.Help, g.keys, g.texts.ByCause)
	}
	if !strings.Contains(d.messages.String(), "changes of reply.listen wait for a restart") {
		t.Errorf("nothing is said of it: %s", d.messages.String())
	}

	served, err := config.Load(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := New(served, Options{Log: slog.New(slog.DiscardHandler), Decisions: d.decisions})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	testbed.WriteFile(t, path, string(text))
	other.reload(t.Context())
	if g := other.current.Load(); g.keys == nil || g.texts.ByCause {
		t.Errorf("listen was removed: keys %v, a page for each cause %t; want the keys of the page that is still served", g.keys, g.texts.ByCause)
	}
}
