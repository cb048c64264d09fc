package daemon

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

func TestNATGuard(t *testing.T) {
	one := func(addr string) func(int) string { return func(int) string { return addr } }
	tests := []struct {
		name     string
		client   func(i int) string
		own      bool
		login    bool
		every    time.Duration // between messages
		requests int           // a message
		want     string        // a part of the one line; "" none
	}{
		{"a container network", one("172.17.0.1"), false, false, 10 * time.Second, 1, "one address"},
		{"a load balancer of ours", one("198.51.100.1"), true, false, 10 * time.Second, 1, "one address"},
		{"clients on the Internet", func(i int) string { return fmt.Sprintf("203.0.113.%d", i%250) }, false, false, 10 * time.Second, 1, ""},
		{"a private network of many", func(i int) string { return fmt.Sprintf("10.0.0.%d", i%250) }, false, false, 10 * time.Second, 1, "private or own"},
		{"own hosts of many", func(i int) string { return fmt.Sprintf("198.51.100.%d", i%250) }, true, false, 10 * time.Second, 1, "private or own"},
		{"one sender of a tenth", func(i int) string { return []string{"198.51.100.7", fmt.Sprintf("203.0.113.%d", i%250)}[min(i%10, 1)] }, false, false, 10 * time.Second, 1, ""},
		{"one sender of nine tenths", func(i int) string { return []string{fmt.Sprintf("203.0.113.%d", i%250), "198.51.100.7"}[min(i%10, 1)] }, false, false, 10 * time.Second, 1, ""},
		{"users of one office", one("203.0.113.1"), false, true, 10 * time.Second, 1, ""},
		{"a burst", one("203.0.113.1"), false, false, time.Millisecond, 1, ""},
		{"one message to many", one("203.0.113.1"), false, false, time.Hour, 5000, ""},
	}
	for _, test := range tests {
		var log bytes.Buffer
		g := natGuard{log: slog.New(slog.NewTextHandler(&log, nil))}
		begin := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
		messages := 1000
		if test.requests > 1 {
			messages = 1
		}
		for i := range messages {
			for range test.requests {
				g.see(&policy.Request{
					Time:          begin.Add(time.Duration(i) * test.every),
					Client:        netip.MustParseAddr(test.client(i)),
					Instance:      fmt.Sprint(i),
					Authenticated: test.login,
				}, test.own, resolver.Found)
			}
		}
		got := log.String()
		lines := strings.Count(got, "\n")
		if test.want == "" && lines != 0 || test.want != "" && (lines != 1 || !strings.Contains(got, test.want) || !strings.Contains(got, "smtpd_upstream_proxy_protocol")) {
			t.Errorf("%s: logged %q; want one line with %q", test.name, got, test.want)
		}
		if now := g.trouble(); (now != "") != (test.want != "") || !strings.Contains(now, test.want) {
			t.Errorf("%s: trouble() = %q; want %q in it", test.name, now, test.want)
		}
	}
}

// TestNATMended: what the status page tells ends with its cause, and the log has
// it once.
func TestNATMended(t *testing.T) {
	var log bytes.Buffer
	g := natGuard{log: slog.New(slog.NewTextHandler(&log, nil))}
	now := time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC)
	mail := func(client func(i int) string) {
		for i := range natMessages + 1 {
			now = now.Add(natTime / natMessages)
			g.see(&policy.Request{Time: now, Client: netip.MustParseAddr(client(i))}, false, resolver.Found)
		}
	}
	gateway := func(int) string { return "172.17.0.1" }
	for _, step := range []struct {
		client func(int) string
		want   bool
	}{
		{gateway, true},
		{func(i int) string { return fmt.Sprintf("203.0.113.%d", i%250) }, false},
		{gateway, true},
	} {
		mail(step.client)
		if got := g.trouble(); (got != "") != step.want {
			t.Errorf("trouble() = %q; want some: %v", got, step.want)
		}
	}
	if lines := strings.Count(log.String(), "\n"); lines != 1 {
		t.Errorf("logged %q; want one line", log.String())
	}
}
