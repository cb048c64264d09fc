package postgrey

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
)

// read reads a file of testdata into an import.
func read(t *testing.T, im *Import, file string) error {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return im.Read(file, f)
}

// told are the records in words.
func told(im *Import) (all []string) {
	for _, s := range im.Records() {
		r := &s.Record
		text := fmt.Sprintf("%s returned %d", s.Party, r.Returned)
		if r.LastPass != 0 {
			text += fmt.Sprintf(" passed %d", r.LastPass)
		}
		all = append(all, text)
	}
	return all
}

// TestClients reads postgrey_clients.db, as both forms of db_dump have it.
func TestClients(t *testing.T) {
	want := []string{
		"a:2001:db8:0:1::5 returned 1795000500 passed 1795000500",
		"a:203.0.113.10 returned 1795000000 passed 1795000000",
		"a:203.0.113.11 returned 1795100000",
		"a:203.0.113.12 returned 1795176000 passed 1795176000",
		"n:2001:db8:0:1::/64 returned 1795000500 passed 1795000500",
	}
	for _, file := range []string{"postgrey_clients.dump", "clients-hex.dump"} {
		var im Import
		if err := read(t, &im, file); err != nil {
			t.Errorf("%s: %v", file, err)
		}
		if got := told(&im); !slices.Equal(got, want) {
			t.Errorf("%s\ngot:\n%s\nwant:\n%s", file, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		if len(im.Left) != 1 || im.Left[0].Line != 6 || im.Left[0].Text != "198.51.100.7 x,y" {
			t.Errorf("%s: left %+v; want 198.51.100.7", file, im.Left)
		}
	}
}

// TestTriplets reads postgrey.db.
func TestTriplets(t *testing.T) {
	var im Import
	if err := read(t, &im, "postgrey.dump"); err != nil {
		t.Error(err)
	}
	want := []string{"a:203.0.113.77 returned 1795000400", "n:2001:db8:0:2::/64 returned 1795009000"}
	if got := told(&im); !slices.Equal(got, want) {
		t.Errorf("%q; want %q", got, want)
	}
	if got := fmt.Sprint(im.Skipped); got != fmt.Sprint(map[string]int{skipHashed: 1, skipNetwork: 1, skipOnce: 1}) || len(im.Left) > 0 {
		t.Errorf("skipped %s, left %v", got, im.Left)
	}
}

// TestKnown: who postgrey lets pass is known, and still is when it came back again.
func TestKnown(t *testing.T) {
	settings := history.Settings{Delay: 3 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}
	for _, files := range [][]string{{"postgrey_clients.dump"}, {"postgrey_clients.dump", "postgrey.dump"}, {"postgrey.dump", "postgrey_clients.dump"}} {
		var im Import
		for _, file := range files {
			if err := read(t, &im, file); err != nil {
				t.Fatal(err)
			}
		}
		im.came("a:203.0.113.10", 1795000900, false)
		now := history.Moment(1795000000 + 30*86400)
		for _, s := range im.Records() {
			r := s.Record.At(now, &settings)
			known := r.LastPass != 0 && r.LastPass >= r.Returned
			if want := s.Record.LastPass != 0; known != want {
				t.Errorf("%v: %s is known: %v; want %v", files, s.Party, known, want)
			}
		}
	}
}

// TestWhitelists: what becomes an exemption, and what is left and why.
func TestWhitelists(t *testing.T) {
	for _, test := range []struct {
		file   string
		exempt []string
		left   []string
	}{
		{
			"whitelist_clients",
			[]string{
				"client 192.0.2.25 192.0.2.0/24 198.51.100.0/24 2001:db8::25 2001:db8:1::/48",
				"ptr_name example.com .example.com mx.example.org .mx.example.org",
			},
			[]string{
				`7 203.0: half an address, of which postgrey makes another network than its manual says: if it is to be all of it, client = "203.0.0.0/16"`,
				`10 /^mail(out)?\d+\.example\.net$/: a regular expression: name the hosts that are meant; all hosts of the domain are ptr_name = ".example.net"`,
				`11 /^fmr\d+/: a regular expression: name the hosts that are meant`,
				`12 /^.*\.co\.uk$/: a regular expression: name the hosts that are meant`,
				`13 co.uk: a public suffix: strangers have names under it, and all of them are exempt`,
				`14 192.0.2.300: no address, and no network such as 192.0.2.0/24; postgrey passes over it`,
				`15 0.0.0.0/0: a large part of the public Internet: its hosts are exempt`,
				`16 two words: "two words": want a name such as mx.example.com, or .example.com for all names under it`,
			},
		},
		{
			"whitelist_recipients",
			[]string{"recipient postmaster@ info@example.com example.org .example.org"},
			[]string{
				`4 @example.net: postgrey spares nobody for it; if the domain is meant, recipient = "example.net"`,
				`5 /^list-.*@/: a regular expression: write the recipients that are meant`,
				`6 a b: "a b": want user@example.com, example.com, .example.com, user@ or <>`,
			},
		},
	} {
		var im Import
		if err := read(t, &im, test.file); err != nil {
			t.Errorf("%s: %v", test.file, err)
		}
		var exempt, left []string
		for _, rule := range im.Exempt {
			exempt = append(exempt, rule.When[0].Key+" "+strings.Join(rule.When[0].Written, " "))
		}
		for _, l := range im.Left {
			left = append(left, fmt.Sprintf("%d %s: %s", l.Line, l.Text, l.Why))
		}
		if !slices.Equal(exempt, test.exempt) {
			t.Errorf("%s is\n%s\nwant\n%s", test.file, strings.Join(exempt, "\n"), strings.Join(test.exempt, "\n"))
		}
		if !slices.Equal(left, test.left) {
			t.Errorf("%s leaves\n%s\nwant\n%s", test.file, strings.Join(left, "\n"), strings.Join(test.left, "\n"))
		}
	}
}

// TestLongWhitelist: no exemption is longer than can be read.
func TestLongWhitelist(t *testing.T) {
	var text strings.Builder
	for i := range 50 {
		fmt.Fprintf(&text, "mx%d.example.com\n", i)
	}
	var im Import
	if err := im.Read("postgrey_whitelist_clients.local", strings.NewReader(text.String())); err != nil || len(im.Exempt) != 5 || len(im.Left) > 0 {
		t.Errorf("%d exemptions, %v; want 5", len(im.Exempt), err)
	}
}

// TestNotRead has files that are refused, and why.
func TestNotRead(t *testing.T) {
	const head = "VERSION=3\nformat=print\ntype=btree\nHEADER=END\n"
	for _, test := range []struct{ name, text, want string }{
		{"postgrey.db", "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x62\x31\x05\x00\x09", errDatabase.Error()},
		{"postgrey.db", "\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x06\x15\x61\x09", errDatabase.Error()},
		{"postgrey.lock", "", ErrNothing.Error()},
		{"x", "VERSION=3\nformat=xml\n", `line 2: format "xml": want print or bytevalue`},
		{"x", "VERSION=3\ntype=recno\n", `line 2: "type=recno": want a database with keys: btree or hash`},
		{"x", head + " 192.0.2.1\n", "unexpected EOF"},
		{"x", head + " 192.0.2.1\n 1,2\n", "unexpected EOF"},
		{"x", head + " 192.0.2.1\nDATA=END\n", `line 6: "DATA=END": want a space and a key or a value`},
		{"x", head + " 192.0.2.\\3\n", `line 5: "192.0.2.\\3": want \\ or two hexadecimal digits after \`},
		{"x", head + " " + strings.Repeat("a", maxLine+1), "line 5: more than 64 KiB"},
		{"x", strings.Replace(head, "print", "bytevalue", 1) + " 3g\n", `line 5: "3g": want hexadecimal digits`},
		{"x", head + "DATA=END\n" + head + " \\31\\39\\32.0.2.1\\00\n 1,2\nDATA=END\n", ""},
	} {
		var im Import
		err := im.Read(test.name, strings.NewReader(test.text))
		if got := fmt.Sprint(err); got != test.want && (err != nil || test.want != "") {
			t.Errorf("Read(%q, %.60q): %v; want %s", test.name, test.text, err, test.want)
		}
	}
	var im Import
	if err := im.Read("a/postgrey.log", strings.NewReader("Nov 1")); !errors.Is(err, ErrNothing) {
		t.Error(err)
	}
}

// FuzzRead reads anything: it never panics, every record is of a party, and every
// exemption can be written into a file and is for nobody's strangers.
func FuzzRead(f *testing.F) {
	files, err := os.ReadDir("testdata")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		if file.IsDir() {
			continue
		}
		text, err := os.ReadFile(filepath.Join("testdata", file.Name()))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(file.Name(), string(text))
	}
	f.Add("x", "VERSION=3\nformat=print\nHEADER=END\n \\61\\00\n 1,2\nDATA=END\n")
	f.Add("whitelist_clients", "/\\.a\\.b$/\n.\n..\n1.2\n::\n1::/129\nexample.com.\n")
	f.Fuzz(func(t *testing.T, name, text string) {
		var im Import
		_ = im.Read(name, strings.NewReader(text))
		for _, s := range im.Records() {
			if s.Party.Kind() == 0 || s.Party.Name() == "" || s.Record.Empty() || s.Record.LastPass != 0 && s.Record.Returned > s.Record.LastPass {
				t.Errorf("%q: %+v", s.Party, s.Record)
			}
		}
		for i := range im.Exempt {
			e := &im.Exempt[i].When[0]
			again, errs := policy.NewEntry(e.Key, e.Written, e.Written)
			if len(errs) > 0 || len(e.Written) > perExemption+1 || again.Wide() != "" && len(e.Written) < 3 {
				t.Errorf("%s %q: %v", e.Key, e.Written, errs)
			}
		}
		for _, l := range im.Left {
			if l.Line < 1 || l.Why == "" || len(l.Text) > maxLeftText {
				t.Errorf("%+v", l)
			}
		}
	})
}
