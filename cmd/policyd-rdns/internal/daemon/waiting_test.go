package daemon

import (
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
)

// inside is a field of a struct, whoever's it is.
func inside(v any, path ...string) reflect.Value {
	at := reflect.ValueOf(v)
	for _, name := range path {
		at = reflect.Indirect(at).FieldByName(name)
	}
	return at
}

// fileOf is a configuration of settings by their names, as TOML.
func fileOf(settings map[string]string) string {
	var b strings.Builder
	last := ""
	for _, name := range slices.SortedFunc(maps.Keys(settings), func(a, b string) int {
		return strings.Compare(fmt.Sprint(strings.Contains(a, "."), a), fmt.Sprint(strings.Contains(b, "."), b))
	}) {
		table, key, ok := strings.Cut(name, ".")
		if !ok {
			table, key = "", name
		}
		if table != last {
			fmt.Fprintf(&b, "[%s]\n", table)
		}
		fmt.Fprintf(&b, "%s = %s\n", key, settings[name])
		last = table
	}
	return b.String()
}

// TestReloadOfEachKey: what a reload changes is in force behind it, and all else is told
// to wait for a restart, as often as a reload leaves it so, and no longer.
func TestReloadOfEachKey(t *testing.T) {
	t.Setenv("STATE_DIRECTORY", t.TempDir())
	dns, _ := testbed.StartWorld(t, "")
	dir := t.TempDir()
	file := func(name, text string) string {
		path := filepath.Join(dir, name)
		testbed.WriteFile(t, path, text)
		return fmt.Sprintf("%q", path)
	}
	rules := func(see func(r *policy.Rules) any) func(d *Daemon) any {
		return func(d *Daemon) any { return see(d.current.Load().conf.Rules) }
	}
	resolver := func(path ...string) func(d *Daemon) any {
		return func(d *Daemon) any { return inside(d.resolver, path...).Int() }
	}
	one := netip.MustParseAddr("192.0.2.1")
	// Where nothing shows that a key is in force, it has to be one that waits.
	keys := map[string]struct {
		value string
		shows func(d *Daemon) any
	}{
		"mode": {`"observe"`, rules(func(r *policy.Rules) any { return r.Mode })},
		// Without mode = "observe" it means nothing.
		"observe_reply": {`"info"` + "\nmode = \"observe\"", rules(func(r *policy.Rules) any { return r.Mode == policy.ObserveInfo })},
		"on_doubt":      {`"dunno"`, rules(func(r *policy.Rules) any { return r.OnDoubt })},
		"defer_for":     {`"4h"`, rules(func(r *policy.Rules) any { return r.DeferFor })},
		"default_rules": {`false`, rules(func(r *policy.Rules) any { return len(r.List) })},
		"exempt_file": {
			file("exempt.toml", "[[exempt]]\nname = \"partner\"\nwhen = { client = \"192.0.2.1\" }\n"),
			rules(func(r *policy.Rules) any { return len(r.List) }),
		},

		"server.listen":          {`["127.0.0.1:0", "[::1]:0"]`, nil},
		"server.socket_mode":     {`"0600"`, nil},
		"server.socket_group":    {`"0"`, nil},
		"server.networks":        {`["192.0.2.0/24"]`, rules(func(r *policy.Rules) any { return r.Networks.Has(one) })},
		"server.max_connections": {"10", nil},
		"server.deadline":        {`"6s"`, func(d *Daemon) any { return d.current.Load().gatherer.Deadline }},

		"resolver.servers":       {fmt.Sprintf(`[%q, "192.0.2.53"]`, dns), func(d *Daemon) any { return len(d.resolver.Stats().Servers) }},
		"resolver.timeout":       {`"3s"`, resolver("health", "timeout")},
		"resolver.cache_entries": {"1000", resolver("names", "cache", "few", "lru", "size")},
		"resolver.stale":         {`"0s"`, resolver("stale", "v")},
		"resolver.max_inflight":  {"20", resolver("limiter", "Most")},
		"resolver.outage":        {`"defer"`, rules(func(r *policy.Rules) any { return r.OnOutage })},

		"helo.own_names": {`["mx.example.com"]`, rules(func(r *policy.Rules) any { return r.OwnNames.Has("mx.example.com") })},
		"names.proper":   {`["mx.example.com"]`, rules(func(r *policy.Rules) any { return r.ProperNames.Has("mx.example.com") })},
		"names.generic":  {`["mx.example.com"]`, rules(func(r *policy.Rules) any { return r.GenericNames.Has("mx.example.com") })},
		"names.dnswl":    {`"list.example.org"`, rules(func(r *policy.Rules) any { return r.AllowList })},

		"log.format": {`"json"`, func(d *Daemon) any { return d.current.Load().conf.Log.Format }},
		"log.file": {fmt.Sprintf("%q", filepath.Join(dir, "other.log")), func(*Daemon) any {
			return os.Remove(filepath.Join(dir, "other.log")) == nil // there was one
		}},
		"log.people":  {`"hash"`, func(d *Daemon) any { return d.current.Load().conf.Log.People }},
		"http.listen": {`"127.0.0.1:0"`, nil},

		"history.store":         {fmt.Sprintf("%q", filepath.Join(dir, "history.sqlite")), nil},
		"history.password_file": {file("password", "secret\n") + "\nstore = \"valkey://localhost/0\"", nil},
		"history.delay": {`"4m"`, func(d *Daemon) any {
			return (*history.Settings)(inside(d.history, "settings", "v").UnsafePointer()).Delay
		}},
		"history.window":    {`"3d"`, nil},
		"history.keep":      {`"40d"`, nil},
		"history.grace":     {`"5d"`, rules(func(r *policy.Rules) any { return r.Grace })},
		"history.entries":   {"1000", func(d *Daemon) any { return inside(d.history, "memory", "most").Int() }},
		"history.strangers": {`["hoster.example"]`, rules(func(r *policy.Rules) any { return r.Strangers.Has("a.hoster.example") })},

		"reply.contact":  {`"help"`, func(d *Daemon) any { return d.current.Load().texts.Contact }},
		"reply.help":     {`"https://mx.example.com/"`, func(d *Daemon) any { return d.current.Load().texts.Help }},
		"reply.listen":   {`"127.0.0.1:10042"`, nil},
		"reply.proxies":  {`["192.0.2.1"]`, func(d *Daemon) any { return d.helpSettings().Proxy(one) }},
		"reply.key_file": {file("keys", "key-1-0123456789abcdef\n"), func(d *Daemon) any { return d.current.Load().keys != nil }},
	}

	path := filepath.Join(dir, "config.toml")
	base := map[string]string{
		"server.listen": `["127.0.0.1:0"]`, "resolver.servers": fmt.Sprintf("[%q]", dns),
		"log.file": fmt.Sprintf("%q", filepath.Join(dir, "decisions.log")),
	}
	testbed.WriteFile(t, path, fileOf(base))
	d := newHeard(t, path, config.Host{})
	reload := func(settings map[string]string) (log string) {
		testbed.WriteFile(t, path, fileOf(settings))
		d.messages.Reset()
		d.reload(t.Context())
		return d.messages.String()
	}

	var names []string
	for _, table := range config.ReadManual().Tables {
		for _, settings := range table.Settings {
			for _, line := range settings.Lines {
				key, _, _ := strings.Cut(line, " ")
				names = append(names, strings.TrimPrefix(table.Name+"."+key, "."))
			}
		}
	}
	for _, name := range names {
		key, ok := keys[name]
		if !ok {
			t.Errorf("%s: the test does not know what a reload does", name)
			continue
		}
		with := maps.Clone(base)
		with[name] = key.value
		if key.shows != nil {
			before := key.shows(d.Daemon)
			log := reload(with)
			if after := key.shows(d.Daemon); reflect.DeepEqual(before, after) || strings.Contains(log, "wait for a restart") || !strings.Contains(log, "configuration reloaded") {
				t.Errorf("%s = %s: shows %v, and %v after a reload; want a change, and nothing that waits:\n%s", name, key.value, before, after, log)
			}
			if reload(base); !reflect.DeepEqual(before, key.shows(d.Daemon)) {
				t.Errorf("%s: shows %v as it was again; want %v", name, key.shows(d.Daemon), before)
			}
			continue
		}
		running := func() any {
			c := d.current.Load().conf
			return []any{c.Reply.Listen, c.History.Window, c.History.Keep, c.Rules.Keep}
		}
		before := running()
		for n := range 2 {
			if log := reload(with); !strings.Contains(log, name) || !strings.Contains(log, "wait for a restart") || !strings.Contains(log, "configuration reloaded") {
				t.Errorf("%s = %s, reload %d: not told to wait for a restart:\n%s", name, key.value, n+1, log)
			}
			if now := running(); !reflect.DeepEqual(before, now) {
				t.Errorf("%s = %s: what waits is in force: %v; want %v", name, key.value, now, before)
			}
		}
		if log := reload(base); strings.Contains(log, "wait for a restart") {
			t.Errorf("%s as it was: something still waits:\n%s", name, log)
		}
	}
}
