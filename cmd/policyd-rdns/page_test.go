package main

import (
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/casenumber"
)

// TestPage asks the real program for the page whose URL it puts into a refusal.
func TestPage(t *testing.T) {
	dns, world := startWorld(t, plainZone)
	dir := t.TempDir()
	path, keys := filepath.Join(dir, "config.toml"), filepath.Join(dir, "keys")
	if err := os.WriteFile(keys, []byte(casenumber.NewKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	const help = "https://mx.example.com/rdns/"
	settings := "[reply]\ncontact = \"hostmaster@example.net\"\nhelp = \"" + help + "\"\nlisten = \"" + anyPort + "\"\nkey_file = \"" + keys + "\"\n"
	writeConfig(t, path, dns, anyPort, settings+"[http]\nlisten = \""+anyPort+"\"\n")
	d := newDaemonProcess(t, "serve", "-c", path)
	listens, watched := d.expect("page for the refused"), d.expect("metrics and status page")
	d.start(t)
	_, status, _ := strings.Cut(d.await(t, watched), "url=")
	listen := regexp.MustCompile(`listen=(\S+)`).FindStringSubmatch(d.await(t, listens))
	if listen == nil {
		t.Fatal("the log does not say where the page is")
	}
	conn, replies := dial(t, "tcp", d.address)
	reply, err := ask(conn, replies, "203.0.113.10", "mail.example.com")
	link := regexp.MustCompile(regexp.QuoteMeta(help) + `(\S+)$`).FindStringSubmatch(reply)
	if err != nil || link == nil {
		t.Fatalf("reply %q, %v; want the URL of a case at its end", reply, err)
	}
	page := "http://" + listen[1] + "/" + link[1]
	expectPage(t, page, "203.0.113.10 has no PTR record", "hostmaster@example.net", link[1], "10.113.0.203.in-addr.arpa. IN PTR", "Still the same.")
	// The status page links to it.
	_, body := testbed.Fetch(t, "GET", status, "")
	expectPage(t, strings.TrimSuffix(status, "/")+regexp.MustCompile(`/decision/\w+`).FindString(body), `<a href="`+help+link[1]+`"`)
	// The zone is mended: the page still has the answer of before, and a look is new.
	if err := world.Set(plainZone + "10.113.0.203.in-addr.arpa. PTR mail10.example.com.\nmail10.example.com. A 203.0.113.10\n"); err != nil {
		t.Fatal(err)
	}
	expectPage(t, page, "Still the same.")
	if _, body := testbed.Fetch(t, "POST", page, ""); !strings.Contains(body, "would be accepted now.") {
		t.Errorf("after it was mended the page says\n%s", body)
	}
	// Nobody's case, and nobody's address: the loopback is a proxy, which has to name him.
	for _, path := range []string{"", strings.Replace(link[1], link[1][9:10], map[bool]string{true: "1", false: "0"}[link[1][9] == '0'], 1)} {
		if _, body := testbed.Fetch(t, "GET", "http://"+listen[1]+"/"+path, ""); strings.Contains(body, "203.0.113") {
			t.Errorf("/%s tells of an address:\n%s", path, body)
		}
	}
	// After a reload all is as the file says then.
	if err := os.WriteFile(keys, []byte(casenumber.NewKey()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	writeConfig(t, path, dns, anyPort, strings.Replace(settings, "hostmaster@", "noc@", 1)+"[http]\nlisten = \""+anyPort+"\"\n")
	line := d.expect("configuration reloaded")
	if err := d.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	d.await(t, line)
	expectPage(t, page, "too old or not ours", "noc@example.net")
	d.stop(t)
	if resp, err := http.Get(page); err == nil {
		resp.Body.Close()
		t.Error("the page is served after the end")
	}
}

// TestPageStatic writes the pages as files.
func TestPageStatic(t *testing.T) {
	dir := t.TempDir()
	path, folder := filepath.Join(dir, "config.toml"), filepath.Join(dir, "web", "rdns")
	if err := os.WriteFile(path, []byte("[reply]\ncontact = \"hostmaster@example.net\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 2 { // those that are there are replaced
		if status, stdout, stderr := call("", "page", "-c", path, "--static", folder); status != 0 || !strings.HasSuffix(stdout, " pages written, the list of them is "+filepath.Join(folder, "index.html")+"\n") {
			t.Fatalf("page --static = %d, %q, %q", status, stdout, stderr)
		}
	}
	list, err := os.ReadFile(filepath.Join(folder, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range casenumber.Causes() {
		text, err := os.ReadFile(filepath.Join(folder, c.String(), "index.html"))
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"hostmaster@example.net", "What to do", "Was zu tun ist", `lang="de"`} {
			if !strings.Contains(string(text), want) {
				t.Errorf("the page of %s lacks %q", c, want)
			}
		}
		if !strings.Contains(string(list), `href="`+c.String()+`/#de"`) {
			t.Errorf("the list does not lead to %s", c)
		}
	}
	if found, err := filepath.Glob(filepath.Join(folder, "*", "*")); err != nil || len(found) != len(casenumber.Causes()) {
		t.Errorf("%d files, %v; want one for each cause", len(found), err)
	}
	if status, _, stderr := call("", "page", "-c", "none"); status != 2 || !strings.Contains(stderr, "--static") {
		t.Errorf("page = %d, %q; want 2", status, stderr)
	}
	if status, _, stderr := call("", "page", "-c", "none", "--static", filepath.Join(path, "x")); status != 1 || !strings.Contains(stderr, path) {
		t.Errorf("page --static into a file = %d, %q; want 1", status, stderr)
	}
}
