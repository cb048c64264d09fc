package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/checkup"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// doctorMain is what all set-ups have. The last value of a parameter holds.
const doctorMain = `compatibility_level = 3.6
queue_directory = %s/queue
myhostname = mx.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8 [::1]/128
smtpd_reject_unlisted_recipient = no
local_recipient_maps =
`

// doctorSetup is a Postfix and a daemon. ADDR is where the daemon listens, DIR
// the folder of all files, POLICY the call as it should be.
type doctorSetup struct {
	name   string
	main   string
	master string
	config string // instead of the running daemon's
	status int
	here   bool // from a file less can be told
}

const properRecipient = "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, POLICY\n"

func doctorSetups() []doctorSetup {
	return []doctorSetup{
		{name: "good", main: properRecipient},
		{
			name: "refusal", here: true,
			main: properRecipient + "local_recipient_maps = inline:{root=here}\nsmtpd_client_restrictions = permit_mynetworks, reject_unknown_client_hostname\nsmtpd_reject_footer = \\c. Call 0555 01\n",
		},
		{name: "not-called", main: "smtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination,\n  reject_rbl_client dnsbl.example.org\n", status: 1},
		{
			name: "dead", status: 1,
			main: "smtpd_recipient_restrictions =\n  permit_mynetworks\n  reject_unauth_destination\n  # the end\n  permit\n  POLICY\n",
		},
		{
			name: "too-early",
			main: "compatibility_level = 2\nsmtpd_recipient_restrictions = POLICY, permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination\n",
		},
		{name: "bare", main: strings.Replace(properRecipient, "POLICY", "check_policy_service inet:ADDR", 1)},
		{
			name: "impatient", status: 1,
			main: strings.Replace(properRecipient, "POLICY", "check_policy_service { inet:ADDR, timeout=2s, default_action=OK }", 1),
		},
		{
			name: "chroot", status: 1, master: "smtp inet n - y - - smtpd\n",
			main: strings.Replace(properRecipient, "POLICY", "check_policy_service { unix:DIR/queue/private/policyd-rdns, timeout=10s, default_action=DUNNO }", 1),
		},
		{
			name: "locked", status: 1, master: "smtp inet n - y - - smtpd\n",
			main: strings.Replace(properRecipient, "POLICY", "check_policy_service { unix:private/policyd-rdns, timeout=10s, default_action=DUNNO }", 1),
		},
		{
			name: "no-delay", status: 1,
			main: "smtpd_delay_reject = no\nsmtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, POLICY\n",
		},
		{
			name: "everywhere",
			main: properRecipient + "smtpd_helo_restrictions = permit_mynetworks, permit_sasl_authenticated, warn_if_reject POLICY\nsmtpd_data_restrictions = permit_mynetworks, permit_sasl_authenticated, POLICY\n",
		},
		{
			name: "filter", main: properRecipient + "content_filter = smtp:[127.0.0.1]:10024\n",
			master: `smtp inet n - n - - smtpd
submission inet n - n - - smtpd
  -o smtpd_tls_security_level=encrypt
  -o { smtpd_recipient_restrictions = POLICY, permit_sasl_authenticated, reject }
127.0.0.1:10025 inet n - n - - smtpd
  -o content_filter=
  -o smtpd_recipient_restrictions=check_policy_service,inet:ADDR,permit_mynetworks,reject
`,
		},
		{
			name: "moved", status: 1, here: true,
			main: strings.Replace(properRecipient, "POLICY", "check_policy_service inet:ADDR2, reject_rbl_client dnsbl.example.org", 1),
		},
		{
			name: "no-word", status: 1,
			main: strings.Replace(properRecipient, "POLICY", "check_policy_service ADDR, timeout=10s", 1),
		},
		{name: "world", status: 1, main: properRecipient + "mynetworks = 127.0.0.0/8 0.0.0.0/0\n"},
		{
			name: "all-pass", status: 1,
			main: strings.Replace(properRecipient, "POLICY", "check_client_access cidr:{{0.0.0.0/0 OK}}, permit_dnswl_client wl.example.org, POLICY", 1),
		},
		{name: "no-guard", status: 1, main: "smtpd_relay_restrictions = permit_mynetworks\nsmtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, POLICY\n"},
		{
			name: "by-table",
			main: "smtpd_restriction_classes = judged\njudged = POLICY\n" + strings.Replace(properRecipient, "POLICY", "check_recipient_access hash:DIR/wanted", 1),
		},
		{
			name: "front", status: 1, main: properRecipient + "smtpd_authorized_xclient_hosts = 0.0.0.0/0\nsmtpd_upstream_proxy_protocol = haproxy\nsoft_bounce = yes\nsmtpd_peername_lookup = no\n",
			master: "smtp inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd\n",
		},
		{
			name: "down", status: 1, main: properRecipient + "myhostname = mail.example.org\nmynetworks = 127.0.0.0/8 203.0.113.0/24\n",
			config: "[server]\nlisten = [\"ADDR2\"]\nmax_connections = 50\n[resolver]\nservers = [\"ADDR2\"]\n",
		},
	}
}

// doctorWorld is what the set-ups share: a daemon that runs, and its DNS server.
type doctorWorld struct {
	dir    string
	config string
	words  *strings.Replacer // ADDR and the others to what they stand for
	hide   func(string) string
}

func newDoctorWorld(t *testing.T) *doctorWorld {
	t.Helper()
	needProgram(t, "postconf", "postfix")
	w := &doctorWorld{dir: testbed.WorkFolder(t)}
	if err := os.MkdirAll(filepath.Join(w.dir, "queue", "private"), 0o755); err != nil {
		t.Fatal(err)
	}
	addrs := testbed.FreeAddrs(t, 2)
	dns := startValidating(t)
	config := fmt.Sprintf("[server]\nlisten = [%q, %q]\n[resolver]\nservers = [%q]\n[helo]\nown_names = [\"mx.example.com\", \"example.com\"]\n",
		addrs[0], "unix:"+w.dir+"/queue/private/policyd-rdns", dns)
	w.config = filepath.Join(w.dir, "config.toml")
	writeFile(t, w.config, config)
	startDaemon(t, "serve", "-c", w.config)
	w.words = strings.NewReplacer("POLICY", "check_policy_service { inet:"+addrs[0]+", timeout=10s, default_action=DUNNO }", "ADDR2", addrs[1], "ADDR", addrs[0], "DIR", w.dir)
	took := regexp.MustCompile(`[0-9.]+ ms`)
	hidden := strings.NewReplacer(addrs[1], "ADDR2", addrs[0], "ADDR", dns, "DNS", w.dir, "DIR")
	w.hide = func(s string) string { return took.ReplaceAllString(hidden.Replace(s), "TIME ms") }
	return w
}

// write makes the files of a set-up.
func (w *doctorWorld) write(t *testing.T, s doctorSetup) {
	t.Helper()
	etc := filepath.Join(w.dir, s.name)
	if err := os.MkdirAll(filepath.Join(etc, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	if s.master == "" {
		s.master = "smtp inet n - n - - smtpd\n"
	}
	main := filepath.Join(etc, "main.cf")
	writeFile(t, main, fmt.Sprintf(doctorMain, w.dir)+w.words.Replace(s.main))
	testbed.Age(t, main)
	writeFile(t, filepath.Join(etc, "master.cf"), w.words.Replace(s.master))
	writeFile(t, filepath.Join(etc, "config.toml"), w.words.Replace(s.config))
	if err := os.Symlink(needProgram(t, "postconf", "postfix"), filepath.Join(etc, "bin", "postconf")); err != nil {
		t.Fatal(err)
	}
}

// doctor runs the program on a set-up that is written, with nothing in its PATH but
// postconf, so that the host's own systemd has no say.
func (w *doctorWorld) doctor(t *testing.T, s doctorSetup, args ...string) (status int, stdout string) {
	t.Helper()
	etc, config := filepath.Join(w.dir, s.name), w.config
	if s.config != "" {
		config = filepath.Join(etc, "config.toml")
	}
	cmd := program(t, append([]string{"doctor", "-c", config}, args...)...)
	cmd.Env = append(cmd.Env, "MAIL_CONFIG="+etc, "PATH="+filepath.Join(etc, "bin"))
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(out)
}

// findings are what doctor says of a set-up.
func (w *doctorWorld) findings(t *testing.T, s doctorSetup) []doctor.Finding {
	t.Helper()
	_, out := w.doctor(t, s, "--json")
	var r struct{ Findings []doctor.Finding }
	if err := json.Unmarshal([]byte(out), &r); err != nil {
		t.Fatal(err)
	}
	return r.Findings
}

// printed is what doctor prints of a set-up, with what differs from run to run
// hidden before lines are broken.
func (w *doctorWorld) printed(t *testing.T, s doctorSetup) string {
	t.Helper()
	findings := w.findings(t, s)
	for i := range findings {
		f := &findings[i]
		f.Title, f.Why = w.hide(f.Title), w.hide(f.Why)
		for j, line := range f.Do {
			f.Do[j] = w.hide(line)
		}
	}
	var text bytes.Buffer
	report := checkup.Report{Path: "config.toml", Folder: w.hide(filepath.Join(w.dir, s.name)), Findings: findings}
	if err := report.Print(&text, false); err != nil {
		t.Fatal(err)
	}
	return text.String()
}

// TestDoctorSetups: what is said of real Postfix configurations, good and broken,
// beside a daemon that runs.
func TestDoctorSetups(t *testing.T) {
	longAlone(t)
	w := newDoctorWorld(t)
	for _, s := range doctorSetups() {
		t.Run(s.name, func(t *testing.T) {
			if s.name == "locked" && os.Geteuid() != 0 {
				missing(t, "needs root, whose sockets Postfix may not use")
			}
			w.write(t, s)
			status, out := w.doctor(t, s)
			if status != s.status {
				t.Errorf("doctor = %d; want %d", status, s.status)
			}
			if i := strings.IndexFunc(out, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }); i >= 0 {
				t.Errorf("doctor prints what is not printable ASCII: %q", out[i:min(len(out), i+20)])
			}
			got, file := w.printed(t, s), filepath.Join("testdata", "doctor", s.name+".txt")
			if *update {
				writeFile(t, file, got)
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("doctor printed\n%s\nwant\n%s", got, want)
			}
		})
	}
}

// TestDoctorFromFile: what postconf has printed elsewhere is as good as the
// Postfix itself, and the JSON says the same as the text.
func TestDoctorFromFile(t *testing.T) {
	longAlone(t)
	w := newDoctorWorld(t)
	for _, s := range doctorSetups() {
		if s.here {
			continue
		}
		w.write(t, s)
		_, live := w.doctor(t, s, "--json")
		etc := filepath.Join(w.dir, s.name)
		var text []byte
		for _, flag := range []string{"-n", "-M"} {
			out, err := exec.Command(needProgram(t, "postconf", "postfix"), "-c", etc, flag).Output()
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, out...)
		}
		writeFile(t, filepath.Join(etc, "postconf.txt"), string(text))
		status, read := w.doctor(t, s, "--json", "--postconf", filepath.Join(etc, "postconf.txt"))
		if w.hide(live) != w.hide(read) || status != s.status {
			t.Errorf("%s: from a file doctor = %d\n%s\nfrom Postfix\n%s", s.name, status, w.hide(read), w.hide(live))
		}
		var report struct {
			Config           string
			Errors, Warnings int
			Findings         []doctor.Finding
		}
		if err := json.Unmarshal([]byte(live), &report); err != nil || len(report.Findings) == 0 || (report.Errors > 0) != (status == 1) {
			t.Errorf("%s: JSON: %v, %d errors, %d findings, status %d", s.name, err, report.Errors, len(report.Findings), status)
		}
	}
}

// TestDoctorMends: the commands that are shown, carried out by the real postconf,
// leave nothing to mend by a command.
func TestDoctorMends(t *testing.T) {
	longAlone(t)
	w := newDoctorWorld(t)
	for _, s := range doctorSetups() {
		t.Run(s.name, func(t *testing.T) {
			w.write(t, s)
			etc := filepath.Join(w.dir, s.name)
			for _, line := range commands(w.findings(t, s)) {
				cmd := exec.Command("sh", "-c", line)
				cmd.Env = append(os.Environ(), "MAIL_CONFIG="+etc)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: %v\n%s", line, err, out)
				}
			}
			testbed.Age(t, filepath.Join(etc, "main.cf"))
			after := w.findings(t, s)
			if left := commands(after); len(left) > 0 {
				t.Errorf("still to do: %q", left)
			}
			for _, f := range after {
				if f.ID == "call.missing" {
					t.Errorf("still not called")
				}
			}
		})
	}
}

// commands are the commands of errors and warnings, each once.
func commands(findings []doctor.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Level != doctor.Error && f.Level != doctor.Warning {
			continue
		}
		for _, line := range f.Do {
			if strings.HasPrefix(line, "postconf ") && !slices.Contains(all, line) {
				all = append(all, line)
			}
		}
	}
	return all
}

// TestDoctorUsage: what is no question to it.
func TestDoctorUsage(t *testing.T) {
	for _, test := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{"doctor", "now"}, exit.Misused, "unknown command"},
		{[]string{"doctor", "--mastercf", "x"}, exit.Misused, "want --postconf FILE too"},
		{[]string{"doctor", "--postconf", "testdata/none.txt"}, exit.NotWell, "no such file"},
		{[]string{"doctor", "-c", "testdata/none.toml", "--postconf", "-"}, exit.NotWell, "reading the configuration"},
	} {
		status, _, stderr := call("", test.args...)
		if status != test.status || !strings.Contains(stderr, test.want) {
			t.Errorf("%q = %d, %q; want %d, %q", test.args, status, stderr, test.status, test.want)
		}
	}
}
