package config

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"policyd-rdns/cmd/policyd-rdns/internal/config/container"
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
		c, err := parse("config.toml", []byte(text), surroundings{variable: variables(set)})
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
	_, err := parse("config.toml", []byte("x = 1\n"), surroundings{variable: variables(map[string]string{
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

func TestPassedOver(t *testing.T) {
	got := PassedOver([]string{
		"PATH=/bin", "POLICYD_RDNS_PORT=tcp://192.0.2.1:10040", "POLICYD_RDNS_MODE=observe", "POLICYD_RDNS_CONFIG=x", "POLICYD_RDNS_LISTEN=",
		"POLICYD_RDNS_SERVICE_HOST=192.0.2.1", "POLICYD_RDNS_PORT=again", "POLICYD_RDNS", "X_POLICYD_RDNS_Y=1",
	})
	if want := []string{"POLICYD_RDNS_PORT", "POLICYD_RDNS_SERVICE_HOST"}; !slices.Equal(got, want) {
		t.Errorf("passed over %q; want %q", got, want)
	}
}

// TestContainer: what engines leave, and networks that the Internet does not reach.
func TestContainer(t *testing.T) {
	for _, tt := range []struct {
		files fstest.MapFS
		set   map[string]string
		want  bool
	}{
		{fstest.MapFS{}, nil, false},
		{fstest.MapFS{".dockerenv": {}}, nil, true},
		{fstest.MapFS{"run/.containerenv": {}}, nil, true},
		{fstest.MapFS{"run/other": {}}, map[string]string{"container": "podman"}, true},
		{fstest.MapFS{}, map[string]string{"KUBERNETES_SERVICE_HOST": "192.0.2.1"}, true},
	} {
		if got := container.Is(tt.files, variables(tt.set)); got != tt.want {
			t.Errorf("container.Is(%v, %v) = %v; want %v", tt.files, tt.set, got, tt.want)
		}
	}
	for text, want := range map[string]bool{
		"": true, "127.0.0.1 ::1 172.22.1.9 fe80::1 fd00::9": true, "127.0.0.1 198.51.100.7": false, "172.22.1.9 2001:db8::1": false,
	} {
		var addrs []netip.Addr
		for _, a := range strings.Fields(text) {
			addrs = append(addrs, netip.MustParseAddr(a))
		}
		if got := container.Private(addrs); got != want {
			t.Errorf("container.Private(%s) = %v; want %v", text, got, want)
		}
	}
	for _, container := range []bool{true, false} {
		c, err := parse("", []byte("[server]\nlisten = [\"0.0.0.0:10040\"]\n[http]\nlisten = \"0.0.0.0:10041\"\n"), surroundings{container: container})
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
