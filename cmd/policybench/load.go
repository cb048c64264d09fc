package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/load"
)

// loading is the flags of load.
type loading struct {
	load.Config
	clients  load.Clients
	address  string
	mine     bool // --this-server-is-mine
	ipv6     bool
	count    uint64
	requests string // file
	json     bool
}

func newLoad() *cobra.Command {
	var l loading
	cmd := &cobra.Command{
		Use:   "load --addr ADDRESS",
		Short: "ask a policy service as Postfix does, and measure it",
		Long: `load asks a policy service over connections that stay open, and prints how many
requests it answered, how soon (p50, p90, p99, p99.9, max), and with what.

Without --rate each connection sends its next request when the last one is
answered: this shows what the service can do at most. With --rate requests come at
that rate whatever the service does, and the latency of each counts from when it
was meant to be sent, so that a pause is charged for all whom it delayed. Use it
at half of the maximum, or at the rate of your own mail.

With --pid the service's processor time and memory are read from /proc.

The requests are those of Postfix 3.9 about synthetic clients (see "policybench
world", which is a DNS that knows them), or those of a file, as Postfix
sends them: lines of name=value, an empty line after each request.

  policybench load --addr 127.0.0.1:10023 --connections 100 --pid "$(pidof postgrey)"
  policybench load --addr unix:/run/policy.sock --rate 500 --duration 1m
  policybench load --addr 127.0.0.1:10040 --requests requests.txt --json

A service on another host is asked only with --this-server-is-mine: a policy
service that is busy delays mail.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return l.run(cmd) },
	}
	f := cmd.Flags()
	f.StringVar(&l.address, "addr", "", "`address` and port of the service, or unix:/path")
	f.BoolVar(&l.mine, "this-server-is-mine", false, "allow an address that is not of the loopback")
	f.IntVar(&l.Connections, "connections", 100, "that are open, as many as Postfix has smtpd processes")
	f.Float64Var(&l.Rate, "rate", 0, "requests in a `second`; 0: as many as are answered")
	f.DurationVar(&l.Duration, "duration", 10*time.Second, "that is measured")
	f.DurationVar(&l.Warmup, "warmup", time.Second, "before it")
	f.DurationVar(&l.Timeout, "timeout", 30*time.Second, "for one reply")
	f.IntVar(&l.Threads, "threads", 1, "of the generator; more if it takes nearly all of one processor")
	f.IntVar(&l.Server, "pid", 0, "process of the service, to measure it too")
	f.Uint64Var(&l.count, "clients", 10_000, "that are asked about")
	f.BoolVar(&l.clients.Once, "once", false, "ask about each client once: all are new to the service")
	f.BoolVar(&l.ipv6, "ipv6", false, "clients have IPv6 addresses")
	crowdFlags(f, &l.clients.Crowd)
	f.StringVar(&l.requests, "requests", "", "`file` of requests to send instead; - is standard input")
	f.BoolVar(&l.json, "json", false, "print JSON: times in microseconds, memory in bytes")
	return cmd
}

func (l *loading) run(cmd *cobra.Command) error {
	var err error
	if l.Network, l.Address, err = target(l.address, l.mine); err != nil {
		return errUsage{err}
	}
	if l.Source, err = l.source(cmd.InOrStdin()); err != nil {
		return err
	}
	result, err := load.Run(cmd.Context(), l.Config)
	if err != nil {
		return err
	}
	if l.json {
		e := json.NewEncoder(cmd.OutOrStdout())
		e.SetIndent("", "  ")
		return e.Encode(result)
	}
	return result.Print(cmd.OutOrStdout())
}

// target is where an address leads: on the loopback, or anywhere if the server is
// the caller's own.
func target(address string, mine bool) (network, where string, err error) {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return "unix", path, nil
	}
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return "", "", fmt.Errorf("--addr %.60q: want an address and a port such as 127.0.0.1:10023, or unix:/path", address)
	}
	addr, err := netip.ParseAddr(host)
	loopback := err == nil && addr.Unmap().IsLoopback() || host == "localhost"
	if !loopback && !mine {
		return "", "", fmt.Errorf("--addr %.60q is not on this host's loopback: add --this-server-is-mine if it is yours and serves no mail now", address)
	}
	return "tcp", address, nil
}

// source makes the requests.
func (l *loading) source(stdin io.Reader) (load.Source, error) {
	if l.requests != "" && l.clients.Once {
		return nil, errUsage{errors.New("--once is about synthetic clients: not with --requests")}
	}
	if l.requests != "" {
		return readRequests(l.requests, stdin)
	}
	l.clients.Family = crowd.IPv4
	if l.ipv6 {
		l.clients.Family = crowd.IPv6
	}
	if size := min(l.clients.Family.Size(), math.MaxUint32); l.count < 1 || l.count > size {
		return nil, errUsage{fmt.Errorf("--clients %d: want 1 to %d", l.count, size)}
	}
	l.clients.Count = uint32(l.count)
	return &l.clients, nil
}

func readRequests(path string, stdin io.Reader) (load.Source, error) {
	in := stdin
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	requests, err := load.ReadRequests(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return requests, nil
}
