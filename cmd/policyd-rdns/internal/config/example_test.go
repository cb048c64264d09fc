package config

import (
	"flag"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

var update = flag.Bool("update", false, "write config.example.toml anew")

const exampleFile = "../../../../config.example.toml"

func readExample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestExampleIsTheTable holds config.example.toml to the table of settings and to what
// policy says of rules. With -update it writes the file.
func TestExampleIsTheTable(t *testing.T) {
	want := Example()
	if *update {
		if err := os.WriteFile(exampleFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := readExample(t); got != want {
		t.Errorf("config.example.toml is not what the table makes (-update writes it anew); want\n%s", want)
	}
	for i, line := range strings.Split(want, "\n") {
		if strings.HasPrefix(line, "# ") && len(line) > exampleWidth {
			t.Errorf("line %d has %d bytes: %s", i+1, len(line), line)
		}
	}
}

// TestSettings holds every row of the table to what the documentation promises.
func TestSettings(t *testing.T) {
	seen := map[string]bool{}
	last := ""
	for i := range settings {
		s := &settings[i]
		if seen[s.name] {
			t.Errorf("%s has two rows", s.name)
		}
		seen[s.name] = true
		if s.table() != last && seen["["+s.table()] {
			t.Errorf("%s stands apart from its table", s.name)
		}
		last = s.table()
		seen["["+last] = true
		about := s.about
		for j := i; about == "" && j > 0 && settings[j-1].table() == s.table(); j-- {
			about = settings[j-1].about
		}
		if about == "" {
			t.Errorf("%s is not documented", s.name)
		}
		if (s.limits != "") != strings.Contains(s.about, "{limits}") {
			t.Errorf("%s has the limits %q; what is said of it: %s", s.name, s.limits, s.about)
		}
		for _, word := range s.words {
			if word = strconv.Quote(word); word != s.def && !strings.Contains(about, word) {
				t.Errorf("%s may be %s; what is said of it: %s", s.name, word, about)
			}
		}
		if _, err := Parse("", []byte(s.fileOf(s.def))); err != nil {
			t.Errorf("the default of %s: %v", s.name, err)
		}
	}
}

// fileOf is a file that has the setting alone.
func (s *setting) fileOf(value string) string {
	if s.table() == "" {
		return s.key() + " = " + value + "\n"
	}
	return "[" + s.table() + "]\n" + s.key() + " = " + value + "\n"
}

// TestNeedRestart changes settings that a reload cannot change, and some that it can.
func TestNeedRestart(t *testing.T) {
	changed := map[string]string{
		"server.listen": `[]`, "server.socket_mode": `"0600"`, "server.socket_group": `"0"`,
		"server.max_connections": "10", "http.listen": `"127.0.0.1:0"`,
		"mode": `"observe"`, "server.deadline": `"6s"`, "server.networks": `["192.0.2.0/24"]`, "log.format": `"json"`,
	}
	for i := range settings {
		s := &settings[i]
		value, ok := changed[s.name]
		if !ok {
			continue
		}
		conf, err := Parse("", []byte(s.fileOf(value)))
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		if s.restart {
			want = []string{s.name}
		}
		if got := NeedRestart(Defaults(), conf); !slices.Equal(got, want) {
			t.Errorf("NeedRestart with %s = %s: %q; want %q", s.name, value, got, want)
		}
	}
}

// TestExampleIsTheDefaults reads config.example.toml: it sets every key to what
// it is without a file.
func TestExampleIsTheDefaults(t *testing.T) {
	example, err := Parse("", []byte(readExample(t)))
	if err != nil {
		t.Fatal(err)
	}
	builtin, err := Parse("", nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(example.Warnings) > 0 {
		t.Errorf("warnings: %v", example.Warnings)
	}
	example.Hash = builtin.Hash // of other bytes
	if !reflect.DeepEqual(example, builtin) {
		t.Errorf("the example gives\n%+v; want\n%+v", example, builtin)
	}
}

// TestExampleIsComplete holds the example, with its commented rules in use, to
// the keys that the program knows. What those are it says itself, of a key that
// it does not know.
func TestExampleIsComplete(t *testing.T) {
	text := readExample(t)
	rules := regexp.MustCompile(`(?m)^#(\[\[|[a-z]+ +=|unless)`).ReplaceAllString(text, "$1")
	conf, err := Parse("", []byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	got := 0
	for i := range conf.Origins {
		if conf.Origins[i].File != "" || conf.Origins[i].Line != 0 {
			got++
		}
	}
	if want := strings.Count(text, "#[["); got+len(conf.off) != want {
		t.Errorf("%d rules, want all %d that are commented out", got+len(conf.off), want)
	}
	heads := []string{"[[rule]]\nname = \"x\"\naction = \"dunno\"", "[[exempt]]\nname = \"x\""}
	for _, name := range tableNames() {
		if name != "" {
			name = "[" + name + "]"
		}
		heads = append(heads, name)
	}
	for _, table := range heads {
		_, err := Parse("", []byte(table+"\nqqqqqqqqqqqq = 1\n"))
		if err == nil {
			t.Fatalf("%s: an unknown key was accepted", table)
		}
		_, known, ok := strings.Cut(err.Error(), "known are ")
		if !ok {
			t.Fatalf("%s: %v", table, err)
		}
		for key := range strings.SplitSeq(strings.TrimSuffix(known, ")"), ", ") {
			if !regexp.MustCompile(`(?m)^(\[{0,2})` + key + `(\]{0,2}$| *=)`).MatchString(rules) {
				t.Errorf("config.example.toml lacks %s%s", table, key)
			}
		}
	}
	for _, key := range policy.EntryKeys() {
		i := slices.IndexFunc(conf.Rules.List, func(r policy.Rule) bool {
			return r.When.Has(key) || slices.ContainsFunc(r.Unless, func(t policy.Table) bool { return t.Has(key) })
		})
		if i < 0 || !strings.Contains(text, key) {
			t.Errorf("no rule of config.example.toml uses %s", key)
		}
	}
}
