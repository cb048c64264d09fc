package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
)

// packagedConfigs are the configurations that packages, the image and the archives come with.
var packagedConfigs = []string{"debian/config.toml", "redhat/config.toml", "freebsd/config.toml", "image/config.toml"}

// TestPackagedRefuseNobody runs each with a client that has no name, and another whose HELO
// is forged: they are decided about, and not refused, under observation, and under
// "enforce" not for good within four hours.
func TestPackagedRefuseNobody(t *testing.T) {
	longAlone(t)
	for _, file := range packagedConfigs {
		packaged, err := os.ReadFile(filepath.Join("../../contrib", file))
		if err != nil {
			t.Fatal(err)
		}
		conf, err := config.Parse(file, packaged)
		if err != nil {
			// Folders that are not there on this machine are all that may be wrong.
			if !strings.Contains(err.Error(), "its folder does not exist") || strings.Count(err.Error(), "\n") > 0 {
				t.Errorf("%s: %v", file, err)
				continue
			}
		} else if conf.Rules.Mode == policy.Enforce || conf.Rules.DeferFor != 4*time.Hour {
			t.Errorf("%s: %v, defer_for %v; want observe, 4h", file, conf.Rules.Mode, conf.Rules.DeferFor)
		}
		for mode, want := range map[string]*regexp.Regexp{
			"observe": regexp.MustCompile(`^DUNNO$`), "enforce": regexp.MustCompile(`^DEFER_IF_PERMIT 4\.7\.1 `),
		} {
			dns, _ := startWorld(t, plainZone)
			folder := t.TempDir()
			text := regexp.MustCompile(`(?m)^listen = .*$`).ReplaceAllString(string(packaged), fmt.Sprintf("listen = [%q]", anyPort))
			text = regexp.MustCompile(`"/[a-z/]*/policyd-rdns/`).ReplaceAllString(text, `"`+folder+"/")
			text = strings.Replace(text, `mode = "observe"`, fmt.Sprintf("mode = %q", mode), 1)
			path := filepath.Join(folder, "config.toml")
			writeFile(t, path, text+fmt.Sprintf("\n[resolver]\nservers = [%q]\n", dns))
			d := startDaemon(t, "serve", "-c", path)
			for _, request := range []string{
				"client_address=192.0.2.1\nhelo_name=mail.example.org\n", "client_address=203.0.113.10\nhelo_name=198.51.100.1\n",
			} {
				answer := askPolicy(t, d.address, "request=smtpd_access_policy\nprotocol_state=RCPT\nsender=a@example.org\nrecipient=b@example.com\n"+request+"\n")
				if !want.MatchString(answer) {
					t.Errorf("%s, %s: %q is answered with %q", file, mode, request, answer)
				}
			}
			d.stop(t)
			decided := "decided=defer"
			if mode == "enforce" {
				decided = "action=defer"
			}
			log := strings.Join(d.logged(), "\n")
			if file, err := os.ReadFile(filepath.Join(folder, "decisions.log")); err == nil {
				log += string(file)
			}
			if strings.Count(log, decided) != 2 {
				t.Errorf("%s, %s: want two decisions with %s in\n%s", file, mode, decided, log)
			}
		}
	}
}

// askPolicy sends one request, as Postfix would, and gives the action.
func askPolicy(t *testing.T, address, request string) string {
	t.Helper()
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // of a connection that has just been made
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(strings.TrimPrefix(line, "action="), "\n")
}

// TestPackagedAlike: the packages' configurations differ in where things are alone.
func TestPackagedAlike(t *testing.T) {
	settings := func(file string) string {
		text, err := os.ReadFile(filepath.Join("../../contrib", file))
		if err != nil {
			t.Fatal(err)
		}
		var keys []string
		for line := range strings.Lines(string(text)) {
			if line[0] != '#' && strings.TrimSpace(line) != "" && !strings.HasPrefix(line, "listen") && line != "[log]\n" {
				keys = append(keys, regexp.MustCompile(`"/.*/`).ReplaceAllString(line, `".../`))
			}
		}
		return strings.Join(keys, "")
	}
	want := settings(packagedConfigs[0])
	for _, file := range packagedConfigs[1:] {
		if got := strings.Replace(settings(file), "file = \".../decisions.log\"\n", "", 1); got != want {
			t.Errorf("%s sets\n%s\nwant, as %s does,\n%s", file, got, packagedConfigs[0], want)
		}
	}
}

// TestFreeBSDScript has the rc script say what it would start, with a stand-in for rc.subr.
func TestFreeBSDScript(t *testing.T) {
	text, err := os.ReadFile("../../contrib/freebsd/policyd_rdns")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	writeFile(t, filepath.Join(folder, "rc.subr"), `load_rc_config() { policyd_rdns_enable=YES; }
run_rc_command() {
	[ -z "${policyd_rdns_user:-}" ] || echo "rc.subr would change the user"
	echo "$1: $command $command_args"
	echo "$extra_commands; $start_precmd $reload_cmd"
}
`)
	script := filepath.Join(folder, "policyd_rdns")
	writeFile(t, script, strings.Replace(string(text), "/etc/rc.subr", folder+"/rc.subr", 1))
	out, err := exec.Command("sh", "-eu", script, "start").CombinedOutput()
	const want = "start: /usr/sbin/daemon -f -r -R 1 -S -T policyd-rdns -P /var/run/policyd_rdns.pid -p /var/run/policyd_rdns.child.pid " +
		"-u policyd-rdns /usr/local/bin/policyd-rdns serve -c /usr/local/etc/policyd-rdns/config.toml\n" +
		"reload configtest; policyd_rdns_prepare policyd_rdns_reload\n"
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}

// TestPicture: contrib/docs/demo.svg is what demo prints.
func TestPicture(t *testing.T) {
	_, stdout, _ := call("", "demo")
	cmd := exec.Command("awk", "-f", "../../contrib/picture.awk")
	cmd.Stdin = strings.NewReader(stdout)
	made, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	kept, err := os.ReadFile("../../contrib/docs/demo.svg")
	if err != nil || string(kept) != string(made) || strings.Count(string(made), "<text") < 50 {
		t.Errorf("contrib/docs/demo.svg is not what demo prints (%v): make picture", err)
	}
}
