package daemon

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
)

// TestListRefuses: that the allow-list refuses our queries is told once an hour, with what to
// do, and of no other trouble with it.
func TestListRefuses(t *testing.T) {
	dns, _ := testbed.StartWorld(t, "1.2.0.192.list.example.org. 60 IN A 127.0.0.255\n!servfail 2.2.0.192.list.example.org\n")
	path := filepath.Join(t.TempDir(), "config.toml")
	testbed.WriteFile(t, path, fmt.Sprintf("default_rules = false\n[resolver]\nservers = [%q]\n[names]\ndnswl = \"list.example.org\"\n"+
		"[[rule]]\nname = \"all\"\nwhen = { client = \"192.0.2.0/24\" }\nunless = { dnswl = \"high\" }\naction = \"reject\"\ntext = \"no\"\n", dns))
	d := newHeard(t, path, config.Host{})
	begin := time.Now()
	for _, step := range []struct {
		client string
		after  time.Duration
		told   bool
	}{
		{"192.0.2.2", 0, false}, // SERVFAIL
		{"192.0.2.3", 0, false}, // not listed
		{"192.0.2.1", time.Minute, true},
		{"192.0.2.1", 2 * time.Minute, false},
		{"192.0.2.1", time.Hour, false},
		{"192.0.2.1", 61 * time.Minute, true},
	} {
		d.messages.Reset()
		req := policy.Request{Client: netip.MustParseAddr(step.client), State: "RCPT", HELO: "mail.example.com", Time: begin.Add(step.after)}
		if _, wait := d.Handle(t.Context(), &req); wait != nil {
			wait()
		}
		log := d.messages.String()
		told := strings.Contains(log, "level=WARN msg=\"the allow-list refuses our queries") && strings.Contains(log, "list=list.example.org") && strings.Contains(log, "resolver.servers")
		if told != step.told || !told && log != "" {
			t.Errorf("%s after %v: told %t; want %t:\n%s", step.client, step.after, told, step.told, log)
		}
	}
}
