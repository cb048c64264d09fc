package load

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"policyd-rdns/cmd/policybench/internal/proc"
)

// Config is what to ask whom, and how fast.
type Config struct {
	Network, Address string // as for net.Dial
	Connections      int
	// Rate is how many requests are meant to be sent in a second, over all
	// connections; 0: a closed loop.
	Rate float64
	// What is measured is Duration, after Warmup.
	Warmup, Duration time.Duration
	// Timeout bounds the wait for a reply, and for what is under way in the end.
	Timeout time.Duration
	Threads int // of the generator; at most as many as connections
	Source  Source
	// Server is the process whose processor time and memory are measured; 0:
	// none.
	Server int
}

// Bounds of a Config.
const (
	maxConnections = 20_000
	maxThreads     = 64
	maxRate        = 10_000_000
	maxTime        = 24 * time.Hour
)

func (c *Config) check() error {
	var err error
	if c.Connections < 1 || c.Connections > maxConnections {
		err = errors.Join(err, fmt.Errorf("%d connections: want 1 to %d", c.Connections, maxConnections))
	}
	if c.Threads < 1 || c.Threads > maxThreads || c.Threads > c.Connections {
		err = errors.Join(err, fmt.Errorf("%d threads: want 1 to %d, and no more than connections", c.Threads, maxThreads))
	}
	if !(c.Rate >= 0 && c.Rate <= maxRate) {
		err = errors.Join(err, fmt.Errorf("rate %g: want 0 to %d", c.Rate, maxRate))
	}
	if c.Warmup < 0 || c.Duration <= 0 || c.Warmup+c.Duration > maxTime {
		err = errors.Join(err, fmt.Errorf("%v after a warm-up of %v: want above 0, and at most %v in all", c.Duration, c.Warmup, maxTime))
	}
	if c.Timeout <= 0 || c.Timeout > time.Hour {
		err = errors.Join(err, fmt.Errorf("timeout %v: want above 0, and at most 1h", c.Timeout))
	}
	return err
}

// The histograms hold latencies up to a minute, to three digits.
const (
	longest = int64(time.Minute)
	digits  = 3
)

// measurement is one under way.
type measurement struct {
	*Config
	begin   time.Time
	stopped atomic.Bool
}

// Run measures. The error is that of a configuration that cannot be, of the
// first connections, or of ctx; what goes wrong later is counted.
func Run(ctx context.Context, c Config) (*Result, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	workers := make([]*worker, c.Threads)
	defer func() {
		for _, w := range workers {
			if w != nil {
				w.close()
			}
		}
	}()
	m := &measurement{Config: &c}
	for i := range workers {
		w, err := newWorker(ctx, m, i)
		if err != nil {
			return nil, err
		}
		workers[i] = w
	}
	defer context.AfterFunc(ctx, func() { m.stopped.Store(true) })()
	m.begin = time.Now()
	var wg sync.WaitGroup
	errs := make([]error, len(workers))
	for i, w := range workers {
		wg.Go(func() { errs[i] = w.run(ctx) })
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return m.result(workers)
}

// mark is what processes have taken up to a moment.
type mark struct {
	at                int64 // since the run began; 0: not yet
	server, generator time.Duration
	err               error
}

func (m *measurement) mark(now int64) mark {
	k := mark{at: max(1, now), generator: selfCPU()}
	if m.Server != 0 {
		k.server, k.err = proc.CPU(m.Server)
	}
	return k
}

// selfCPU is the processor time of this process.
func selfCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// result adds up what the workers have.
func (m *measurement) result(workers []*worker) (*Result, error) {
	first := workers[0]
	peak, err := int64(0), error(nil)
	if m.Server != 0 {
		peak, err = proc.PeakMemory(m.Server)
	}
	if err := errors.Join(first.begun.err, first.ended.err, err); err != nil {
		return nil, fmt.Errorf("the server's process: %w", err)
	}
	res := &Result{
		Address: m.Address, Connections: m.Connections, Rate: m.Rate, Duration: time.Duration(min(first.ended.at, first.end) - first.warm),
		Latency:  hdrhistogram.New(1, longest, digits),
		Actions:  map[string]int64{},
		Errors:   map[string]int64{},
		Measured: m.Server != 0, ServerPeak: peak,
		ServerCPU:    first.ended.server - first.begun.server,
		GeneratorCPU: first.ended.generator - first.begun.generator,
	}
	for _, w := range workers {
		res.Latency.Merge(w.latency)
		res.Requests += w.completed
		res.Answered += w.answered
		res.Unsent += w.unsent()
		res.Exhausted = res.Exhausted || w.exhausted
		for word, n := range w.actions {
			res.Actions[word] += *n
		}
		for kind, n := range w.errors {
			if n > 0 {
				res.Errors[failure(kind).String()] += n
			}
		}
	}
	return res, nil
}
