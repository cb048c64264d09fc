package config

import (
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/policy"
)

const exampleFile = "../../../../config.example.toml"

func readExample(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(exampleFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
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
	// An empty list is no list.
	example.Server.Networks, example.HELO.OwnNames = nil, nil
	if !reflect.DeepEqual(example, builtin) {
		t.Errorf("the example gives\n%+v; want\n%+v", example, builtin)
	}
}

// TestExampleIsComplete holds the example, with its commented rules in use, to
// the keys that the program knows. What those are it says itself, of a key that
// it does not know.
func TestExampleIsComplete(t *testing.T) {
	text := readExample(t)
	rules := regexp.MustCompile(`(?m)^#(\[\[rule|[a-z]+ +=|unless)`).ReplaceAllString(text, "$1")
	conf, err := Parse("", []byte(rules))
	if err != nil {
		t.Fatal(err)
	}
	if got := len(conf.Rules.List); got != strings.Count(text, "#[[rule]]") {
		t.Errorf("%d rules, want all that are commented out", got)
	}
	for _, table := range []string{"", "[server]", "[resolver]", "[helo]", "[names]", "[log]", "[http]", "[[rule]]\nname = \"x\"\naction = \"dunno\""} {
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
