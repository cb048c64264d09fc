package main

import (
	"fmt"
	"html"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// serveWatched starts the program with HTTP on, and says where.
func serveWatched(t *testing.T, path string) (d *aDaemon, url string) {
	t.Helper()
	d = newDaemonProcess(t, "serve", "-c", path)
	line := d.expect("metrics and status page")
	d.start(t)
	_, url, _ = strings.Cut(d.await(t, line), "url=")
	return d, url
}

// TestHTTP asks the real program.
func TestHTTP(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, "[http]\nlisten = \""+anyPort+"\"\n")
	d, url := serveWatched(t, path)
	conn, replies := dial(t, "tcp", d.address)
	for client, want := range map[string]string{"203.0.113.20": "DUNNO", "203.0.113.10": "550 5.7.1 "} {
		if got, err := ask(conn, replies, client, "mail.example.com"); err != nil || !strings.HasPrefix(got, want) {
			t.Errorf("reply %q, %v; want %s", got, err, want)
		}
	}
	for _, test := range []struct {
		method, path, host string
		status             int
		texts              []string
	}{
		{"GET", "healthz", "", 200, []string{"alive"}},
		{"GET", "readyz", "", 200, []string{"ready"}},
		{"GET", "", "", 200, []string{"All is well", "203.0.113.10", "no reverse name"}},
		{"GET", "?q=203.0.113.20&show=all", "", 200, []string{"203.0.113.20", "mail.example.com"}},
		{"GET", "metrics", "", 200, []string{
			`policyd_rdns_decisions_total{action="reject",rule="no reverse name"} 1`, `policyd_rdns_decisions_total{action="dunno",rule=""} 1`,
			`policyd_rdns_lookups_total{outcome="none",source="queried",type="PTR"} 1`, `policyd_rdns_connections 1`,
			`policyd_rdns_connections_max 2000`, `policyd_rdns_requests_total 2`, `policyd_rdns_dns_outage 0`, `mode="enforce"`,
			`policyd_rdns_decision_duration_seconds_count 2`, "go_goroutines", "process_resident_memory_bytes",
		}},
		{"GET", "debug/pprof/", "", 404, nil},
		{"POST", "", "", 405, nil},
		{"GET", "metrics", "rebind.example.org", 421, nil},
	} {
		status, body := testbed.Fetch(t, test.method, url+test.path, test.host)
		if status != test.status {
			t.Errorf("%s /%s of %q = %d; want %d", test.method, test.path, test.host, status, test.status)
		}
		for _, want := range test.texts {
			if !strings.Contains(body, want) {
				t.Errorf("%s /%s lacks %s:\n%s", test.method, test.path, want, body)
			}
		}
	}

	// A reload that fails is seen, and one that works after it.
	hup := func(config, expected string) {
		t.Helper()
		writeFile(t, path, config)
		line := d.expect(expected)
		if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		d.await(t, line)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	hup("mode = 5\n", "configuration not reloaded")
	expectPage(t, url, "The configuration could not be read again", "want a text in quotes")
	expectPage(t, url+"metrics", "policyd_rdns_config_last_reload_successful 0", `policyd_rdns_config_reloads_total{result="failure"} 1`)
	_, before := testbed.Fetch(t, "GET", url, "")
	hup("on_doubt = \"dunno\"\n"+strings.Replace(string(good), "127.0.0.1:0\"\n", "127.0.0.1:1\"\n", 1)+
		"\n[[rule]]\nname = \"all\"\nwhen = { client = [\"0.0.0.0/0\", \"::/0\"] }\naction = \"defer\"\n", "wait for a restart")
	expectPage(t, url+"metrics", "policyd_rdns_config_last_reload_successful 1", `policyd_rdns_decisions_total{action="defer",rule="all"} 0`)
	// What was decided before is explained by the rules of today, and says so.
	decision := regexp.MustCompile(`/decision/\w+`).FindString(before)
	expectPage(t, strings.TrimSuffix(url, "/")+decision, "The configuration has changed since.", "it would be: defer by rule", "reject by rule")
	d.stop(t)
}

func expectPage(t *testing.T, url string, texts ...string) {
	t.Helper()
	_, body := testbed.Fetch(t, "GET", url, "")
	for _, want := range texts {
		if !strings.Contains(html.UnescapeString(body), want) {
			t.Errorf("%s lacks %q:\n%s", url, want, body)
		}
	}
}

// TestNotReady: it is alive and does not pretend to be ready with no DNS.
func TestNotReady(t *testing.T) {
	nobody, err := net.ListenPacket("udp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer nobody.Close()
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, nobody.LocalAddr().String(), anyPort, "[http]\nlisten = \""+anyPort+"\"\n")
	d, url := serveWatched(t, path)
	if status, body := testbed.Fetch(t, "GET", url+"readyz", ""); status != 503 || !strings.Contains(body, "no DNS server answers: no reply from "+nobody.LocalAddr().String()) {
		t.Errorf("GET /readyz = %d, %q; want 503 and why", status, body)
	}
	if status, _ := testbed.Fetch(t, "GET", url+"healthz", ""); status != 200 {
		t.Errorf("GET /healthz = %d; want 200", status)
	}
	d.stop(t)
}

// TestReadyWithoutRoot: behind a server that answers clients the daemon is ready,
// though the server says nothing of the root, and nobody has come yet.
func TestReadyWithoutRoot(t *testing.T) {
	for _, fault := range []string{"!refused .", "!servfail .", "!drop ."} {
		dns, _ := startWorld(t, fault)
		path := filepath.Join(t.TempDir(), "config.toml")
		writeConfig(t, path, dns, anyPort, "[http]\nlisten = \""+anyPort+"\"\n")
		d, url := serveWatched(t, path)
		if status, body := testbed.Fetch(t, "GET", url+"readyz", ""); status != 200 {
			t.Errorf("%s: GET /readyz = %d, %q; want 200", fault, status, body)
		}
		d.stop(t)
	}
}

// TestHTTPAddressInUse: a port that is taken is told at the start.
func TestHTTPAddressInUse(t *testing.T) {
	dns, _ := startWorld(t, plainZone)
	taken, err := net.Listen("tcp", anyPort)
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	path := filepath.Join(t.TempDir(), "config.toml")
	writeConfig(t, path, dns, anyPort, fmt.Sprintf("[http]\nlisten = %q\n", taken.Addr()))
	status, _, stderr := call("", "serve", "-c", path)
	if want := fmt.Sprintf("http.listen = %q: listen tcp4 %v: bind: address already in use", taken.Addr(), taken.Addr()); status != 1 || !strings.Contains(stderr, want) {
		t.Errorf("serve = %d, %q; want 1 and %q", status, stderr, want)
	}
}
