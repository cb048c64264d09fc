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

	"policyd-rdns/resolver"
)

// system is a machine of a test: programs and what they print, and files.
type system struct {
	programs map[string]string
	files    fstest.MapFS // without the leading slash
	daemon   func(net.Conn)
}

func (s *system) system() *System {
	return &System{
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
		Account:  func(name string) Account { return Account{Name: name, UID: 101, GIDs: []int{101}} },
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
			"systemctl show policyd-rdns.socket -p ActiveState,Listen": "Listen=127.0.0.1:10040 (Stream)\nListen=/var/spool/postfix/private/policyd-rdns (Stream)\nActiveState=active\n",
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
	m := system.Read(t.Context(), Wanted{Unit: unit, View: v, Servers: []netip.AddrPort{netip.MustParseAddrPort("127.0.0.1:53")}})
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

func (m mail) LookupMX(_ context.Context, domain string) resolver.Answer { return m["MX "+domain] }

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
	m := system.Read(t.Context(), Wanted{View: view()})
	if want := map[string]string{"cidr:/etc/postfix/c": "0.0.0.0/0 OK\n"}; !reflect.DeepEqual(m.Postfix.Tables, want) {
		t.Errorf("Tables = %q; want %q", m.Postfix.Tables, want)
	}
	if want := map[string]string{"inet:127.0.0.1:10023": "connection refused"}; !reflect.DeepEqual(m.Silent, want) {
		t.Errorf("Silent = %q; want %q", m.Silent, want)
	}
	want := []Exchanger{
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
	m := system.Read(t.Context(), Wanted{Unit: unit, View: view()})
	want := []string{"error postfix.read", "error daemon.answer", "info unit.read"}
	if got := said(Examine(&m, view())); !slices.Equal(got, want) {
		t.Errorf("findings = %q; want %q", got, want)
	}
}

// TestAsk: what else may be behind an address.
func TestAsk(t *testing.T) {
	for _, test := range []struct {
		reply        string
		unread, want string
	}{
		{"action=DUNNO\n\n", "", "DUNNO"},
		{"action=550 5.7.1 no\n\n", "", "550 5.7.1 no"},
		{"", "it closes the connection", ""},
		{"action=DUNNO\n", "the answer is cut off", ""},
		{"220 mx.example.com\x1b ESMTP\r\n", "something else listens there; it says 220 mx.example.com? ESMTP", ""},
		{strings.Repeat("x", 2*maxReply), "something else listens there", ""},
	} {
		got := (&system{daemon: answering(test.reply)}).system().ask(t.Context(), "127.0.0.1:10040")
		if got.Action != test.want || !strings.HasPrefix(got.Unread, test.unread) || (got.Unread == "") != (test.unread == "") {
			t.Errorf("ask, answered %.40q = %q, %q; want %q, %q", test.reply, got.Action, got.Unread, test.want, test.unread)
		}
	}
}

func TestForwards(t *testing.T) {
	addrs := func(texts ...string) []netip.Addr {
		var all []netip.Addr
		for _, text := range texts {
			all = append(all, netip.MustParseAddr(text))
		}
		return all
	}
	for _, test := range []struct {
		read func(string) []netip.Addr
		text string
		want []netip.Addr
	}{
		{unboundForwards, "forward-zone:\n  name: \".\"\n  forward-addr: 198.51.100.1@853#dns.example.com\n  forward-addr: 2001:db8::1 # second\n", addrs("198.51.100.1", "2001:db8::1")},
		{unboundForwards, "forward-zone:\n  name: example.org\n  forward-addr: 198.51.100.1\nforward-zone:\n  forward-addr: 198.51.100.2\n  name: .\n", addrs("198.51.100.2")},
		{unboundForwards, "stub-zone:\n  name: .\n  stub-addr: 198.51.100.1\n# forward-addr: 198.51.100.1\n", nil},
		{bindForwards, "options {\n  // forwarders { 198.51.100.9; };\n  forwarders {\n    198.51.100.1;\n    198.51.100.2 port 53; # two\n  };\n};", addrs("198.51.100.1", "198.51.100.2")},
		{bindForwards, "forwarders { 198.51.100.1;", nil},
		{dnsmasqForwards, "# server=198.51.100.9\nserver=/example.org/198.51.100.2\nserver=198.51.100.1#5353\n", addrs("198.51.100.1")},
		{resolvedForwards, "nameserver 198.51.100.1\noptions edns0\nnameserver\n", addrs("198.51.100.1")},
	} {
		if got := test.read(test.text); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%q forwards to %v; want %v", test.text, got, test.want)
		}
	}
}

func TestRotations(t *testing.T) {
	const log = "/var/log/policyd-rdns/decisions.log"
	for _, test := range []struct {
		text string
		want []bool // whether each rotation reopens
	}{
		{log + " {\n weekly\n}\n", []bool{false}},
		{log + "{\n copytruncate\n}\n", []bool{true}},
		{"weekly\n\"/var/log/policyd-rdns/*.log\"\n/var/log/other\n{\n postrotate\n kill -HUP $(pidof policyd-rdns)\n endscript\n}\n", []bool{true}},
		{"/var/log/other {\n postrotate\n " + log + "\n endscript\n}\n", nil},
		{"# " + log + " {\n}\n/var/log/*.log {\n}\n", nil}, // "*" stops at a slash
		{log + " { rotate 3 }\n" + log + " {\n}\n", []bool{false}},
		{log + " {", nil},
	} {
		var got []bool
		for _, r := range rotations("f", test.text, log) {
			got = append(got, r.Reopens)
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("rotations(%q) = %v; want %v", test.text, got, test.want)
		}
	}
}

func TestParseUnit(t *testing.T) {
	for _, test := range []struct {
		text string
		want Unit
	}{
		{"LoadState=not-found\nActiveState=inactive\nUnitFileState=\nMainPID=0\nNRestarts=0\n", Unit{Active: "inactive"}},
		{
			"ExecStart={ path=/x ; argv[]=/x serve --config=/a b.toml ; }\nNRestarts=4\nLoadState=loaded\n",
			Unit{Loaded: true, Config: "/a", Restarts: 4},
		},
		{"ExecStart={ path=/x ; argv[]=/x serve ; }\n", Unit{}},
		{"\x00\nMainPID=x\nExecStart=-c\n", Unit{}},
	} {
		if got := parseUnit(test.text); !reflect.DeepEqual(got, test.want) {
			t.Errorf("parseUnit(%q) = %+v; want %+v", test.text, got, test.want)
		}
	}
	got := parseSocketUnit("Listen=127.0.0.1:1 (Stream)\nActiveState=inactive\n")
	if want := (SocketUnit{Active: "inactive"}); !reflect.DeepEqual(got, want) {
		t.Errorf("parseSocketUnit of one that is not active = %+v; want %+v", got, want)
	}
}
