package load

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/floor"
)

// listen serves connections on the loopback until the test ends.
func listen(t *testing.T, network, address string, serve func(context.Context, net.Listener)) net.Addr {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs epoll")
	}
	l, err := net.Listen(network, address)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan struct{})
	go func() {
		defer close(served)
		serve(ctx, l)
	}()
	t.Cleanup(func() { cancel(); l.Close(); <-served })
	return l.Addr()
}

// brief is a measurement of a fraction of a second.
func brief(a net.Addr) Config {
	return Config{
		Network: a.Network(), Address: a.String(), Connections: 7, Threads: 2,
		Warmup: 20 * time.Millisecond, Duration: 100 * time.Millisecond, Timeout: 5 * time.Second,
		Source: &Clients{Family: crowd.IPv4, Count: 1000}, Server: os.Getpid(),
	}
}

func doNothing(ctx context.Context, l net.Listener) { _ = floor.Serve(ctx, l) }

func TestRun(t *testing.T) {
	tcp := listen(t, "tcp", "127.0.0.1:0", doNothing)
	unix := listen(t, "unix", t.TempDir()+"/socket", doNothing)
	for _, address := range []net.Addr{tcp, unix} {
		for _, rate := range []float64{0, 2000} {
			c := brief(address)
			c.Rate = rate
			r, err := Run(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if r.Answered < r.Requests || len(r.Errors) > 0 || r.Unsent > 0 || r.Actions["DUNNO"] == 0 || len(r.Actions) != 1 {
				t.Errorf("%v, rate %g: %+v; want all answered DUNNO", address, rate, r)
			}
			if got := r.Latency.TotalCount(); got != r.Actions["DUNNO"] || rate > 0 && (got < 199 || got > 201) {
				t.Errorf("%v, rate %g: %d latencies, %d replies; want as many, and 200 in an open loop", address, rate, got, r.Actions["DUNNO"])
			}
			if r.ServerPeak == 0 || r.Quantile(0.5) <= 0 || r.Quantile(1) < r.Quantile(0.5) {
				t.Errorf("%v, rate %g: peak %d, p50 %v, max %v", address, rate, r.ServerPeak, r.Quantile(0.5), r.Quantile(1))
			}
		}
	}
}

// scripted is a server that gives each connection to a function, with requests
// read one by one.
func scripted(answer func(conn net.Conn, next func() bool)) func(context.Context, net.Listener) {
	return func(ctx context.Context, l net.Listener) {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			stop := context.AfterFunc(ctx, func() { conn.Close() })
			go func() {
				defer stop()
				defer conn.Close()
				r := bufio.NewReader(conn)
				answer(conn, func() bool {
					for {
						line, err := r.ReadSlice('\n')
						if err != nil || len(line) == 1 {
							return err == nil
						}
					}
				})
			}()
		}
	}
}

// What goes wrong is counted, and the generator goes on to the end.
func TestTrouble(t *testing.T) {
	tests := []struct {
		name   string
		answer func(conn net.Conn, next func() bool)
		want   string // the error
		some   bool   // some are answered
	}{
		{"closes after each reply", func(c net.Conn, next func() bool) {
			if next() {
				_, _ = io.WriteString(c, "action=OK\n\n")
			}
		}, "closed", true},
		{"closes instead", func(_ net.Conn, next func() bool) { next() }, "closed", false},
		{"no policy service", func(c net.Conn, next func() bool) {
			next()
			_, _ = io.WriteString(c, "220 mail.example.com ESMTP\n\n")
			next()
		}, "no reply", false},
		{"answers twice", func(c net.Conn, next func() bool) {
			next()
			_, _ = io.WriteString(c, "action=OK\n\naction=OK\n\n")
			next()
		}, "no reply", false},
		{"says nothing", func(_ net.Conn, next func() bool) {
			for next() {
			}
		}, "timeout", false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			c := brief(listen(t, "tcp", "127.0.0.1:0", scripted(test.answer)))
			if test.want == "timeout" {
				c.Timeout = 50 * time.Millisecond // looked for every 100 ms
				c.Duration = 300 * time.Millisecond
			}
			for _, rate := range []float64{0, 500} {
				c.Rate = rate
				r, err := Run(t.Context(), c)
				if err != nil {
					t.Fatal(err)
				}
				if r.Errors[test.want] == 0 || len(r.Errors) != 1 || (r.Answered > 0) != test.some {
					t.Errorf("rate %g: errors %v, %d answered; want only %q", rate, r.Errors, r.Answered, test.want)
				}
			}
		})
	}
}

// Replies come in pieces; every client is asked about once, and that is the end.
func TestOnce(t *testing.T) {
	a := listen(t, "tcp", "127.0.0.1:0", scripted(func(c net.Conn, next func() bool) {
		for next() {
			for _, piece := range []string{"act", "ion=550 5.7.1 no\n", "\n"} {
				_, _ = io.WriteString(c, piece)
			}
		}
	}))
	for _, rate := range []float64{0, 5000} {
		c := brief(a)
		c.Rate, c.Warmup, c.Duration = rate, 0, time.Minute
		c.Source = &Clients{Family: crowd.IPv6, Count: 1000, Once: true, First: 900}
		r, err := Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		if !r.Exhausted || r.Answered != 100 || r.Actions["550"] != 100 || r.Duration > 30*time.Second {
			t.Errorf("rate %g: %d answered, %v, %v; want 100, with 550, and an early end", rate, r.Answered, r.Actions, r.Duration)
		}
	}
}

func TestRefused(t *testing.T) {
	a := listen(t, "tcp", "127.0.0.1:0", doNothing)
	for name, change := range map[string]func(*Config){
		"no connections": func(c *Config) { c.Connections = 0 },
		"too many":       func(c *Config) { c.Connections = maxConnections + 1 },
		"no threads":     func(c *Config) { c.Threads = 0 },
		"idle threads":   func(c *Config) { c.Threads = c.Connections + 1 },
		"rate":           func(c *Config) { c.Rate = -1 },
		"no time":        func(c *Config) { c.Duration = 0 },
		"no timeout":     func(c *Config) { c.Timeout = 0 },
		"nobody there":   func(c *Config) { c.Network, c.Address = "unix", "/nonexistent/socket" },
		"no process":     func(c *Config) { c.Server = -1 },
	} {
		c := brief(a)
		change(&c)
		if c.Server == -1 {
			c.Server = 1 << 30
		}
		if _, err := Run(t.Context(), c); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Run(ctx, brief(a)); err == nil {
		t.Error("ended before it began: no error")
	}
}

func TestPrint(t *testing.T) {
	c := brief(listen(t, "tcp", "127.0.0.1:0", doNothing))
	r, err := Run(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	r.Errors["closed"], r.Unsent, r.Exhausted = 3, 4, true
	var text strings.Builder
	if err := r.Print(&text); err != nil {
		t.Fatal(err)
	}
	words := strings.Join(strings.Fields(text.String()), " ")
	for _, want := range []string{"closed loop", "latency p99.9", "action DUNNO", "error: closed 3", "not sent 4", "server CPU", "--clients"} {
		if !strings.Contains(words, want) {
			t.Errorf("Print() = %s; want %q in it", words, want)
		}
	}
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var back struct {
		Requests int64
		Latency  map[string]float64 `json:"latency_us"`
		Server   struct{ Peak_memory int64 }
	}
	if err := json.Unmarshal(encoded, &back); err != nil || back.Requests != r.Requests || back.Latency["p99_9"] <= 0 || back.Server.Peak_memory != r.ServerPeak {
		t.Errorf("JSON %s, %v", encoded, err)
	}
}
