package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/checkup"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/stack"
)

// stackShapes are the configurations of mail systems, each with what contrib/stacks has
// for it: a file that is appended to main.cf, or a script.
var stackShapes = map[string]string{
	"mailcow": "extra.cf", "docker-mailserver": "user-patches.sh", "mailu": "postfix.cf", "mail-in-a-box": "editconf.sh",
	"iredmail": "main.cf", "modoboa": "main.cf", "ispconfig": "main.cf", "nixos": "policyd-rdns.nix", "debian": "main.cf",
}

const contribStacks = "../../contrib/stacks"

// stackFolder is a copy of a system's configuration, for Postfix's own commands.
func stackFolder(t *testing.T, name string) string {
	t.Helper()
	folder := t.TempDir()
	for _, file := range []string{"main.cf", "master.cf"} {
		text, err := os.ReadFile(filepath.Join("testdata/stacks", name, file))
		if err != nil {
			t.Fatal(err)
		}
		writeFile(t, filepath.Join(folder, file), string(text))
	}
	return folder
}

// applyStack puts the lines of contrib/stacks on a configuration, as its page says.
func applyStack(t *testing.T, name, folder string) {
	t.Helper()
	file := filepath.Join(contribStacks, name, stackShapes[name])
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	switch filepath.Ext(file) {
	case ".cf":
		main, err := os.OpenFile(filepath.Join(folder, "main.cf"), os.O_APPEND|os.O_WRONLY, 0)
		if err == nil {
			_, err = main.Write(append([]byte("\n"), text...))
		}
		if err != nil || main.Close() != nil {
			t.Fatal(err)
		}
	case ".nix": // the list, as Nix writes it
		_, list, _ := strings.Cut(string(text), "smtpd_recipient_restrictions = [")
		list, _, _ = strings.Cut(list, "];")
		runPostconf(t, folder, "-e", "smtpd_recipient_restrictions = "+strings.Join(unquoted(list), ", "))
	case ".sh":
		// Twice, as it may be run: the second time it has nothing to do. Where a script has
		// commands of its system or of a running Postfix, stand-ins do it.
		tools := t.TempDir()
		for path, script := range map[string]string{
			"tools/editconf.py": "#!/bin/sh\nshift\nexec postconf -e \"$1\"\n", "bin/postfix": "#!/bin/sh\n",
			"bin/postconf": "#!/bin/sh\ntouch -d '1 hour ago' \"$MAIL_CONFIG/main.cf\"\nexec " + needProgram(t, "postconf", "postfix") + " \"$@\"\n",
		} {
			if err := os.MkdirAll(filepath.Dir(filepath.Join(tools, path)), 0o700); err != nil {
				t.Fatal(err)
			}
			writeFile(t, filepath.Join(tools, path), script)
			if err := os.Chmod(filepath.Join(tools, path), 0o700); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 {
			script, err := filepath.Abs(file)
			if err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(script)
			cmd.Dir = tools
			cmd.Env = append(os.Environ(), "MAIL_CONFIG="+folder, "PATH="+filepath.Join(tools, "bin")+":"+os.Getenv("PATH")+":/usr/sbin")
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", file, err, out)
			}
		}
	}
}

// unquoted are the texts of a list in quotes.
func unquoted(list string) (all []string) {
	for i, part := range strings.Split(list, `"`) {
		if i%2 == 1 {
			all = append(all, part)
		}
	}
	return all
}

// expectedOfPostconf are warnings about what is so in these systems, or is not there on
// this machine: one name twice in main.cf, parameters of their own, and their tables.
var expectedOfPostconf = regexp.MustCompile(`overriding earlier entry|unused parameter|configuration "/(etc|opt)/.*": No such file`)

// runPostconf runs Postfix's own command on a configuration, which is made to look old: of
// one that was changed just now it waits until it is not.
func runPostconf(t *testing.T, folder string, args ...string) string {
	t.Helper()
	cmd := exec.Command(needProgram(t, "postconf", "postfix"), append([]string{"-c", folder}, args...)...)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	old := time.Now().Add(-time.Hour)
	if err := os.Chtimes(filepath.Join(folder, "main.cf"), old, old); err != nil {
		t.Fatal(err)
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("postconf %q: %v\n%s", args, err, &stderr)
	}
	for line := range strings.Lines(stderr.String()) {
		if !expectedOfPostconf.MatchString(line) {
			t.Errorf("postconf %q: %s", args, line)
		}
	}
	return string(out)
}

// examineStack is what doctor says of a configuration, with a daemon that listens at an
// address; nothing else on the machine is amiss.
func examineStack(t *testing.T, folder, listen string) []doctor.Finding {
	t.Helper()
	conf, err := config.Parse("config.toml", []byte("mode = \"observe\"\ndefer_for = \"4h\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	conf.Server.Listen = []string{listen} // whose folder need not be on this machine
	m := machine.Machine{Postfix: maincf.ParsePostfix(runPostconf(t, folder, "-x"), runPostconf(t, folder, "-M"))}
	return doctor.Examine(&m, checkup.View(conf, config.Host{Names: []string{"mx.example.com"}}))
}

// TestStacks: each system's lines are taken by Postfix, and have it call the daemon, which
// it does not without them; doctor knows the system.
func TestStacks(t *testing.T) {
	address := regexp.MustCompile(`inet:([0-9.]+:10040)`)
	for name := range stackShapes {
		folder := stackFolder(t, name)
		listen := "unix:" + strings.TrimSpace(runPostconf(t, folder, "-xh", "queue_directory")) + "/private/policyd-rdns"
		text, err := os.ReadFile(filepath.Join(contribStacks, name, stackShapes[name]))
		if err != nil {
			t.Fatal(err)
		}
		if address.Match(text) {
			listen = "0.0.0.0:10040" // as the image does
		}
		before := examineStack(t, folder, listen)
		if !hasFinding(before, "call.missing", doctor.Error) {
			t.Errorf("%s: without its lines doctor finds no call missing", name)
		}
		if name != "debian" && !hasFinding(before, "postfix.stack", doctor.Info) {
			t.Errorf("%s: doctor does not know the system", name)
		}
		applyStack(t, name, folder)
		list := runPostconf(t, folder, "-h", "smtpd_recipient_restrictions")
		if n := strings.Count(list, "default_action=DUNNO"); n != 1 {
			t.Errorf("%s: the list calls %d times: %s", name, n, list)
		}
		if n := runPostconf(t, folder, "-n"); !strings.Contains(n, "timeout=10s, default_action=DUNNO") {
			t.Errorf("%s: postconf -n has not the call:\n%s", name, n)
		}
		after := examineStack(t, folder, listen)
		if !hasFinding(after, "call.found", doctor.OK) {
			t.Errorf("%s: doctor finds no call in\n%s", name, list)
		}
		for _, f := range after {
			wiring := strings.HasPrefix(f.ID, "call.") || strings.HasPrefix(f.ID, "postfix.")
			if wiring && (f.Level == doctor.Error || f.Level == doctor.Warning) {
				t.Errorf("%s: %s %s: %s\n%s", name, f.Level, f.ID, f.Title, list)
			}
		}
	}
}

func hasFinding(all []doctor.Finding, id string, level doctor.Level) bool {
	return slices.ContainsFunc(all, func(f doctor.Finding) bool { return f.ID == id && f.Level == level })
}

// TestStackByName: a call by the container's name is one of the daemon, and not the best.
func TestStackByName(t *testing.T) {
	folder := stackFolder(t, "docker-mailserver")
	runPostconf(t, folder, "-e", "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, check_policy_service { inet:policyd-rdns:10040, timeout=10s, default_action=DUNNO }")
	all := examineStack(t, folder, "0.0.0.0:10040")
	if !hasFinding(all, "call.found", doctor.OK) || !hasFinding(all, "call.name", doctor.Info) {
		t.Errorf("a call by name: %+v", all)
	}
	if hasFinding(examineStack(t, folder, "127.0.0.1:10040"), "call.found", doctor.OK) {
		t.Error("a daemon on the loopback is taken to be reached from another container")
	}
}

// TestStackPages: each system has its lines, and each page says how to look first and how
// to undo it; the containers begin by observing.
func TestStackPages(t *testing.T) {
	all, err := os.ReadFile(filepath.Join(contribStacks, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range stack.All() {
		if stackShapes[s.Page] == "" {
			t.Errorf("doctor names the page %s, which is not checked", s.Page)
		}
	}
	for name := range stackShapes {
		page, err := os.ReadFile(filepath.Join(contribStacks, name, "README.md"))
		if err != nil {
			if !strings.Contains(string(all), "]("+name+"/"+stackShapes[name]+")") {
				t.Errorf("README.md does not name %s/%s", name, stackShapes[name])
			}
			continue
		}
		for _, want := range []string{"observing", "**Undo**", "doctor", "Look.", "rspamd", stackShapes[name]} {
			if !strings.Contains(string(page), want) {
				t.Errorf("%s/README.md does not have %q", name, want)
			}
		}
	}
	for _, name := range []string{"mailcow", "docker-mailserver", "mailu"} { // as Docker names what it has loaded
		page, err := os.ReadFile(filepath.Join(contribStacks, name, "README.md"))
		if err != nil || !strings.Contains(string(page), "`docker tag policyd-rdns:VERSION\npolicyd-rdns:latest`") {
			t.Errorf("%s/README.md does not tag the image as compose calls it: %v", name, err)
		}
	}
	composes, err := filepath.Glob(filepath.Join(contribStacks, "*", "*.y*ml"))
	if err != nil || len(composes) != 3 {
		t.Fatalf("%d compose files, %v; want 3", len(composes), err)
	}
	for _, file := range append(composes, "../../contrib/image/compose.yaml") {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"POLICYD_RDNS_MODE: observe\n", "read_only: true\n", "cap_drop: [ALL]\n", "/var/lib/policyd-rdns\n", "ipv4_address: "} {
			if !strings.Contains(string(text), want) {
				t.Errorf("%s has not %q", file, want)
			}
		}
		if strings.Contains(string(text), "ports:") {
			t.Errorf("%s publishes a port", file)
		}
	}
}
