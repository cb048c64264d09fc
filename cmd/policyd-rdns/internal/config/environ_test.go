package config

import (
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config/environ"
	"policyd-rdns/policy"
)

func variables(set map[string]string) func(string) string {
	return func(name string) string { return set[name] }
}

// TestEnvironment: mode and server.listen of the environment come before the file, make it
// another configuration, and nothing else does.
func TestEnvironment(t *testing.T) {
	const file = "mode = \"observe\"\n[server]\nlisten = [\"127.0.0.1:10040\"]\n"
	read := func(text string, set map[string]string) *Config {
		t.Helper()
		c, err := parse("config.toml", []byte(text), environ.Surroundings{Variable: variables(set)})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	plain := read(file, nil)
	hashes := []string{plain.Hash}
	for _, tt := range []struct {
		file   string
		set    map[string]string
		mode   policy.Mode
		listen string
		used   string
	}{
		{file, map[string]string{"POLICYD_RDNS_MODE": "enforce"}, policy.Enforce, "127.0.0.1:10040", "POLICYD_RDNS_MODE"},
		{file, map[string]string{"POLICYD_RDNS_LISTEN": "0.0.0.0:10040, unix:/run/x"}, policy.Observe, "0.0.0.0:10040 unix:/run/x", "POLICYD_RDNS_LISTEN"},
		{"", map[string]string{"POLICYD_RDNS_LISTEN": "[::]:10040", "POLICYD_RDNS_MODE": "observe"}, policy.Observe, "[::]:10040", "POLICYD_RDNS_MODE POLICYD_RDNS_LISTEN"},
	} {
		c := read(tt.file, tt.set)
		if got := strings.Join(c.Server.Listen, " "); c.Rules.Mode != tt.mode || got != tt.listen || strings.Join(c.Variables, " ") != tt.used {
			t.Errorf("%v: %v, %s, %q; want %v, %s, %s", tt.set, c.Rules.Mode, got, c.Variables, tt.mode, tt.listen, tt.used)
		}
		if slices.Contains(hashes, c.Hash) {
			t.Errorf("%v: the hash is that of another configuration", tt.set)
		}
		hashes = append(hashes, c.Hash)
	}
	if c := read(file, map[string]string{"POLICYD_RDNS_MODE": "", "POLICYD_RDNS_PORT": "tcp://192.0.2.1:10040", "POLICYD_RDNS_DEFER_FOR": "1h"}); c.Hash != plain.Hash || c.Variables != nil {
		t.Errorf("what is empty or unknown is in force: %q", c.Variables)
	}
}

// TestEnvironmentWrong: what is wrong there is told as what is wrong in the file.
func TestEnvironmentWrong(t *testing.T) {
	_, err := parse("config.toml", []byte("x = 1\n"), environ.Surroundings{Variable: variables(map[string]string{
		"POLICYD_RDNS_MODE": "Observe", "POLICYD_RDNS_LISTEN": "10040,127.0.0.1:10040",
	})})
	if err == nil {
		t.Fatal("no error")
	}
	for _, want := range []string{
		`environment: POLICYD_RDNS_MODE = "Observe": want enforce or observe`,
		`environment: POLICYD_RDNS_LISTEN = "10040": `, "x: unknown key",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwant %s", err, want)
		}
	}
}

// TestContainerWarnings: on a container's network a listener is not warned of as if the
// Internet reached it.
func TestContainerWarnings(t *testing.T) {
	for _, container := range []bool{true, false} {
		c, err := parse("", []byte("[server]\nlisten = [\"0.0.0.0:10040\"]\n[http]\nlisten = \"0.0.0.0:10041\"\n"), environ.Surroundings{Container: container})
		if err != nil {
			t.Fatal(err)
		}
		told := 0
		for _, w := range c.Warnings {
			if strings.Contains(w.Error(), "not on the loopback") {
				told++
			}
		}
		if want := map[bool]int{true: 0, false: 2}[container]; told != want {
			t.Errorf("in a container %v: %d warnings of the loopback; want %d", container, told, want)
		}
	}
}
