package config

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// writeFiles writes a configuration that names exempt.toml beside it, and that.
func writeFiles(t *testing.T, conf, exempt string) (path, listed string) {
	t.Helper()
	dir := t.TempDir()
	path, listed = filepath.Join(dir, "config.toml"), filepath.Join(dir, "exempt.toml")
	if err := os.WriteFile(path, []byte("exempt_file = \"exempt.toml\"\n"+conf), 0o600); err != nil {
		t.Fatal(err)
	}
	if exempt != "" {
		rewrite(t, listed, exempt)
	}
	return path, listed
}

func rewrite(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// order are the names of the rules in force, each with what kind it is.
func order(c *Config) string {
	kinds := [...]string{BuiltinExempt: "B", Exempt: "E", Listed: "L", Own: "O", Builtin: "b", Changed: "c"}
	var all []string
	for i := range c.Rules.List {
		all = append(all, kinds[c.Origins[i].Source]+":"+c.Rules.List[i].Name)
	}
	return strings.Join(all, ", ")
}

const builtinExempts = "B:logged in, B:own client, B:postmaster, B:correspondent"

// TestExemptFile: the order, the hash that does not cover the file, and what becomes of a
// file that comes, changes, is damaged and goes.
func TestExemptFile(t *testing.T) {
	const own = `default_rules = false
[[rule]]
name = "own"
when = { ptr = "none" }
action = "reject"
[[exempt]]
name = "file"
when = { client = "192.0.2.1" }
`
	const one = "[[exempt]]\nname = \"one\"\nwhen = { client = \"192.0.2.2\" }\n"
	path, listed := writeFiles(t, own, "")
	absent, err := Load(path)
	if err != nil || order(absent) != builtinExempts+", E:file, O:own" || absent.ExemptFile != listed {
		t.Fatalf("absent: %v, %v, %q", err, order(absent), absent.ExemptFile)
	}
	steps := []struct{ text, want string }{
		{one, builtinExempts + ", E:file, L:one, O:own"},
		{one + "\n[[exempt]]\nwhen = { ptr_name = \".example.org\" }\nuntil = 2026-12-31T12:00:00Z\n", builtinExempts + ", E:file, L:one, L:ptr_name .example.org, O:own"},
		{"", builtinExempts + ", E:file, O:own"},
		{one, builtinExempts + ", E:file, L:one, O:own"},
	}
	now := absent
	for _, step := range steps {
		rewrite(t, listed, step.text)
		loaded, err := Load(path)
		if err != nil || order(loaded) != step.want || loaded.Hash != absent.Hash {
			t.Errorf("Load with %q: %v, %s, hash %s; want %s, %s", step.text, err, order(loaded), loaded.Hash, step.want, absent.Hash)
		}
		before := order(now)
		again, err := now.Exempting()
		if err != nil || order(again) != step.want || again.Hash != absent.Hash {
			t.Fatalf("Exempting with %q: %v, %v; want %s", step.text, err, again, step.want)
		}
		if order(now) != before {
			t.Errorf("Exempting changed the configuration that it was called of: %s, was %s", order(now), before)
		}
		now = again
	}
	rewrite(t, listed, one+"[[exempt")
	if _, err := now.Exempting(); err == nil || !strings.HasPrefix(err.Error(), listed+":4: not TOML") {
		t.Errorf("a damaged file: %v", err)
	}
	if _, err := Load(path); err == nil || !strings.HasPrefix(err.Error(), listed+":4: not TOML") {
		t.Errorf("a damaged file: %v", err)
	}
	if order(now) != builtinExempts+", E:file, L:one, O:own" {
		t.Errorf("after a damaged file %s are in force", order(now))
	}
}

// TestExemptFileUnreadable: a file that is there and cannot be read is an error.
func TestExemptFileUnreadable(t *testing.T) {
	path, listed := writeFiles(t, "", "")
	if err := os.Mkdir(listed, 0o700); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(path); err == nil || !strings.Contains(err.Error(), `config.toml:1: exempt_file = "`+listed+`": `) {
		t.Errorf("a folder: %v", err)
	}
}

// TestOverride: keys that are given replace those of the built-in rule, whole.
func TestOverride(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{`mode = "observe"`, `when   = { ptr = ["none", "malformed"] } action = "reject" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one" mode   = "observe"`},
		{`text = "set a PTR record for {client}"`, `when   = { ptr = ["none", "malformed"] } action = "reject" text   = "set a PTR record for {client}"`},
		{`when = { ptr = "none" }`, `when   = { ptr = "none" } action = "reject" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one"`},
		{`unless = { recipient = "info@" }`, `when   = { ptr = ["none", "malformed"] } unless = { recipient = "info@" } action = "reject" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one"`},
		{`code = "550 5.7.25"`, `when   = { ptr = ["none", "malformed"] } action = "reject" code   = "550 5.7.25" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one"`},
		{`action = "defer"`, `when   = { ptr = ["none", "malformed"] } action = "defer" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one"`},
		{"action = \"defer\"\ncode = \"451 4.7.25\"", `when   = { ptr = ["none", "malformed"] } action = "defer" code   = "451 4.7.25" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one"`},
		{`percent = 10`, `when   = { ptr = ["none", "malformed"] } action = "reject" text   = "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one" percent = 10`},
	} {
		c, err := Parse("x.toml", []byte("[[rule]]\nname = \"no reverse name\"\n"+tt.text+"\n"))
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		if want := strings.Replace(order(Defaults()), "b:no reverse name", "c:no reverse name", 1); order(c) != want {
			t.Errorf("%s: in force %s; want %s", tt.text, order(c), want)
		}
		for i := range c.Rules.List {
			if c.Origins[i].Source != Changed {
				continue
			}
			var b strings.Builder
			WriteRule(&b, &c.Rules.List[i])
			got := strings.Join(strings.Split(strings.TrimSpace(b.String()), "\n")[2:], " ")
			if got != tt.want {
				t.Errorf("%s: %s; want %s", tt.text, got, tt.want)
			}
		}
	}
	// mode = "enforce" and unless = [] take back what the built-in rule has.
	c, err := Parse("x.toml", []byte("[[rule]]\nname = \"HELO not its own\"\nmode = \"enforce\"\n[[rule]]\nname = \"HELO is another address\"\nunless = []\n"))
	if err != nil {
		t.Fatal(err)
	}
	for i := range c.Rules.List {
		if r := &c.Rules.List[i]; c.Origins[i].Source == Changed && (r.Observe || len(r.Unless) > 0) {
			t.Errorf("%s: observed %v, %d exceptions; want neither", r.Name, r.Observe, len(r.Unless))
		}
	}
}

// TestWriteRulesMakesThem: what is written of changed rules makes them again.
func TestWriteRulesMakesThem(t *testing.T) {
	for _, text := range []string{
		"[[rule]]\nname = \"no reverse name\"\naction = \"tag\"\n",
		"[[rule]]\nname = \"generic name and HELO\"\nmode = \"enforce\"\n",
		"[[rule]]\nname = \"HELO is another address\"\nunless = []\n",
		"[[exempt]]\nwhen = { client = \"192.0.2.1\", until = [2027-03-31, 2027-04-30] }\n",
	} {
		c, err := Parse("x.toml", []byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		first := written(c)
		again, err := Parse("written.toml", []byte(first))
		if err != nil || written(again) != first {
			t.Errorf("%s: %v, written\n%s", text, err, first)
		}
		for i := range c.Rules.List {
			if a, b := &c.Rules.List[i], &again.Rules.List[i]; a.Observe != b.Observe || a.Action != b.Action || len(a.Unless) != len(b.Unless) {
				t.Errorf("%s: %s is another one when it is read back:\n%s", text, a.Name, first)
			}
		}
	}
}

// TestOff switches built-in rules and exemptions off.
func TestOff(t *testing.T) {
	c, err := Parse("x.toml", []byte("[[rule]]\nname = \"no reverse name\"\noff = true\n[[exempt]]\nname = \"postmaster\"\noff = true\n[[exempt]]\nname = \"postmaster\"\nwhen = { recipient = \"postmaster@example.com\" }\n"))
	if err != nil || len(c.Warnings) > 0 {
		t.Fatal(err, c.Warnings)
	}
	got := order(c)
	if strings.Contains(got, "no reverse name") || !strings.HasPrefix(got, "B:logged in, B:own client, B:correspondent, E:postmaster, ") {
		t.Errorf("in force: %s", got)
	}
}
