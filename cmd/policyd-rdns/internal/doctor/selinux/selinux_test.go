package selinux

import (
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

func TestCheck(t *testing.T) {
	port, socket := maincf.ParseEndpoint("inet:127.0.0.1:10040"), maincf.ParseEndpoint("unix:private/policyd-rdns")
	at := time.Date(2026, 11, 28, 3, 4, 5, 0, time.UTC)
	deniedPort := []machine.Denial{{Port: "10040", Last: at, Times: 12}, {Port: "25", Last: at, Times: 1}}
	deniedSocket := []machine.Denial{{Path: "/var/spool/postfix/private/policyd-rdns", Last: at, Times: 1}, {Name: "policyd-rdns", Last: at, Times: 2}}
	for _, tt := range []struct {
		x     machine.SELinux
		call  maincf.Endpoint
		want  string // level, id, and a part of the title
		lines string
	}{
		{machine.SELinux{}, port, "", ""},
		{machine.SELinux{Mode: "Disabled", Unread: "no program"}, socket, "", ""},
		{machine.SELinux{Mode: "Enforcing", Labelled: []string{"10040"}, Denied: deniedPort}, port, "ok selinux.port SELinux lets Postfix connect to inet:127.0.0.1:10040", ""}, // mended since
		{machine.SELinux{Mode: "Enforcing", Labelled: []string{"10031", "10035-10045"}}, port, "ok selinux.port ", ""},
		{machine.SELinux{Mode: "Enforcing", Labelled: []string{"10031"}}, port, "warning selinux.port SELinux may keep Postfix from inet:127.0.0.1:10040: the port is not labelled", "semanage port -a -t postfix_policyd_port_t -p tcp 10040"},
		{machine.SELinux{Mode: "Permissive", Labelled: []string{"10031"}}, port, "info selinux.port SELinux may keep", "semanage port -a"},
		{machine.SELinux{Mode: "Enforcing", LogUnread: "denied"}, port, "warning selinux.port SELinux may keep", "semanage port -a"},
		{machine.SELinux{Mode: "Enforcing", Labelled: []string{"10031"}, Denied: deniedPort}, port, "error selinux.denied SELinux kept Postfix from inet", "semanage port -a"},
		{machine.SELinux{Mode: "Enforcing", Unread: "no program semanage", Denied: deniedPort}, port, "error selinux.denied SELinux kept Postfix from inet:127.0.0.1:10040, 12 times in a day, the last time at 2026-11-28 03:04:05 UTC", "semanage port -a"},
		{machine.SELinux{Mode: "Enforcing", Unread: "no program semanage", LogUnread: "denied"}, port, "info selinux.read Whether SELinux lets", "semanage port -a"},
		{machine.SELinux{Mode: "Enforcing", Denied: deniedPort}, socket, "warning selinux.socket SELinux keeps Postfix from unix sockets", "postfix reload"},
		{machine.SELinux{Mode: "Enforcing", Denied: deniedSocket}, socket, "error selinux.denied SELinux kept Postfix from unix:private/policyd-rdns, 3 times in a day", "semanage port -a -t postfix_policyd_port_t -p tcp 10040"},
		{machine.SELinux{Mode: "Permissive", Denied: deniedSocket}, socket, "info selinux.denied ", "postfix reload"},
	} {
		got := Check(&tt.x, []maincf.Endpoint{tt.call, tt.call})
		if tt.want == "" && len(got) == 0 {
			continue
		}
		if len(got) != 1 {
			t.Errorf("%+v: %d findings; want one, %s", tt.x, len(got), tt.want)
			continue
		}
		f := got[0]
		if said := string(f.Level) + " " + f.ID + " " + f.Title; tt.want == "" || !strings.HasPrefix(said, tt.want) || !strings.Contains(strings.Join(f.Do, "\n"), tt.lines) {
			t.Errorf("%+v: %s, do %q; want %s, %s", tt.x, said, f.Do, tt.want, tt.lines)
		}
	}
}
