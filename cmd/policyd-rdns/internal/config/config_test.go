package config

import (
	"cmp"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/postfix"
)

// TestBadConfig reads deliberately broken files, which are refused.
func TestBadConfig(t *testing.T) {
	testMessages(t, "testdata/badconfig", func(path string) string {
		if _, err := Load(path); err != nil {
			return err.Error() + "\n"
		}
		return "no error\n"
	})
}

// TestWarnings reads files that are allowed and probably not meant.
func TestWarnings(t *testing.T) {
	testMessages(t, "testdata/warnings", func(path string) string {
		conf, err := Load(path)
		if err != nil {
			return err.Error() + "\n"
		}
		messages := ""
		for _, w := range conf.AllWarnings() {
			messages += w.Error() + "\n"
		}
		return messages
	})
}

// testMessages tests the configurations of a folder. The comments of a file
// that begin with #! are the messages expected, in order. In them {server} stands for
// the keys of that table, and likewise of others, so that a new one changes no file.
func testMessages(t *testing.T, folder string, messages func(path string) string) {
	t.Helper()
	files, err := filepath.Glob(folder + "/*.toml")
	if err != nil || len(files) == 0 {
		t.Fatalf("configurations in %s: %v, %v", folder, files, err)
	}
	expand := knownKeys()
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want := ""
		for line := range strings.Lines(string(text)) {
			if message, ok := strings.CutPrefix(line, "#! "); ok {
				want += expand.Replace(message)
			}
		}
		if got := strings.ReplaceAll(messages(file), folder+"/", ""); got != want {
			t.Errorf("Load(%s)\ngot:\n%s\nwant:\n%s", file, got, want)
		}
	}
}

// knownKeys fills in the lists of keys.
func knownKeys() *strings.Replacer {
	known := map[string][]string{"entries": policy.EntryKeys()}
	for i := range settings {
		name := cmp.Or(settings[i].table(), "above the tables")
		known[name] = append(known[name], settings[i].key())
	}
	known["above the tables"] = slices.Concat(known["above the tables"], tableNames()[1:], []string{"exempt", "rule"})
	var pairs []string
	for name, keys := range known {
		pairs = append(pairs, "{"+name+"}", strings.Join(keys, ", "))
	}
	var actions []string
	for _, a := range policy.Actions(true) {
		actions = append(actions, a.String())
	}
	return strings.NewReplacer(append(pairs, "{actions}", plain.List(actions, "or"))...)
}

// TestWrittenRulesAreTheRules holds what WriteRule writes to what is in force: read
// back, it makes the same rules.
func TestWrittenRulesAreTheRules(t *testing.T) {
	for _, file := range []string{"", "testdata/rules.toml"} {
		conf, err := Load(file)
		if err != nil {
			t.Fatal(err)
		}
		first := written(conf)
		again, err := Parse("written.toml", []byte(first))
		if err != nil {
			t.Fatalf("%v\nof what was written:\n%s", err, first)
		}
		if second := written(again); second != first || first == "" {
			t.Errorf("Load(%q), read back\ngot:\n%s\nwant:\n%s", file, second, first)
		}
	}
}

// written are the rules of a configuration as TOML.
func written(c *Config) string {
	var b strings.Builder
	c.WriteRules(&b)
	lines := slices.DeleteFunc(strings.SplitAfter(b.String(), "\n"), func(line string) bool { return strings.HasPrefix(line, "#") })
	return strings.Join(lines, "")
}

func TestHashTellsConfigurationsApart(t *testing.T) {
	hashes := map[string]string{}
	for _, text := range []string{"", "mode = \"observe\"\n", "on_doubt = \"dunno\"\n", "[names]\nproper = [\"mx.example.com\"]\n"} {
		c, err := Parse("x.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := hashes[c.Hash]; ok || len(c.Hash) != 12 {
			t.Errorf("%q has hash %q, as %q", text, c.Hash, other)
		}
		hashes[c.Hash] = text
		again, err := Parse("y.toml", []byte(text))
		if err != nil || again.Hash != c.Hash {
			t.Errorf("%q has hash %q, then %q, %v", text, c.Hash, again.Hash, err)
		}
	}
	// What a list file holds counts too.
	path := filepath.Join(t.TempDir(), "list")
	for _, list := range []string{"mx.example.com\n", "mx.example.org\n"} {
		if err := os.WriteFile(path, []byte(list), 0o600); err != nil {
			t.Fatal(err)
		}
		c, err := Parse("x.toml", []byte("[names]\nproper = [\"@"+path+"\"]\n"))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := hashes[c.Hash]; ok {
			t.Errorf("list %q has the hash of %q", list, other)
		}
		hashes[c.Hash] = list
	}
}

// FuzzConfig reads any bytes as a configuration: it never panics, every problem
// is one line of text, and what it accepts can be written and read back.
func FuzzConfig(f *testing.F) {
	for _, pattern := range []string{"testdata/badconfig/*.toml", "testdata/warnings/*.toml", "testdata/*.toml", exampleFile} {
		files, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(string(text))
		}
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "@") && strings.ContainsAny(text, "/.~") {
			t.Skip("may name any file of the machine")
		}
		if strings.Contains(text, "exempt_file") {
			t.Skip("may name any file of the machine")
		}
		c, err := Parse("fuzz.toml", []byte(text))
		if err != nil {
			for line := range strings.Lines(err.Error()) {
				if strings.TrimSpace(line) == "" {
					t.Errorf("an empty line among the problems: %q", err)
				}
			}
			return
		}
		first := written(c)
		again, err := Parse("written.toml", []byte(first))
		if err != nil {
			t.Fatalf("%v\nof what was written:\n%s", err, first)
		}
		if second := written(again); second != first {
			t.Errorf("written:\n%s\nread back:\n%s", first, second)
		}
	})
}

// TestFolderOutOfSight: a folder that cannot be looked at may be there.
func TestFolderOutOfSight(t *testing.T) {
	loop := filepath.Join(t.TempDir(), "loop")
	if err := os.Symlink(loop, loop); err != nil {
		t.Fatal(err)
	}
	if _, err := Parse("", fmt.Appendf(nil, "[log]\nfile = %q\n", loop+"/decisions")); err != nil {
		t.Error(err)
	}
	if _, err := Parse("", fmt.Appendf(nil, "[log]\nfile = %q\n", loop+"ed/decisions")); err == nil {
		t.Error("a folder that does not exist is taken")
	}
}

// TestOverlap: of two addresses in server.listen, or one there and http.listen,
// whether both can be listened on.
func TestOverlap(t *testing.T) {
	dir := t.TempDir()
	if err := os.Symlink(dir, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		a, b string
		want bool
	}{
		{"127.0.0.1:10040", "127.0.0.1:10040", true},
		{"127.0.0.1:10040", "127.0.0.1:10041", false},
		{"127.0.0.1:10040", "127.0.0.2:10040", false},
		{"0.0.0.0:10040", "127.0.0.1:10040", true},
		{"127.0.0.1:10040", "0.0.0.0:10040", true},
		{"[::]:10040", "[::1]:10040", true},
		{"[0:0:0:0:0:0:0:1]:10040", "[::1]:10040", true},
		{"[::]:10040", "0.0.0.0:10040", false},
		{"[::]:10040", "127.0.0.1:10040", false},
		{"0.0.0.0:0", "127.0.0.1:0", false},
		{"unix:/run/a", "127.0.0.1:10040", false},
		{"unix:/run/a", "unix:/run/b", false},
		{"unix:/run/a", "unix:/run//a", true},
		{"unix:/run/a", "unix:/run/x/../a", true},
		{"unix:" + dir + "/a", "unix:" + dir + "/link/a", true},
	} {
		if _, got := listening.Beside(test.a, []string{"192.0.2.1:10039", test.b}); got != test.want {
			t.Errorf("%s beside %s: %v; want %v", test.a, test.b, got, test.want)
		}
	}
	for _, test := range []struct {
		http, policy string
		want         bool
	}{
		{"127.0.0.1:10040", "127.0.0.1:10040", true},
		{"127.0.0.1:10041", "127.0.0.1:10040", false},
		{"localhost:10040", "127.0.0.1:10040", true},
		{"localhost:10040", "0.0.0.0:10040", true},
		{"0.0.0.0:10040", "127.0.0.1:10040", true},
		{"0.0.0.0:10040", "[::1]:10040", false},
		{"[::]:10040", "127.0.0.1:10040", false},
		{"[::]:10040", "[::1]:10040", true},
		{"[::1]:10040", "127.0.0.1:10040", false},
		{"[::ffff:127.0.0.1]:10040", "127.0.0.1:10040", true},
		{"mx.example.com:10040", "192.0.2.1:10040", false}, // who knows
		{"127.0.0.1:10040", "unix:/run/a", false},
		{"127.0.0.1:0", "127.0.0.1:0", false},
	} {
		if got := listening.Overlap(listening.Sockets(test.http), listening.Sockets(test.policy)); got != test.want {
			t.Errorf("http %s beside %s: %v; want %v", test.http, test.policy, got, test.want)
		}
	}
}

// TestOverlapIsRefused: beside an address that is listened on the system refuses
// those that overlap with it.
func TestOverlapIsRefused(t *testing.T) {
	for _, first := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		l, err := postfix.Listen(first, 0, "")
		if err != nil {
			t.Logf("not here: %v", err)
			continue
		}
		for _, host := range []string{"127.0.0.1", "[::ffff:127.0.0.1]", "0.0.0.0", "[::1]", "[::]"} {
			address := fmt.Sprintf("%s:%d", host, l.Addr().(*net.TCPAddr).Port)
			if !listening.Overlap(listening.Sockets(l.Addr().String()), listening.Sockets(address)) {
				continue
			}
			if other, err := postfix.Listen(address, 0, ""); err == nil {
				other.Close()
				t.Errorf("%s is listened on beside %s, though they overlap", address, l.Addr())
			}
		}
		l.Close()
	}
}

// TestSyntaxHint: what is said of values that are not written as TOML wants.
func TestSyntaxHint(t *testing.T) {
	for _, test := range []struct{ text, want string }{
		{"[server]\ndeadline = 5s # seconds\n", `; text and durations stand in quotes: deadline = "5s"`},
		{"[server]\r\ndeadline = 5s\r\n", `; text and durations stand in quotes: deadline = "5s"`},
		{"[server]\nsocket_mode = 0660\n", `; text and durations stand in quotes: socket_mode = "0660"`},
		{"http.listen = 127.0.0.1:10041\n", `; text and durations stand in quotes: http.listen = "127.0.0.1:10041"`},
		{"default_rules = True\n", "; want true or false, in lower case"},
		{"default_rules = on\n", "; want true or false, in lower case"},
		{"mode = “observe”\n", `; quotes are straight ones: "`},
		{"mode = \"observe\n", ""},
		{"mode: observe\n", ""},
	} {
		_, err := Parse("c.toml", []byte(test.text))
		if err == nil || !strings.HasSuffix(err.Error(), test.want) || test.want == "" && strings.Contains(err.Error(), ";") {
			t.Errorf("Parse(%q): %v; want an error that ends in %q", test.text, err, test.want)
		}
	}
}

// TestLongLineOfAList: a list with all on one line is told where it stands.
func TestLongLineOfAList(t *testing.T) {
	long := filepath.Join(t.TempDir(), "long.list")
	if err := os.WriteFile(long, []byte("192.0.2.1\n"+strings.Repeat("a", document.MaxListLine+1)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Parse("c.toml", []byte("[server]\nnetworks = [\"@"+long+"\"]\n"))
	if want := long + ":2: a line of more than 64 KiB: want one entry a line"; err == nil || err.Error() != want {
		t.Errorf("Parse: %v; want %s", err, want)
	}
}

// TestPathsOfTheirOwn: the log is neither the socket nor the configuration.
func TestPathsOfTheirOwn(t *testing.T) {
	folder := t.TempDir()
	file := filepath.Join(folder, "config.toml")
	for text, want := range map[string]string{
		"[server]\nlisten = [\"unix:" + folder + "/x\"]\n[log]\nfile = \"" + folder + "/./x\"\n": `/x" of server.listen: want a file of its own`,
		"[log]\nfile = \"" + file + "\"\n":                                                 "is the configuration itself: want a file of its own",
		"[server]\nlisten = [\"127.0.0.1:10040\"]\n[http]\nlisten = \"LocalHost:10040\"\n": "of server.listen: want a port of its own",
		"[http]\nlisten = \"[fe80::1]:10041\"\n":                                           "want its interface too: [fe80::1%eth0]:10041",
		"[http]\nlisten = \"[ff02::1]:10041\"\n":                                           "is a multicast address: want one of this host",
		"[server]\nlisten = [\"224.0.0.1:10040\"]\n":                                       "is a multicast address: want one of this host",
	} {
		if _, err := Parse(file, []byte(text)); err == nil || !strings.HasSuffix(err.Error(), want) {
			t.Errorf("Parse(%q): %v; want an error that ends in %q", text, err, want)
		}
	}
}

// TestExemptFileRelative: exempt_file is found again, beside a configuration with a
// relative path too.
func TestExemptFileRelative(t *testing.T) {
	t.Chdir(t.TempDir())
	for path, text := range map[string]string{
		"conf/config.toml": "exempt_file = \"exempt.toml\"\n",
		"conf/exempt.toml": "[[exempt]]\nwhen = { client = \"192.0.2.1\" }\n",
	} {
		if err := os.MkdirAll("conf", 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	first, err := Load("conf/config.toml")
	if err != nil {
		t.Fatal(err)
	}
	again, err := first.Exempting()
	if err != nil || len(again.Rules.List) != len(first.Rules.List) || again.ExemptFile != first.ExemptFile || again.Hash != first.Hash {
		t.Errorf("again: %d rules of %s, %s, %v; want %d of %s, %s", len(again.Rules.List), again.ExemptFile, again.Hash, err, len(first.Rules.List), first.ExemptFile, first.Hash)
	}
}
