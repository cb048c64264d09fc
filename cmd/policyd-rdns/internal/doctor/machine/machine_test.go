package machine

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// answering is a system whose daemon reads a request and answers it.
func answering(reply string) *System {
	return &System{Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			lines := bufio.NewScanner(theirs)
			for lines.Scan() && lines.Text() != "" {
			}
			_, _ = io.WriteString(theirs, reply)
		}()
		return ours, nil
	}}
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
		got := answering(test.reply).ask(t.Context(), "127.0.0.1:10040")
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
	for _, test := range []struct {
		text string
		want SocketUnit
	}{
		{"Listen=127.0.0.1:1 (Stream)\nActiveState=inactive\n", SocketUnit{Active: "inactive"}},
		{"BindIPv6Only=default\nListen=[::]:1 (Stream)\nListen=/run/p (Stream)\nActiveState=active\n", SocketUnit{Active: "active", Listen: []string{"[::]:1", "unix:/run/p", "0.0.0.0:1"}}},
		{"Listen=[::]:1 (Stream)\nBindIPv6Only=ipv6-only\nActiveState=active\n", SocketUnit{Active: "active", Listen: []string{"[::]:1"}}},
	} {
		if got := parseSocketUnit(test.text); !reflect.DeepEqual(got, test.want) {
			t.Errorf("parseSocketUnit(%q) = %+v; want %+v", test.text, got, test.want)
		}
	}
}
