package maincf

import (
	"slices"
	"strings"
	"testing"
)

func TestExpand(t *testing.T) {
	p := Params{
		"a": "one", "b": "$a two", "empty": "", "loop": "x $loop", "compatibility_level": "3.6",
		"big": strings.Repeat("$huge ", 1000), "huge": strings.Repeat("$a ", 1000),
	}
	for _, test := range []struct{ in, want string }{
		{"", ""},
		{"plain", "plain"},
		{"$a", "one"},
		{"<${b}>", "<one two>"},
		{"$(a)b", "oneb"},
		{"$unknown.", "."},
		{"$$a", "$a"},
		{"$", "$"},
		{"${a", "${a"},
		{"${a?yes}${empty?yes}", "yes"},
		{"${a:no}${empty:no}", "no"},
		{"${a?{yes}:{no}} ${empty ? {yes} : {no}}", "yes no"},
		{"${{$a} == {one} ? {$b} : {no}}", "one two"},
		{"${{$a} != {one} ? {$b}}", ""},
		{"${{9} < {10} ? {number} : {text}}", "number"},
		{"${{$compatibility_level} <level {3.10} ? {old} : {new}}", "old"},
		{"${{$compatibility_level} >=level {3.6} ? {new} : {old}}", "new"},
		{"${{a} ~ {a} ? {x} : {y}}", "y"},
		{"${{a} == ", "${{a} == "},
		{"${{a}}", ""},
	} {
		if got := p.Expand(test.in); got != test.want {
			t.Errorf("expand(%q) = %q; want %q", test.in, got, test.want)
		}
	}
	if got := p.Expand("$loop"); len(got) > 1000 {
		t.Errorf("expand of a circle has %d bytes", len(got))
	}
	if got := p.Expand(strings.Repeat("$big", 1000)); len(got) > 2*maxExpanded {
		t.Errorf("expand of much has %d bytes; want at most some %d", len(got), maxExpanded)
	}
}

func TestParsePostfix(t *testing.T) {
	p := ParsePostfix("# a comment\nsmtpd_client_restrictions = a,\n\tb\n  # within\n  c\nmail_version=3.9.1\n\n",
		"smtp      inet  n       -       y       -       -       smtpd\n  -o a=b -ox=y\n  -o { c = d e }\n  -v -o\n127.0.0.1:10025 inet n - - - 0 smtpd\nnonsense\na b c d e f g h\n")
	if got := p.Values["smtpd_client_restrictions"]; got != "a, b c" {
		t.Errorf("smtpd_client_restrictions = %q; want a, b c", got)
	}
	if major, minor, ok := p.Version(); major != 3 || minor != 9 || !ok {
		t.Errorf("version = %d.%d, %v; want 3.9", major, minor, ok)
	}
	if len(p.Services) != 2 {
		t.Fatalf("services = %+v; want 2", p.Services)
	}
	smtp, filter := p.Services[0], p.Services[1]
	if want := []Option{{"a", "b"}, {"x", "y"}, {"c", "d e"}}; !slices.Equal(smtp.Options, want) {
		t.Errorf("options = %q; want %q", smtp.Options, want)
	}
	if !p.Chrooted(&smtp) || !p.Chrooted(&filter) || p.Processes(&smtp) != 100 || p.Processes(&filter) != 0 {
		t.Errorf("%+v, %+v: want both in a chroot, the second for want of a compatibility level; 100 and any number of processes", smtp, filter)
	}
	if got := p.Values["queue_directory"]; got != "/var/spool/postfix" || p.Unread != "" || p.MasterUnread != "" {
		t.Errorf("queue_directory = %q, unread %q, %q; want the default, and all read", got, p.Unread, p.MasterUnread)
	}
}

func TestKindOf(t *testing.T) {
	for _, test := range []struct {
		name string
		want Kind
	}{
		{"smtp", MX},
		{"25", MX},
		{"192.0.2.1:smtp", MX},
		{"[2001:db8::1]:25", MX},
		{"2525", MX},
		{"submission", Submission},
		{"192.0.2.1:587", Submission},
		{"submissions", Submission},
		{"127.0.0.1:10025", Internal},
		{"[::1]:10025", Internal},
		{"localhost:10025", Internal},
	} {
		if got := kindOf(&Service{Name: test.name, Type: "inet", Command: "smtpd"}); got != test.want {
			t.Errorf("kindOf(%s) = %v; want %v", test.name, got, test.want)
		}
	}
}

// TestEndpoint: how Postfix writes where the daemon listens.
func TestEndpoint(t *testing.T) {
	const queue = "/var/spool/postfix"
	for _, test := range []struct {
		endpoint, listen string
		chroot           bool
		want             bool
	}{
		{"inet:127.0.0.1:10040", "127.0.0.1:10040", false, true},
		{"inet:127.0.0.1:10041", "127.0.0.1:10040", false, false},
		{"inet:127.0.0.2:10040", "127.0.0.1:10040", false, false},
		{"inet:127.0.0.2:10040", "0.0.0.0:10040", false, true},
		{"inet:127.0.0.2:10040", "[::]:10040", false, false}, // of IPv6 alone
		{"inet:127.0.0.1:10040", "[::ffff:127.0.0.1]:10040", false, true},
		{"inet:[::ffff:127.0.0.1]:10040", "127.0.0.1:10040", false, true},
		{"inet:[::ffff:127.0.0.1]:10040", "[::]:10040", false, false},
		{"inet:127.0.0.1:10040", "[::ffff:0.0.0.0]:10040", false, true},
		{"inet:[::1]:10040", "[::]:10040", false, true},
		{"inet:0.0.0.0:10040", "0.0.0.0:10040", false, true},
		{"inet:0.0.0.0:10040", "127.0.0.1:10040", false, true},
		{"inet:[::]:10040", "[::1]:10040", false, true},
		{"inet:[::]:10040", "0.0.0.0:10040", false, false},
		{"inet:localhost:10040", "[::]:10040", false, true},
		{"inet:[::1]:10040", "[::1]:10040", false, true},
		{"inet:[::1]:10040", "0.0.0.0:10040", false, false},
		{"inet:localhost:10040", "127.0.0.1:10040", false, true},
		{"inet:localhost:10040", "[::1]:10040", false, true},
		{"inet:localhost:10040", "192.0.2.1:10040", false, false},
		{"inet:10040", "127.0.0.1:10040", false, true},
		{"inet::10040", "127.0.0.1:10040", false, true},
		{"inet:mx.example.com:10040", "127.0.0.1:10040", false, false},
		{"unix:private/p", "unix:" + queue + "/private/p", true, true},
		{"unix:private/p", "unix:" + queue + "/private/p", false, true},
		{"unix:" + queue + "/private/p", "unix:" + queue + "/private/p", false, true},
		{"unix:" + queue + "/private/p", "unix:" + queue + "/private/p", true, false},
		{"unix:/private/p", "unix:" + queue + "/private/p", true, true},
		{"unix:/var/run/p", "unix:/run/p", false, true},
		{"127.0.0.1:10040", "127.0.0.1:10040", false, false},
	} {
		e := ParseEndpoint(test.endpoint)
		if got := e.Listens(test.listen, queue, test.chroot); got != test.want {
			t.Errorf("%s, chroot %v, is heard on %s: %v; want %v", test.endpoint, test.chroot, test.listen, got, test.want)
		}
	}
}

// TestMeant: what endpoints that Postfix cannot read were to be.
func TestMeant(t *testing.T) {
	for _, test := range []struct {
		text, want string // empty: nothing that can be told
	}{
		{"inet:127.0.0.1:10040", ""},
		{"unix:private/p", ""},
		{"127.0.0.1:10040", "inet:127.0.0.1:10040"},
		{"[::1]:10040", "inet:[::1]:10040"},
		{"localhost:10040", "inet:localhost:10040"},
		{"tcp:127.0.0.1:10040", "inet:127.0.0.1:10040"},
		{"tcp:[::1]:10040", "inet:[::1]:10040"},
		{"tcp://127.0.0.1:10040/", "inet:127.0.0.1:10040"},
		{"inet:10040@127.0.0.1", "inet:127.0.0.1:10040"},
		{"inet://127.0.0.1:10040", "inet:127.0.0.1:10040"},
		{"/run/p", "unix:/run/p"},
		{"local:/run/p", "unix:/run/p"},
		{"unix", "inet:unix"},
		{"", ""},
	} {
		e := ParseEndpoint(test.text)
		got, _ := e.Meant()
		if got.Text != test.want {
			t.Errorf("%q is meant to be %q; want %q", test.text, got.Text, test.want)
		}
	}
}
