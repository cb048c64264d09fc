package trial

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/load"
)

// Options are what to measure, and how long.
type Options struct {
	Daemon string // the program policyd-rdns
	Bench  string // this program, for its floor and world
	Plan   Plan
	// Progress is told what is being measured.
	Progress io.Writer
}

// Plan is how much is measured. The samples of each line are as many as Rounds, or
// some times that.
type Plan struct {
	Rounds  int
	Window  time.Duration // of one measurement; a quarter of it before is the warm-up
	Clients uint32        // that are cached
	Lines   int           // of the long @file
	// Connections that are many. NewClients is how many connections ask about
	// new ones.
	Connections, NewClients int
}

// Full takes about eight minutes.
func Full() Plan {
	return Plan{Rounds: 5, Window: 1600 * time.Millisecond, Clients: 10_000, Lines: 1_000_000, Connections: 2000, NewClients: usual}
}

// Quick takes about a minute. Its figures are less to be trusted.
func Quick() Plan {
	return Plan{Rounds: 3, Window: 400 * time.Millisecond, Clients: 2000, Lines: 1_000_000, Connections: 2000, NewClients: usual}
}

// trial is a run under way.
type trial struct {
	options Options
	dir     string
	floor   *program
	epoll   *program // the floor of one thread
	unix    *program // the same on a unix socket
	worlds  map[worldKind]*world
	report  *Report
	round   int
	turn    int // within a round
}

// Run measures all of it. The error says what went wrong, not that a demand is
// missed.
func Run(ctx context.Context, o Options) (r *Report, err error) {
	dir, err := os.MkdirTemp("", "policybench")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t := &trial{options: o, dir: dir, worlds: map[worldKind]*world{}, report: &Report{}}
	defer func() { err = errors.Join(err, t.close()) }()
	if t.floor, err = startProgram(ctx, "floor", nil, o.Bench, "floor"); err != nil {
		return nil, err
	}
	if t.epoll, err = startProgram(ctx, "floor --epoll", nil, o.Bench, "floor", "--epoll"); err != nil {
		return nil, err
	}
	if t.unix, err = startProgram(ctx, "floor --epoll", nil, o.Bench, "floor", "--epoll", "--listen", "unix:"+filepath.Join(dir, "floor")); err != nil {
		return nil, err
	}
	for t.round = range o.Plan.Rounds {
		for _, part := range []struct {
			name    string
			measure func(context.Context) error
		}{
			{"cached clients", t.cached},
			{"new clients", t.newClients},
			{"processors", t.processors},
			{"rules", t.rules},
			{"starts", t.starts},
		} {
			fmt.Fprintf(o.Progress, "round %d of %d: %s\n", t.round+1, o.Plan.Rounds, part.name)
			if err := part.measure(ctx); err != nil {
				return nil, fmt.Errorf("%s: %w", part.name, err)
			}
		}
	}
	return t.report, nil
}

func (t *trial) close() error {
	var errs []error
	for _, w := range t.worlds {
		errs = append(errs, w.stop())
	}
	for _, p := range []*program{t.floor, t.epoll, t.unix} {
		if p != nil {
			errs = append(errs, p.stop())
		}
	}
	return errors.Join(errs...)
}

// fewest is how many requests an open loop sends at least within a window, so
// that there is something to measure.
const fewest = 20

// load measures one server for a window. The rate is 0 for a closed loop.
func (t *trial) load(ctx context.Context, p *program, connections int, rate float64, source load.Source) (*load.Result, error) {
	return t.loadAt(ctx, p, p.address, connections, rate, source)
}

// loadAt is load at one of the addresses of a server.
func (t *trial) loadAt(ctx context.Context, p *program, address string, connections int, rate float64, source load.Source) (*load.Result, error) {
	if rate > 0 {
		rate = max(rate, fewest/t.options.Plan.Window.Seconds())
	}
	return loadFor(ctx, p, load.Config{
		Address: address, Connections: connections, Rate: rate, Source: source,
		Warmup: t.options.Plan.Window / 4, Duration: t.options.Plan.Window,
	})
}

// On a machine that is busy with other things a short window may pass without a
// reply, and is tried again; or without as much processor time as the kernel
// counts in, and is tried again a few times, for in a calm window that may be so.
const (
	tries     = 10
	idleTries = 3
)

// loadFor measures one server. What is answered in all counts every try.
func loadFor(ctx context.Context, p *program, c load.Config) (*load.Result, error) {
	if c.Address == "" {
		c.Address = p.address
	}
	if c.Network, c.Server = "tcp", p.cmd.Process.Pid; c.Address[0] == '/' {
		c.Network = "unix"
	}
	c.Threads, c.Timeout = 1, patience
	answered := int64(0)
	for try := range tries {
		r, err := load.Run(ctx, c)
		if err != nil {
			return nil, fmt.Errorf("%s: %w\n%s", p.name, err, p.tail.text())
		}
		if len(r.Errors) > 0 {
			return nil, fmt.Errorf("%s: errors %v\n%s", p.name, r.Errors, p.tail.text())
		}
		answered += r.Answered
		clients, once := c.Source.(*load.Clients)
		once = once && clients.Once
		all := once && answered >= int64(clients.Count) // there is nobody left to ask about
		if r.Requests > 0 && r.Latency.TotalCount() > 0 && (r.ServerCPU > 0 || try >= idleTries || all) {
			r.Answered = answered
			return r, nil
		}
		if once {
			rest := *clients
			rest.First += uint32(r.Answered)
			c.Source = &rest
		}
	}
	return nil, fmt.Errorf("%s answered nothing within %v, %d times", p.name, c.Duration, tries)
}

// ask measures a daemon, and keeps count.
func (t *trial) ask(ctx context.Context, d *daemon, connections int, rate float64, source load.Source) (*load.Result, error) {
	return t.askAt(ctx, d, d.address, connections, rate, source)
}

// askAt is ask at one of the addresses of a daemon.
func (t *trial) askAt(ctx context.Context, d *daemon, address string, connections int, rate float64, source load.Source) (*load.Result, error) {
	if rate == 0 && connections > 1 { // else the log is short
		if err := touchMemory(t.dir, t.options.Plan.Window); err != nil {
			return nil, err
		}
	}
	r, err := t.loadAt(ctx, d.program, address, connections, rate, source)
	if err == nil {
		d.answered += r.Answered
	}
	return r, err
}

// logRate is more than a decision log grows in a second, in bytes.
const logRate = 64 << 20

// touchMemory has the kernel use as much memory as the log of a window will take,
// and free it again. A virtual machine gives memory that it does not use back to
// its host, and who uses it next is charged for the way there and back: a
// microsecond for each log line, which a machine whose memory is in use does not
// take.
func touchMemory(dir string, window time.Duration) error {
	f, err := os.CreateTemp(dir, "touched")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	block := make([]byte, 1<<20)
	for left := int64(logRate * (window + window/4).Seconds()); left > 0; left -= int64(len(block)) {
		if _, err := f.Write(block); err != nil {
			return err
		}
	}
	return nil
}

// prime asks a daemon about each of the first clients once, so that it knows
// them.
func (t *trial) prime(ctx context.Context, d *daemon, clients *load.Clients) error {
	once := *clients
	once.Once = true
	r, err := loadFor(ctx, d.program, load.Config{Connections: 100, Duration: time.Minute, Source: &once})
	if err != nil {
		return err
	}
	d.answered += r.Answered
	if want := int64(clients.Count); r.Answered != want || r.Actions["DUNNO"] != want && clients.Crowd.Mix == crowd.Only(crowd.Named) {
		return fmt.Errorf("of %d clients %d were answered, %v; want all, with DUNNO", want, r.Answered, r.Actions)
	}
	return nil
}

// inTurn does two things, in one order in one turn or round and in the other in
// the next.
func (t *trial) inTurn(first, second func() error) error {
	if (t.round+t.turn)%2 == 1 {
		first, second = second, first
	}
	if err := first(); err != nil {
		return err
	}
	return second()
}

// mebis are bytes in MiB.
func mebis(bytes int64) float64 { return float64(bytes) / (1 << 20) }

// micros is a duration in microseconds, millis in milliseconds.
func micros(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }
func millis(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
