package main

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/health"
	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/journal"
)

// promises are what others build on, a line each: the keys of the log in their order, the
// settings, the entries of rules with their outcomes, the built-in rules, the exit status.
func promises() (all []string) {
	add := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	for _, key := range journal.Keys() {
		add("log key %s", key)
	}
	m := config.ReadManual()
	for _, table := range m.Tables {
		for _, s := range table.Settings {
			for _, line := range s.Lines {
				key, _, _ := strings.Cut(line, " ")
				add("setting %s", strings.TrimPrefix(table.Name+"."+key, "."))
			}
		}
	}
	for _, key := range policy.EntryKeys() {
		add("entry %s", key)
		if c, ok := policy.CheckByName(key); ok {
			for _, r := range c.Results() {
				add("entry %s outcome %v", key, r)
			}
		}
	}
	rules := builtin.Rules()
	for i := range rules {
		add("built-in rule %s", rules[i].Name)
	}
	add("exit %d well", exit.Well)
	add("exit %d not well", exit.NotWell)
	add("exit %d wrong usage", exit.Misused)
	for l := health.OK; l <= health.Unknown; l++ {
		add("health --nagios exit %d %v", l, l)
	}
	return all
}

// TestFrozen holds these to testdata/frozen.txt, from which nothing may go after
// 1.0.0-rc.1; -update adds what is new.
func TestFrozen(t *testing.T) {
	const file = "testdata/frozen.txt"
	now := promises()
	if len(now) < 100 {
		t.Fatalf("%d promises: the lists are not read", len(now))
	}
	if *update {
		writeFile(t, file, strings.Join(now, "\n")+"\n")
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	frozen := strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")
	for _, line := range frozen {
		if !slices.Contains(now, line) {
			t.Errorf("%q is promised, and is no more", line)
		}
	}
	for _, line := range now {
		if !slices.Contains(frozen, line) {
			t.Errorf("%q is new: -update promises it", line)
		}
	}
	if !t.Failed() && !slices.Equal(now, frozen) {
		t.Error("the order has changed: that of the log's keys is that of its line")
	}
}
