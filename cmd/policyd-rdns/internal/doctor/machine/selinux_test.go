package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"strings"
	"testing"
	"time"
)

const avc = `type=AVC msg=audit(%d.130:334): avc:  denied  { %s } for  pid=9111 comm="smtpd" %s scontext=system_u:system_r:%s:s0 tcontext=system_u:object_r:x_t:s0 tclass=%s permissive=0` + "\n"

// TestSELinux reads a machine with SELinux, one without, and one of which only root may
// know more.
func TestSELinux(t *testing.T) {
	now := time.Unix(1_795_000_000, 0)
	hour, week := now.Add(-time.Hour).Unix(), now.Add(-7*24*time.Hour).Unix()
	log := fmt.Sprintf(avc, week, "name_connect", "dest=10041", "postfix_smtpd_t", "tcp_socket") + // long ago
		fmt.Sprintf(avc, hour, "name_connect", "dest=10040", "postfix_smtpd_t", "tcp_socket") +
		fmt.Sprintf(avc, hour+60, "name_connect", "dest=10040", "postfix_smtpd_t", "tcp_socket") +
		fmt.Sprintf(avc, hour, "name_connect", "dest=10042", "httpd_t", "tcp_socket") + // another program
		fmt.Sprintf(avc, hour, "connectto", `path="/var/spool/postfix/private/policyd-rdns"`, "postfix_smtpd_t", "unix_stream_socket") +
		fmt.Sprintf(avc, hour, "write", `name="policyd-rdns" dev="dm-0"`, "postfix_smtpd_t", "sock_file") +
		fmt.Sprintf(avc, hour, "read", `name="passwd"`, "postfix_smtpd_t", "file") +
		"type=SYSCALL msg=audit(1795000000.1:334): arch=c000003e syscall=42 success=no\n" +
		"type=AVC msg=audit(17950"
	system := func(mode, ports, audit string) *System {
		return &System{
			Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
				said := map[string]string{"getenforce": mode, "semanage port -l": ports}[strings.Join(append([]string{name}, args...), " ")]
				if said == "" {
					return nil, errors.New("no program " + name)
				}
				return []byte(said), nil
			},
			ReadEnd: func(path string) ([]byte, error) {
				if audit == "" || path != auditLog {
					return nil, fs.ErrPermission
				}
				return []byte(audit), nil
			},
		}
	}
	const ports = "SELinux Port Type              Proto    Port Number\n\npostfix_policyd_port_t         tcp      10040, 10031-10033\npostfix_policyd_port_t         udp      9\nsmtp_port_t   tcp  25\n"
	for _, tt := range []struct {
		s    *System
		want SELinux
	}{
		{system("", "", ""), SELinux{}},
		{system("Disabled\n", "", ""), SELinux{Mode: "Disabled"}},
		{system("Enforcing\n", "", ""), SELinux{Mode: "Enforcing", Unread: "no program semanage", LogUnread: "permission denied"}},
		{system("Permissive\n", ports, log), SELinux{Mode: "Permissive", Labelled: []string{"10040", "10031-10033"}, Denied: []Denial{
			{Port: "10040", Last: time.Unix(hour+60, 0), Times: 2},
			{Path: "/var/spool/postfix/private/policyd-rdns", Last: time.Unix(hour, 0), Times: 1},
			{Name: "policyd-rdns", Last: time.Unix(hour, 0), Times: 1},
		}}},
	} {
		if got := tt.s.selinux(t.Context(), now); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("SELinux = %+v; want %+v", got, tt.want)
		}
	}
}

// FuzzDenials reads any audit log: within bounds, and nothing that is not in it.
func FuzzDenials(f *testing.F) {
	f.Add(fmt.Sprintf(avc, 1_795_000_000, "name_connect", "dest=10040", "postfix_smtpd_t", "tcp_socket"))
	f.Add(fmt.Sprintf(avc, 1_795_000_000, "connectto", `path="/x`, "postfix_smtpd_t", "unix_stream_socket"))
	f.Add("type=AVC msg=audit(999999999999.1:1): avc:  denied  { write } name=\"\" scontext=a:postfix_smtpd_t tclass=sock_file")
	f.Add("type=AVC msg=audit(1.")
	f.Fuzz(func(t *testing.T, text string) {
		all := denials(text, time.Unix(0, 0))
		if len(all) > maxDenials {
			t.Errorf("%d denials", len(all))
		}
		for _, d := range all {
			if d.Times < 1 || d.Port == "" && d.Path == "" && d.Name == "" || !strings.Contains(text, d.Port) || !strings.Contains(text, d.Path) || !strings.Contains(text, d.Name) {
				t.Errorf("%q: %+v", text, d)
			}
		}
	})
}
