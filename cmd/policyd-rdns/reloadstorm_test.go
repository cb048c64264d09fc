package main

import (
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// TestReloadStorm reloads 100 times under about 1000 requests a second, with a
// file that cannot be read every tenth time. No request fails, and no connection
// is lost.
func TestReloadStorm(t *testing.T) {
	const connections, reloads = 8, 100
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	rule := func(text string) {
		writeConfig(t, path, dns, anyPort, fmt.Sprintf("[reply]\ncontact = \"\"\n[[rule]]\nname = %q\nwhen = { client = \"0.0.0.0/0\" }\naction = \"reject\"\ntext = %[1]q\n", text))
	}
	rule("even")
	d := startDaemon(t, "serve", "-c", path)
	var asked atomic.Int64
	var asking sync.WaitGroup
	var ended atomic.Bool
	stop := func() { ended.Store(true); asking.Wait() }
	defer stop()
	for range connections {
		conn, replies := dial(t, "tcp", d.address)
		asking.Go(func() {
			for pace := time.Tick(connections * time.Millisecond); !ended.Load(); <-pace {
				got, err := ask(conn, replies, "203.0.113.20", "mail.example.com")
				if err != nil || got != "550 5.7.1 even" && got != "550 5.7.1 odd" {
					t.Errorf("reply %q, %v", got, err)
					return
				}
				asked.Add(1)
			}
		})
	}
	begin := time.Now()
	d.reloadOften(t, path, reloads, rule)
	stop()
	elapsed, n := time.Since(begin), asked.Load()
	t.Logf("%d reloads and %d requests in %v, %.0f a second", reloads, n, elapsed.Round(time.Millisecond), float64(n)/elapsed.Seconds())
	if n < 10*reloads {
		t.Errorf("%d requests; want more", n)
	}
	if got := len(d.stop(t)); got != int(n)+reloads {
		t.Errorf("%d decisions were logged; want %d", got, int(n)+reloads)
	}
}

// reloadOften reloads, and asks after each time what is in force.
func (d *aDaemon) reloadOften(t *testing.T, path string, times int, rule func(text string)) {
	t.Helper()
	conn, replies := dial(t, "tcp", d.address)
	pace := time.Tick(50 * time.Millisecond)
	text := ""
	for i := range times {
		<-pace
		said := "configuration reloaded"
		if i%10 == 9 {
			writeFile(t, path, "mode = 5\n")
			said = "configuration not reloaded"
		} else {
			text = []string{"odd", "even"}[i%2]
			rule(text)
		}
		line := d.expect(said)
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.await(t, line)
		if got, err := ask(conn, replies, "203.0.113.20", "mail.example.com"); err != nil || got != "550 5.7.1 "+text {
			t.Errorf("after reload %d: reply %q, %v; want %q", i, got, err, text)
		}
	}
}
