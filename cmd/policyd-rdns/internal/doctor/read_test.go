package doctor

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/netip"
	"path"
	"reflect"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/resolver"
)

// system is a machine of a test: programs and what they print, and files.
type system struct {
	programs map[string]string
	files    fstest.MapFS // without the leading slash
	daemon   func(net.Conn)
}

func (s *system) system() *machine.System {
	return &machine.System{
		Run: func(_ context.Context, name string, args ...string) ([]byte, error) {
			out, ok := s.programs[strings.Join(append([]string{name}, args...), " ")]
			if !ok {
				return nil, fmt.Errorf("no program %s on this host", name)
			}
			return []byte(out), nil
		},
		ReadFile: func(name string) ([]byte, error) { return fs.ReadFile(s.files, name[1:]) },
		Stat: func(name string) (fs.FileInfo, error) {
			return fs.Stat(s.files, strings.TrimPrefix(path.Clean("."+name), "/"))
		},
		Glob: func(pattern string) ([]string, error) {
			names, err := fs.Glob(s.files, pattern[1:])
			for i := range names {
				names[i] = "/" + names[i]
			}
			return names, err
		},
		Networks: func() []netip.Prefix { return []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")} },
		Account:  func(name string) machine.Account { return machine.Account{Name: name, UID: 101, GIDs: []int{101}} },
		Examine: func(context.Context, netip.AddrPort, time.Duration) resolver.Examination {
			return resolver.Examination{Recursive: true, Validates: true}
		},
		Dial: func(context.Context, string, string) (net.Conn, error) {
			if s.daemon == nil {
				return nil, errors.New("nobody is there")
			}
			ours, theirs := net.Pipe()
			go func() {
				defer theirs.Close()
				s.daemon(theirs)
			}()
			return ours, nil
		},
	}
}

// answering reads a request and answers it.
func answering(reply string) func(net.Conn) {
	return func(conn net.Conn) {
		lines := bufio.NewScanner(conn)
		for lines.Scan() && lines.Text() != "" {
		}
		_, _ = io.WriteString(conn, reply)
	}
}

// TestRead: a machine with all that there may be is read, and well.
func TestRead(t *testing.T) {
	text, services := strings.TrimSuffix(good, goodServices), goodServices
	s := &system{
		programs: map[string]string{
			"postconf": text, "postconf -M": services,
			"systemctl show policyd-rdns.service -p LoadState,ActiveState,UnitFileState,MainPID,NRestarts,ExecStart": "ExecStart={ path=/usr/bin/policyd-rdns ; argv[]=/usr/bin/policyd-rdns serve -c /etc/policyd-rdns/config.toml ; ignore_errors=no }\n" +
				"LoadState=loaded\nActiveState=active\nUnitFileState=enabled\nMainPID=77\nNRestarts=0\n",
			"systemctl show policyd-rdns.socket -p ActiveState,Listen,BindIPv6Only": "Listen=127.0.0.1:10040 (Stream)\nListen=/var/spool/postfix/private/policyd-rdns (Stream)\nActiveState=active\n",
		},
		files: fstest.MapFS{
			"proc/77/status":              {Data: []byte("Name:\tpolicyd-rdns\nUid:\t65000\t65000\t65000\t65000\n")},
			"proc/77/limits":              {Data: []byte("Limit  Soft Limit  Hard Limit  Units\nMax open files            8192                 8192                 files\n")},
			"var/log/decisions.log":       {Mode: 0o640},
			"etc/logrotate.d/decisions":   {Data: []byte("/var/log/*.log {\n  weekly\n  postrotate\n    systemctl reload policyd-rdns\n  endscript\n}\n")},
			"etc/unbound/unbound.conf":    {Data: []byte("server:\n  interface: 127.0.0.1\n")},
			"var/spool/postfix/private/x": {Mode: 0o600},
		},
		daemon: answering("action=DUNNO\n\n"),
	}
	v := view()
	v.Path, v.LogFile = "/etc/policyd-rdns/config.toml", "/var/log/decisions.log"
	system := s.system()
	unit := system.Unit(t.Context())
	if unit.Config != v.Path {
		t.Errorf("Unit: %+v; want configuration %s", unit, v.Path)
	}
	m := Read(t.Context(), system, Wanted{Unit: unit, View: v, Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}})
	if m.Process.UID != 65000 || m.Process.Descriptors != 8192 {
		t.Errorf("Process = %+v; want user 65000, 8192 descriptors", m.Process)
	}
	if len(m.Answers) != 2 || m.Answers[1].Action != "DUNNO" {
		t.Errorf("Answers = %+v; want DUNNO on both addresses", m.Answers)
	}
	if got := said(Examine(&m, v)); len(got) > 0 {
		t.Errorf("findings = %q; want none that is not OK", got)
	}
}

// mail answers what the DNS says of mail.
type mail map[string]resolver.Answer

func (m mail) LookupMX(_ context.Context, domain string, _ resolver.Options) resolver.Answer {
	return m["MX "+domain]
}

func (m mail) LookupAddrs(_ context.Context, network, name string, _ resolver.Options) resolver.Answer {
	return m[network+" "+name]
}

// TestReadPostfix: postconf expands names itself, tables that are text are read,
// policy services that are called are tried, and our domains' MX hosts asked for.
func TestReadPostfix(t *testing.T) {
	text := strings.TrimSuffix(good, goodServices)
	s := &system{
		programs: map[string]string{
			"postconf":    text,
			"postconf -x": text + "smtpd_client_restrictions = check_client_access cidr:/etc/postfix/c, regexp:/etc/postfix/gone, check_sender_access mysql:/etc/postfix/s, check_policy_service inet:127.0.0.1:10023\n" + "mydestination = $myhostname example.com localhost\nrelay_domains = hash:/etc/postfix/relay, example.net .example.org\n",
			"postconf -M": goodServices,
		},
		files: fstest.MapFS{"etc/postfix/c": {Data: []byte("0.0.0.0/0 OK\n")}, "etc/postfix/s": {Data: []byte("password = x\n")}},
	}
	system := s.system()
	system.Dial = func(context.Context, string, string) (net.Conn, error) {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	addr := netip.MustParseAddr("203.0.113.2")
	system.Mail = mail{
		"MX example.com":      {Outcome: resolver.Found, Names: []string{"mx.example.com", "mx2.example.com", "."}},
		"MX example.net":      {Outcome: resolver.TempError, Err: errors.New("SERVFAIL")},
		"ip4 mx2.example.com": {Outcome: resolver.Found, Addrs: []netip.Addr{addr}},
	}
	m := Read(t.Context(), system, Wanted{View: view()})
	if want := map[string]string{"cidr:/etc/postfix/c": "0.0.0.0/0 OK\n"}; !reflect.DeepEqual(m.Postfix.Tables, want) {
		t.Errorf("Tables = %q; want %q", m.Postfix.Tables, want)
	}
	if want := map[string]string{"inet:127.0.0.1:10023": "connection refused"}; !reflect.DeepEqual(m.Silent, want) {
		t.Errorf("Silent = %q; want %q", m.Silent, want)
	}
	want := []machine.Exchanger{
		{Domain: "example.com", Host: "mx.example.com"},
		{Domain: "example.com", Host: "mx2.example.com", Addrs: []netip.Addr{addr}},
		{Domain: "example.net", Unread: "SERVFAIL"},
	}
	if !reflect.DeepEqual(m.Exchangers, want) {
		t.Errorf("Exchangers = %+v; want %+v", m.Exchangers, want)
	}
}

// TestReadNothing: where there is nothing, that is what is said.
func TestReadNothing(t *testing.T) {
	system := (&system{}).system()
	unit := system.Unit(t.Context())
	m := Read(t.Context(), system, Wanted{Unit: unit, View: view()})
	want := []string{"error postfix.read", "error daemon.answer", "info unit.read"}
	if got := said(Examine(&m, view())); !slices.Equal(got, want) {
		t.Errorf("findings = %q; want %q", got, want)
	}
}
