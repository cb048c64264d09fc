package config

import (
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// TestHistory has what the file says of history where the rules look for it.
func TestHistory(t *testing.T) {
	c, err := Parse("x.toml", []byte(`defer_for = "4h"
[history]
store = "valkeys://mx.example.com/3"
password_file = "/run/credentials/policyd-rdns.service/valkey"
delay = "5m"
window = "1d"
keep = "40d"
grace = "3d"
entries = 5000
strangers = [".hoster.example", "Cloud.example."]
[[rule]]
name = "no reverse name"
defer_for = "0s"
`))
	if err != nil {
		t.Fatal(err)
	}
	h, r := &c.History, c.Rules
	if h.Store != "valkeys://mx.example.com/3" || !c.OnServer() || h.PasswordFile == "" || h.Delay != 5*time.Minute ||
		h.Window != plain.Day || h.Keep != 40*plain.Day || h.Entries != 5000 {
		t.Errorf("%+v", *h)
	}
	if r.DeferFor != 4*time.Hour || r.Grace != 3*plain.Day || r.Keep != h.Keep {
		t.Errorf("defer_for %v, grace %v, keep %v", r.DeferFor, r.Grace, r.Keep)
	}
	for _, name := range []string{"hoster.example", "vps.hoster.example", "cloud.example"} {
		if !r.Strangers.Has(name) {
			t.Errorf("%s is not among the strangers", name)
		}
	}
	for i := range r.List {
		of := &r.List[i]
		if waits := of.DeferFor != nil; waits != (of.Name == "no reverse name") || waits && *of.DeferFor != 0 {
			t.Errorf("rule %q: defer_for %v", of.Name, of.DeferFor)
		}
	}
	if d := Defaults(); d.History.Store != "" || d.OnServer() || d.Rules.DeferFor != 0 || d.Rules.Grace != 4*plain.Day || d.Rules.Keep != 35*plain.Day {
		t.Errorf("the defaults: %+v, %v, %v, %v", d.History, d.Rules.DeferFor, d.Rules.Grace, d.Rules.Keep)
	}
}

// TestHashHasDeferFor: the hash tells rules apart that wait for as long as others do not.
func TestHashHasDeferFor(t *testing.T) {
	hashes := map[string]string{}
	for _, value := range []string{"", `"0s"`, `"4h"`, `"1d"`} {
		text := "[[rule]]\nname = \"no reverse name\"\ntext = \"none\"\n"
		if value != "" {
			text += "defer_for = " + value + "\n"
		}
		c, err := Parse("x.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		if other, ok := hashes[c.Hash]; ok {
			t.Errorf("%q has the hash of %q", value, other)
		}
		hashes[c.Hash] = value
	}
}

// TestShownURL: what may be a password is in no message.
func TestShownURL(t *testing.T) {
	for in, want := range map[string]string{
		"redis://192.0.2.7/0":                    "redis://192.0.2.7/0",
		"redis://:secret@192.0.2.7/0":            "redis://:xxxxx@192.0.2.7/0",
		"redis://mx:se/cr@et@192.0.2.7/0":        "redis://mx:xxxxx@192.0.2.7/0",
		"redis://mx@192.0.2.7/0":                 "redis://mx@192.0.2.7/0",
		"redis://192.0.2.7/0?password=secret":    "redis://192.0.2.7/0",
		"redis://mx:sec?ret@192.0.2.7/0":         "redis://mx:xxxxx@192.0.2.7/0",
		"://":                                    "://",
		"redis://mx:\x00secret@[2001:db8::7]:1/": "redis://mx:xxxxx@[2001:db8::7]:1/",
	} {
		if got := shownURL(in); got != want {
			t.Errorf("shownURL(%q) = %q; want %q", in, got, want)
		}
	}
}
