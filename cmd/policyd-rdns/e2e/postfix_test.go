package e2e

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// postfixInstance is a private real Postfix with a configuration, a queue and
// data of its own. It delivers nothing: it has no queue manager, so that a
// message which the sender knows to be accepted is a file in the queue.
type postfixInstance struct {
	dir     string
	process *process
	addrs   map[string]string // of its SMTP services, by their names
}

// smtpdService is an SMTP service of Postfix on a port of its own. One process
// serves it, client after client, with one policy connection for all of them.
type smtpdService struct {
	name    string
	chroot  bool
	through bool     // clients come in through postscreen
	options []string // "parameter = value", over main.cf
}

// mainCF has Postfix believe what XCLIENT says and look nothing up itself.
const postfixMain = `
compatibility_level = 3.6
maillog_file = /dev/stdout
queue_directory = %[1]s/queue
data_directory = %[1]s/data
myhostname = mx.example.com
mydestination = example.com
mynetworks = 127.0.0.0/8
local_recipient_maps =
alias_maps =
smtpd_peername_lookup = no
smtpd_authorized_xclient_hosts = 127.0.0.0/8
smtpd_authorized_xforward_hosts = 127.0.0.0/8
smtpd_relay_restrictions =
smtpd_recipient_restrictions = reject_unauth_destination
smtpd_error_sleep_time = 0
smtpd_hard_error_limit = 1000
smtpd_junk_command_limit = 1000
smtpd_client_connection_count_limit = 0
postscreen_access_list = static:permit
postscreen_cache_map =
in_flow_delay = 0
`

const postfixMaster = `
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
rewrite unix - - n - - trivial-rewrite
tlsmgr unix - - n 1000? 1 tlsmgr
`

// newPostfix makes the folders of a Postfix that is not started yet, because a
// policy service may have to make its socket in one of them first.
func newPostfix(t *testing.T) *postfixInstance {
	t.Helper()
	control := testbed.NeedProgram(t, "postfix", "postfix")
	if os.Geteuid() != 0 {
		testbed.Missing(t, "needs root, as Postfix starts for nobody else")
	}
	p := &postfixInstance{dir: testbed.WorkFolder(t), addrs: map[string]string{}}
	for _, name := range []string{"etc", "queue", "data"} {
		if err := os.Mkdir(p.path(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	owner, err := user.Lookup("postfix")
	if err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(owner.Uid)
	if err := os.Chown(p.path("data"), uid, -1); err != nil {
		t.Fatal(err)
	}
	testbed.WriteFile(t, p.path("etc", "master.cf"), postfixMaster)
	main := p.path("etc", "main.cf")
	testbed.WriteFile(t, main, fmt.Sprintf(postfixMain, p.dir))
	// Each program of Postfix would wait until the file is two seconds old.
	if err := os.Chtimes(main, time.Time{}, time.Now().Add(-time.Minute)); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(control, "-c", p.path("etc"), "check").CombinedOutput(); err != nil {
		t.Fatalf("postfix check: %v\n%s", err, out)
	}
	return p
}

func (p *postfixInstance) path(names ...string) string {
	return filepath.Join(append([]string{p.dir}, names...)...)
}

// start starts Postfix with these services and returns when it accepts
// connections.
func (p *postfixInstance) start(t *testing.T, services ...smtpdService) {
	t.Helper()
	master := postfixMaster
	addrs := testbed.FreeAddrs(t, len(services))
	for i, s := range services {
		p.addrs[s.name] = addrs[i]
		master += s.entry(addrs[i])
	}
	testbed.WriteFile(t, p.path("etc", "master.cf"), master)
	daemons, err := exec.Command(testbed.NeedProgram(t, "postconf", "postfix"), "-c", p.path("etc"), "-h", "daemon_directory").Output()
	if err != nil {
		t.Fatal(err)
	}
	// What "postfix start-fg" ends with, without the shell in between. As master
	// changes its user it is not told that the test was killed; timeout(1) is, and
	// tells it.
	program := filepath.Join(strings.TrimSpace(string(daemons)), "master")
	p.process = startProcess(t, "postfix", exec.Command("timeout", "-k", "10", "600", program, "-c", p.path("etc"), "-s"))
	p.process.await(t, "daemon started")
}

// entry is the service in master.cf.
func (s *smtpdService) entry(addr string) string {
	chroot := "n"
	if s.chroot {
		chroot = "y"
	}
	text := fmt.Sprintf("%s inet n - %s - 1 smtpd\n", addr, chroot)
	if s.through {
		text = fmt.Sprintf("%s inet n - n - 1 postscreen\nsmtpd pass - - %s - 1 smtpd\n", addr, chroot)
	}
	for _, option := range s.options {
		text += fmt.Sprintf("  -o { %s }\n", option)
	}
	return text
}

// accepted counts the messages in the queue.
func (p *postfixInstance) accepted(t *testing.T) int {
	t.Helper()
	n := 0
	err := filepath.WalkDir(p.path("queue", "incoming"), func(_ string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() {
			return err
		}
		// A message that is not whole yet cannot be executed (mail_queue.h).
		info, err := e.Info()
		if err == nil && info.Mode()&0o100 != 0 {
			n++
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}
