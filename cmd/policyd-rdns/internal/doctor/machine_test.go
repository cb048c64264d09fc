package doctor

import (
	"errors"
	"io/fs"
	"net/netip"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// TestMachine: what of the machine is wrong beside a Postfix that is set up well.
func TestMachine(t *testing.T) {
	for _, test := range []struct {
		name string
		make func(*machine.Machine, *View)
		want []string
		id   string
		do   string
	}{
		{"silent server", func(m *machine.Machine, _ *View) { m.Servers[0].Err = errors.New("127.0.0.1:53: connection refused") }, []string{"error dns.silent"}, "dns.silent", `servers = ["127.0.0.1"]`},
		{"one of two is silent", func(m *machine.Machine, _ *View) {
			m.Servers = append(m.Servers, machine.Server{Addr: netip.MustParseAddrPort("192.0.2.53:53")})
			m.Servers[1].Err = errors.New("no reply")
		}, []string{"warning dns.silent"}, "", ""},
		{"not recursive", func(m *machine.Machine, _ *View) { m.Servers[0].Recursive = false }, []string{"error dns.recursion"}, "", ""},
		{"does not validate", func(m *machine.Machine, _ *View) {
			m.Servers[0].Validates, m.Servers[0].Software = false, "unbound 1.19.0"
		}, []string{"warning dns.validation"}, "dns.validation", `module-config: "validator iterator"`},
		{"public", func(m *machine.Machine, _ *View) {
			m.Servers[0].Addr = netip.MustParseAddrPort("[2001:4860:4860::8888]:53")
		}, []string{"warning dns.public"}, "dns.public", "apt install unbound"},
		{"far", func(m *machine.Machine, _ *View) { m.Servers[0].Addr = netip.MustParseAddrPort("203.0.113.53:53") }, []string{"info dns.far"}, "", ""},
		{"near", func(m *machine.Machine, _ *View) {
			m.Servers[0].Addr = netip.MustParseAddrPort("203.0.113.53:53")
			m.Networks = []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}
		}, []string{"info dns.remote"}, "", ""},
		{"no TCP", func(m *machine.Machine, _ *View) { m.Servers[0].TCPErr = errors.New("connection refused") }, []string{"warning dns.tcp"}, "", ""},
		{"slow", func(m *machine.Machine, _ *View) { m.Servers[0].Took = time.Second }, []string{"warning dns.slow"}, "", ""},
		{"long memory", func(m *machine.Machine, _ *View) {
			m.Servers[0].Negative, m.Servers[0].Software = time.Hour, "unbound"
		}, []string{"warning dns.negative"}, "dns.negative", "cache-max-negative-ttl: 60"},
		{"BIND", func(m *machine.Machine, _ *View) {
			m.Servers[0].Negative, m.Servers[0].Software = 5*time.Minute, "9.18.24-1-Debian"
		}, []string{"info dns.negative"}, "dns.negative", "max-ncache-ttl 60"},
		{"forwards to a public one", func(m *machine.Machine, _ *View) {
			m.Forwards = []machine.Forward{{File: "/etc/unbound/unbound.conf", Addrs: []netip.Addr{netip.MustParseAddr("1.1.1.1")}}}
		}, []string{"warning dns.forwards-public"}, "", ""},
		{"forwards to a provider's", func(m *machine.Machine, _ *View) {
			m.Forwards = []machine.Forward{{File: "/run/systemd/resolve/resolv.conf", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.53")}}}
		}, []string{"info dns.forwards"}, "", ""},
		{"dnsmasq", func(m *machine.Machine, _ *View) { m.Servers[0].Software = "dnsmasq-2.90" }, []string{"info dns.forwards"}, "", ""},

		{"a backup MX", func(m *machine.Machine, _ *View) {
			m.Exchangers = []machine.Exchanger{
				{Domain: "example.com", Host: "mx.example.com", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.1")}},
				{Domain: "example.com", Host: "mx2.example.net", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.2"), netip.MustParseAddr("2001:db8::2")}},
			}
		}, []string{"error own.exchangers"}, "own.exchangers", `networks = ["203.0.113.2", "2001:db8::2"]`},
		{"a backup MX that is known", func(m *machine.Machine, _ *View) {
			m.Exchangers = []machine.Exchanger{{Domain: "example.com", Host: "mx2.example.net", Addrs: []netip.Addr{netip.MustParseAddr("198.51.100.25")}}}
		}, nil, "", ""},
		{"behind NAT, with the address outside", func(m *machine.Machine, _ *View) {
			m.Postfix = maincf.ParsePostfix(good + "proxy_interfaces = 203.0.113.1\n")
			m.Exchangers = []machine.Exchanger{{Domain: "example.com", Host: "in.example.net", Addrs: []netip.Addr{netip.MustParseAddr("203.0.113.1")}}}
		}, []string{"warning own.names"}, "", ""},
		{"MX hosts not known", func(m *machine.Machine, _ *View) {
			m.Exchangers = []machine.Exchanger{{Domain: "example.com", Unread: "SERVFAIL"}}
		}, []string{"info own.exchangers-unseen"}, "", ""},
		{"a service that has moved", func(m *machine.Machine, _ *View) {
			m.Postfix = maincf.ParsePostfix(withList(before + "check_policy_service inet:127.0.0.1:10039, reject_rbl_client bl.example.org"))
			m.Silent = map[string]string{"inet:127.0.0.1:10039": "connection refused"}
		}, []string{"error call.silent"}, "call.silent", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, reject_rbl_client bl.example.org'"},
		{"another service that is down", func(m *machine.Machine, _ *View) {
			m.Postfix = maincf.ParsePostfix(withList(before + "POLICY, check_policy_service inet:127.0.0.1:10023"))
			m.Silent = map[string]string{"inet:127.0.0.1:10023": "connection refused"}
		}, []string{"error call.silent", "info call.other"}, "call.silent", "# start that service, or take its call out of smtpd_recipient_restrictions"},
		{"listens inside of the chroot", func(m *machine.Machine, v *View) {
			m.Postfix = maincf.ParsePostfix(withList(before[:len(before)-2]))
			v.Listen = []string{"unix:/run/policyd-rdns.sock", "unix:/var/spool/postfix/policyd/socket", "127.0.0.1:10040"}
		}, []string{"error call.missing"}, "call.missing", "check_policy_service { unix:policyd/socket, timeout=10s, default_action=DUNNO }"},
		{"listens on IPv6 alone first", func(m *machine.Machine, v *View) {
			m.Postfix = maincf.ParsePostfix(withList("inet_protocols = ipv4\n" + before[:len(before)-2]))
			v.Listen = []string{"[::1]:10040", "127.0.0.1:10041"}
		}, []string{"error call.missing"}, "call.missing", "check_policy_service { inet:127.0.0.1:10041, timeout=10s, default_action=DUNNO }"},

		{"no unit", func(m *machine.Machine, _ *View) { m.Unit = machine.Unit{} }, []string{"warning unit.missing"}, "", ""},
		{"failed", func(m *machine.Machine, _ *View) { m.Unit.Active = "failed" }, []string{"error unit.active"}, "", ""},
		{"not enabled, again and again, as root", func(m *machine.Machine, _ *View) {
			m.Unit.Enabled, m.Unit.Restarts, m.Process.UID = "disabled", 3, 0
		}, []string{"warning unit.enabled", "warning unit.restarts", "warning unit.root"}, "unit.enabled", "systemctl enable policyd-rdns"},
		{"another file", func(m *machine.Machine, _ *View) { m.Unit.Config = "/etc/policyd-rdns/config.toml" }, []string{"warning unit.config"}, "unit.config", "doctor -c '/etc/policyd-rdns/config.toml'"},
		{"few descriptors", func(m *machine.Machine, _ *View) { m.Process.Descriptors = 1024 }, []string{"warning limits.descriptors"}, "limits.descriptors", "LimitNOFILE=5200"},

		{"no log", func(_ *machine.Machine, v *View) { v.LogFile = "/var/log/d" }, []string{"warning log.missing"}, "", ""},
		{"public log, never rotated", func(m *machine.Machine, v *View) {
			v.LogFile, m.Log = "/var/log/d", machine.LogFile{Exists: true, File: machine.File{Mode: 0o644}}
		}, []string{"info log.public", "warning log.rotation"}, "log.rotation", "/var/log/d {\n    weekly"},
		{"not reopened", func(m *machine.Machine, v *View) {
			v.LogFile, m.Log = "/var/log/d", machine.LogFile{Exists: true, File: machine.File{Mode: 0o640}, Rotations: []machine.Rotation{{File: "a", Reopens: true}, {File: "b"}}}
		}, []string{"error log.reopen"}, "log.reopen", "systemctl reload policyd-rdns"},

		{"down", func(m *machine.Machine, _ *View) {
			m.Answers[0] = machine.Answer{Address: "127.0.0.1:10040", Unread: "connection refused"}
		}, []string{"error daemon.answer"}, "daemon.answer", "systemctl restart policyd-rdns"},
		{"refuses us", func(m *machine.Machine, _ *View) { m.Answers[0].Action = "550 5.7.1 no" }, []string{"warning daemon.answer"}, "daemon.answer", `when   = { client = ["loopback", "own"] }`},
		{"answers late", func(m *machine.Machine, _ *View) { m.Answers[0].Took = 2 * time.Second }, []string{"warning daemon.answer"}, "", ""},
		{"rules of its own", func(m *machine.Machine, v *View) {
			m.Postfix, v.Builtin = maincf.ParsePostfix(withList("smtpd_client_restrictions = POLICY")), false
		}, []string{"warning call.no-permit", "info call.unlisted"}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, v := wellMachine(good), view()
			test.make(m, v)
			check(t, m, v, test.want, test.id, test.do)
		})
	}
}

// TestPaths: whether smtpd gets to a unix socket.
func TestPaths(t *testing.T) {
	const queue = "/var/spool/postfix"
	socket := fs.ModeSocket
	folders := func(last fs.FileMode) []machine.File {
		return []machine.File{{Path: "/", Mode: 0o755}, {Path: "/var", Mode: 0o755}, {Path: queue, Mode: 0o700}, {Path: queue + "/private", Mode: last, UID: 101, GID: 0}}
	}
	run := []machine.File{{Path: "/", Mode: 0o755}, {Path: "/run", Mode: 0o755}, {Path: "/run/policyd-rdns", Mode: 0o750, UID: 65000, GID: 65000, Owner: "policyd-rdns", Group: "policyd-rdns"}}
	for _, test := range []struct {
		name   string
		call   string
		listen string
		chroot string
		path   machine.Path
		want   []string
		id     string
		do     string
	}{
		{
			"relative, in a chroot", "unix:private/p", "unix:" + queue + "/private/p", "y",
			machine.Path{Exists: true, Folders: folders(0o700), File: machine.File{Path: queue + "/private/p", Mode: socket | 0o600, UID: 101}},
			nil, "", "",
		},
		{
			"of root", "unix:private/p", "unix:" + queue + "/private/p", "n",
			machine.Path{Exists: true, Folders: folders(0o700), File: machine.File{Path: queue + "/private/p", Mode: socket | 0o660}},
			[]string{"error socket.access"},
			"socket.access", `socket_group = "postfix"`,
		},
		{
			"of its group", "unix:private/p", "unix:" + queue + "/private/p", "n",
			machine.Path{Exists: true, Folders: folders(0o700), File: machine.File{Path: queue + "/private/p", Mode: socket | 0o620, GID: 101}},
			nil, "", "",
		},
		{
			// The owner's own bits hold, even if the group's let more.
			"owner shut out", "unix:private/p", "unix:" + queue + "/private/p", "n",
			machine.Path{Exists: true, Folders: folders(0o700), File: machine.File{Path: queue + "/private/p", Mode: socket | 0o066, UID: 101}},
			[]string{"error socket.access"},
			"", "",
		},
		{
			"folder shut", "unix:/run/policyd-rdns/p", "unix:/run/policyd-rdns/p", "n",
			machine.Path{Exists: true, Folders: run, File: machine.File{Path: "/run/policyd-rdns/p", Mode: socket | 0o666}},
			[]string{"error socket.folder"},
			"socket.folder", "chgrp postfix '/run/policyd-rdns'",
		},
		{
			"absolute, in a chroot", "unix:" + queue + "/private/p", "unix:" + queue + "/private/p", "y",
			machine.Path{},
			[]string{"error call.missing", "error socket.chroot"},
			"socket.chroot", "check_policy_service { unix:private/p, timeout=10s, default_action=DUNNO }",
		},
		{
			"outside of a chroot", "unix:/run/policyd-rdns/p", "unix:/run/policyd-rdns/p", "y",
			machine.Path{},
			[]string{"error call.missing", "error socket.chroot"},
			"socket.chroot", "ListenStream=" + queue + "/private/policyd-rdns\npostconf -e '" + before + "check_policy_service { unix:private/policyd-rdns,",
		},
		{"not there", "unix:private/p", "unix:" + queue + "/private/p", "n", machine.Path{}, []string{"error socket.missing"}, "", ""},
		{
			"no socket", "unix:private/p", "unix:" + queue + "/private/p", "n",
			machine.Path{Exists: true, Folders: folders(0o700), File: machine.File{Path: queue + "/private/p", Mode: 0o666}},
			[]string{"error socket.type"},
			"", "",
		},
		{"not seen", "unix:private/p", "unix:" + queue + "/private/p", "n", machine.Path{Unread: "permission denied"}, []string{"info socket.read"}, "", ""},
		{"by its old name", "unix:/var/run/p", "unix:/run/p", "n", machine.Path{Unread: "permission denied"}, []string{"info socket.read"}, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			list := strings.Replace(before+"POLICY", "POLICY", "check_policy_service { "+test.call+", timeout=10s, default_action=DUNNO }", 1)
			m, v := wellMachine(strings.Replace(withList(list), "n - y -", "n - "+test.chroot+" -", 1)), view()
			v.Listen = []string{test.listen}
			m.Paths = map[string]machine.Path{}
			w := machine.Wanted{Listen: v.Listen}
			(&examination{m: m, v: v}).want(&w, true)
			for _, file := range w.Sockets {
				m.Paths[file] = test.path
			}
			check(t, m, v, test.want, test.id, test.do)
		})
	}
}

// TestSocketUnit: where the configuration listens nowhere, systemd does, on the
// socket of the unit as it comes.
func TestSocketUnit(t *testing.T) {
	const call = "check_policy_service { unix:private/policyd-rdns, timeout=10s, default_action=DUNNO }"
	v := view()
	v.Listen = nil
	for _, test := range []struct {
		name, postfix string
		answers       []machine.Answer
		want          []string
		id, do        string
	}{
		{"called", withList(before + call), nil, nil, "", ""},
		{"not called", withList(before), nil, []string{"error call.missing"}, "call.missing", "reject_unlisted_recipient, " + call + "'"},
		{
			"nobody there", withList(before + call),
			[]machine.Answer{{Address: "unix:/var/spool/postfix/private/policyd-rdns", Unread: "no such file or directory"}},
			[]string{"error daemon.answer"},
			"daemon.answer", "systemctl enable --now policyd-rdns.socket",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			m := wellMachine(test.postfix)
			m.Answers = test.answers
			check(t, m, v, test.want, test.id, test.do)
		})
	}
}
