package doctor

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestExpand(t *testing.T) {
	p := params{
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
		if got := p.expand(test.in); got != test.want {
			t.Errorf("expand(%q) = %q; want %q", test.in, got, test.want)
		}
	}
	if got := p.expand("$loop"); len(got) > 1000 {
		t.Errorf("expand of a circle has %d bytes", len(got))
	}
	if got := p.expand(strings.Repeat("$big", 1000)); len(got) > 2*maxExpanded {
		t.Errorf("expand of much has %d bytes; want at most some %d", len(got), maxExpanded)
	}
}

func TestParsePostfix(t *testing.T) {
	p := ParsePostfix("# a comment\nsmtpd_client_restrictions = a,\n\tb\n  # within\n  c\nmail_version=3.9.1\n\n",
		"smtp      inet  n       -       y       -       -       smtpd\n  -o a=b -ox=y\n  -o { c = d e }\n  -v -o\n127.0.0.1:10025 inet n - - - 0 smtpd\nnonsense\na b c d e f g h\n")
	if got := p.Values["smtpd_client_restrictions"]; got != "a, b c" {
		t.Errorf("smtpd_client_restrictions = %q; want a, b c", got)
	}
	if major, minor, ok := p.version(); major != 3 || minor != 9 || !ok {
		t.Errorf("version = %d.%d, %v; want 3.9", major, minor, ok)
	}
	if len(p.Services) != 2 {
		t.Fatalf("services = %+v; want 2", p.Services)
	}
	smtp, filter := p.Services[0], p.Services[1]
	if want := []Option{{"a", "b"}, {"x", "y"}, {"c", "d e"}}; !slices.Equal(smtp.Options, want) {
		t.Errorf("options = %q; want %q", smtp.Options, want)
	}
	if !p.chrooted(&smtp) || !p.chrooted(&filter) || p.processes(&smtp) != 100 || p.processes(&filter) != 0 {
		t.Errorf("%+v, %+v: want both in a chroot, the second for want of a compatibility level; 100 and any number of processes", smtp, filter)
	}
	if got := p.Values["queue_directory"]; got != "/var/spool/postfix" || p.Unread != "" || p.MasterUnread != "" {
		t.Errorf("queue_directory = %q, unread %q, %q; want the default, and all read", got, p.Unread, p.MasterUnread)
	}
}

func TestKindOf(t *testing.T) {
	for _, test := range []struct {
		name string
		want kind
	}{
		{"smtp", mx},
		{"25", mx},
		{"192.0.2.1:smtp", mx},
		{"[2001:db8::1]:25", mx},
		{"2525", mx},
		{"submission", submission},
		{"192.0.2.1:587", submission},
		{"submissions", submission},
		{"127.0.0.1:10025", internal},
		{"[::1]:10025", internal},
		{"localhost:10025", internal},
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
		{"inet:127.0.0.2:10040", "[::]:10040", false, true},
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
		e := parseEndpoint(test.endpoint)
		if got := e.listens(test.listen, queue, test.chroot); got != test.want {
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
		e := parseEndpoint(test.text)
		got, _ := e.meant()
		if got.text != test.want {
			t.Errorf("%q is meant to be %q; want %q", test.text, got.text, test.want)
		}
	}
}

func TestPostfixTime(t *testing.T) {
	for _, test := range []struct {
		text string
		want time.Duration
		ok   bool
	}{
		{"10", 10 * time.Second, true},
		{"10s", 10 * time.Second, true},
		{"2m", 2 * time.Minute, true},
		{"1H", time.Hour, true},
		{"1w", 7 * 24 * time.Hour, true},
		{"", 0, false},
		{"s", 0, false},
		{"-1s", 0, false},
		{"99999999999999w", 0, false},
	} {
		if got, ok := postfixTime(test.text); got != test.want || ok != test.ok {
			t.Errorf("postfixTime(%q) = %v, %v; want %v, %v", test.text, got, ok, test.want, test.ok)
		}
	}
}

// FuzzPostfix: whatever postconf is said to have printed is judged, in bounded
// time and size, and what is said of it can be printed.
func FuzzPostfix(f *testing.F) {
	f.Add(good)
	f.Add(withList("smtpd_restriction_classes = a b\na = b b\nb = a a permit\n" + before + "a POLICY"))
	f.Add("smtpd_client_restrictions = check_policy_service { unix:/a\x1b[31m, { default_action = '; rm -rf x } }\nsmtp inet n - y - 0 smtpd -o { a = ${b?{c}:{d}} }\n")
	f.Add("mynetworks = ![::1]/128 cidr:/x 0/0 [::ffff:127.0.0.0]/104\nsmtpd_data_restrictions=warn_if_reject warn_if_reject check_policy_service inet:10040\n")
	f.Add("smtpd_recipient_restrictions=check_policy_service{inet:10040}}{,permit\nqueue_directory=${{a}<level{b}?{/q}:{$queue_directory}}\nsmtp pass - - y - - smtpd\n")
	f.Add("mynetworks=0.0.0.0/0\nsmtpd_relay_restrictions=\nsmtpd_restriction_classes=a\na=check_policy_service tcp:127.0.0.1:10040\nsmtpd_client_restrictions=static:a,check_client_access cidr:{{!::/0 OK}}\nsmtpd_recipient_restrictions=permit_auth_destination,timeout=1s\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, f := range Examine(machine(text), view()) {
			for _, s := range append([]string{f.Title, f.Why}, f.Do...) {
				if i := strings.IndexFunc(s, func(c rune) bool { return c < ' ' || c > '~' }); i >= 0 || len(s) > maxDo+3 {
					t.Fatalf("%s says what cannot be printed, or too much: %.200q", f.ID, s)
				}
			}
			if f.Title == "" || f.ID == "" || f.Level == "" {
				t.Fatalf("%+v: want an ID, a level and a title", f)
			}
		}
	})
}
