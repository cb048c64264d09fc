package daemon

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// TestWithinQueue has socket files as Postfix has to be told of them.
func TestWithinQueue(t *testing.T) {
	dir := t.TempDir()
	for _, folder := range []string{"queue/private", "queue/active", "queue/public", "plain/private"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		dir + "/queue/private/policyd-rdns":       "private/policyd-rdns",
		dir + "/queue/public/policyd-rdns":        "public/policyd-rdns",
		dir + "/queue/policyd-rdns":               "policyd-rdns",
		dir + "/plain/private/policyd-rdns":       dir + "/plain/private/policyd-rdns",
		"/var/spool/postfix/private/policyd-rdns": "private/policyd-rdns",
		"/run/policyd-rdns/socket":                "/run/policyd-rdns/socket",
	} {
		if got := withinQueue(path); got != want {
			t.Errorf("withinQueue(%s) = %s; want %s", path, got, want)
		}
	}
}

// TestCovers compares sockets passed by systemd with addresses to listen on.
func TestCovers(t *testing.T) {
	tests := []struct {
		listening, address string
		want               bool
	}{
		{"127.0.0.1:10040", "127.0.0.1:10040", true},
		{"127.0.0.1:10040", "127.0.0.1:10041", false},
		{"127.0.0.1:10040", "[::1]:10040", false},
		{"[::1]:10040", "[0:0::1]:10040", true},
		{"0.0.0.0:10040", "127.0.0.1:10040", true},
		{"0.0.0.0:10040", "[::1]:10040", false},
		{"[::]:10040", "[::1]:10040", true},
		{"[::]:10040", "127.0.0.1:10040", true}, // systemd's BindIPv6Only=both
		{"unix:/run/a", "unix:/run/a", true},
		{"unix:/run/a", "unix:/run/b", false},
		{"unix:/run/a", "unix:/run//./a", true},
		{"unix:/run/a", "127.0.0.1:10040", false},
	}
	for _, test := range tests {
		if got := covers(test.listening, test.address); got != test.want {
			t.Errorf("covers(%s, %s) = %v; want %v", test.listening, test.address, got, test.want)
		}
	}
}

// TestConfigtestPassesWhatListens holds the two to each other: what configtest lets
// pass is listened on, and what is listened on passes.
func TestConfigtestPassesWhatListens(t *testing.T) {
	dir := t.TempDir()
	testbed.WriteFile(t, filepath.Join(dir, "file"), "")
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, server := range []string{
		`listen = ["127.0.0.1:0"]`,
		`listen = ["[::ffff:127.0.0.1]:0"]`,
		`listen = ["127.0.0.1:0", "unix:DIR/s"]`,
		`listen = ["unix:DIR/s", "unix:DIR/t"]`,
		`listen = ["unix:DIR/s", "unix:DIR//s"]`,
		`listen = ["unix:DIR/s", "unix:DIR/folder/../s"]`,
		`listen = ["unix:DIR/none/s"]`,
		`listen = ["unix:DIR/file"]`,
		`listen = ["unix:DIR/file/s"]`,
		`listen = ["unix:DIR/folder"]`,
		`listen = ["unix:DIR/folder/"]`,
		`listen = ["unix:DIR/s/"]`,
		`listen = ["unix:DIR/` + strings.Repeat("x", 90) + `"]`,
		`listen = ["unix:DIR/` + strings.Repeat("x", 30) + `"]`,
		`listen = ["unix:s"]`,
		`listen = ["unix:"]`,
		`listen = ["localhost:0"]`,
		`listen = ["unix:DIR/s"]` + "\nsocket_group = \"no-such-group\"",
		`listen = ["unix:DIR/s"]` + "\nsocket_group = \"-1\"",
		`listen = ["unix:DIR/s"]` + "\nsocket_group = \"4294967295\"",
	} {
		conf, err := config.Parse("", []byte("[server]\n"+strings.ReplaceAll(server, "DIR", dir)))
		if err != nil {
			// Listening comes to the same, for one of the addresses at least.
			conf = config.Defaults()
			listening, group, _ := strings.Cut(strings.TrimPrefix(server, "listen = "), "\nsocket_group = ")
			conf.Server.SocketGroup = strings.Trim(group, `"`)
			conf.Server.Listen = nil
			for address := range strings.SplitSeq(strings.Trim(listening, "[]"), ", ") {
				conf.Server.Listen = append(conf.Server.Listen, strings.ReplaceAll(strings.Trim(address, `"`), "DIR", dir))
			}
		}
		listeners, refused := listen(conf, nil)
		for _, l := range listeners {
			l.Close()
		}
		if (err != nil) != (refused != nil) {
			t.Errorf("%.120s: configtest: %v; listening: %v; want both or neither", server, err, refused)
		}
	}
}
