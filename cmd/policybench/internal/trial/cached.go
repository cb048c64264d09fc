package trial

import (
	"context"
	"errors"
	"fmt"
	"time"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/load"
)

// usual is how many connections are open, if not said otherwise.
const usual = 100

// withDaemon has a daemon measured, and ends it.
func (t *trial) withDaemon(ctx context.Context, s settings, measure func(*daemon) error) error {
	d, err := t.startDaemon(ctx, s)
	if err != nil {
		return err
	}
	return errors.Join(measure(d), d.stop())
}

// clients are those of the plan, of a DNS.
func (t *trial) clients(w *world) *load.Clients {
	return &load.Clients{Crowd: w.crowd, Family: crowd.IPv4, Count: t.options.Plan.Clients}
}

// known has a daemon measured that knows the clients of a DNS without delay.
func (t *trial) known(ctx context.Context, mix crowd.Mix, s settings, measure func(*daemon, *load.Clients) error) error {
	w, err := t.world(ctx, worldKind{mix: mix})
	if err != nil {
		return err
	}
	s.world = w.address
	return t.withDaemon(ctx, s, func(d *daemon) error {
		clients := t.clients(w)
		if err := t.prime(ctx, d, clients); err != nil {
			return err
		}
		return measure(d, clients)
	})
}

// cached measures clients whose answers are in the cache.
func (t *trial) cached(ctx context.Context) error {
	err := t.known(ctx, crowd.Only(crowd.Named), settings{}, func(d *daemon, clients *load.Clients) (err error) {
		var rate float64
		for t.turn = range turns {
			if rate, err = t.compared(ctx, d, clients); err != nil {
				return err
			}
		}
		t.turn = 0
		return t.connections(ctx, d, rate/2, clients)
	})
	if err != nil {
		return err
	}
	return t.mixed(ctx)
}

// turns is how many times a round compares a daemon to the do-nothing server: what
// else the machine does changes within seconds.
const turns = 2

// compared takes a sample of what is demanded of a daemon that knows its clients. It
// returns what rate a single connection reached.
func (t *trial) compared(ctx context.Context, d *daemon, clients *load.Clients) (single float64, err error) {
	floor, own, err := t.pair(ctx, d, usual, clients)
	if err != nil {
		return 0, err
	}
	t.report.note("of the do-nothing server: requests/s", "", own.PerSecond()/floor.PerSecond())
	t.report.note("of the do-nothing server: CPU per request", "", ratio(own.CPUPerRequest(), floor.CPUPerRequest()))
	if err := t.besideEpoll(ctx, d, clients); err != nil {
		return 0, err
	}
	half, err := t.ask(ctx, d, usual, own.PerSecond()/2, clients)
	if err != nil {
		return 0, err
	}
	t.report.judge(halfLoad, millis(half.Quantile(0.99)))
	t.report.note("policyd-rdns at 50% of its maximum: p50", " µs", micros(half.Quantile(0.5)))
	t.report.note("policyd-rdns at 50% of its maximum: p99.9", " ms", millis(half.Quantile(0.999)))
	if floor, own, err = t.pair(ctx, d, 1, clients); err != nil {
		return 0, err
	}
	t.report.judge(cachedLatency, float64(own.Quantile(0.5))/float64(floor.Quantile(0.5)))
	return own.PerSecond(), nil
}

// besideEpoll compares a daemon to the do-nothing server of one thread, over TCP and over
// unix sockets.
func (t *trial) besideEpoll(ctx context.Context, d *daemon, clients *load.Clients) error {
	for _, way := range []struct {
		name    string
		floor   *program
		address string // of the daemon
	}{{"TCP", t.epoll, d.address}, {"unix socket", t.unix, d.socket()}} {
		var floor, own *load.Result
		err := t.inTurn(func() (err error) {
			floor, err = t.load(ctx, way.floor, usual, 0, clients)
			return err
		}, func() (err error) {
			own, err = t.askAt(ctx, d, way.address, usual, 0, clients)
			return err
		})
		if err != nil {
			return err
		}
		if way.floor == t.epoll {
			t.report.judge(cachedRate, own.PerSecond()/floor.PerSecond())
			t.report.judge(cachedCPU, ratio(own.CPUPerRequest(), floor.CPUPerRequest()))
		}
		t.noteLoad("do-nothing server with epoll, "+way.name, floor)
		t.noteLoad("policyd-rdns, "+way.name, own)
		t.report.note(way.name+", of the do-nothing server with epoll: requests/s", "", own.PerSecond()/floor.PerSecond())
		t.report.note(way.name+", of the do-nothing server with epoll: CPU per request", "", ratio(own.CPUPerRequest(), floor.CPUPerRequest()))
	}
	return nil
}

// pair measures the do-nothing server and a daemon in turn, in a closed loop.
func (t *trial) pair(ctx context.Context, d *daemon, connections int, clients *load.Clients) (floor, own *load.Result, err error) {
	err = t.inTurn(func() error {
		var err error
		floor, err = t.load(ctx, t.floor, connections, 0, clients)
		return err
	}, func() error {
		var err error
		own, err = t.ask(ctx, d, connections, 0, clients)
		return err
	})
	if err != nil {
		return nil, nil, err
	}
	t.noteLoad(fmt.Sprintf("do-nothing server, connections: %d", connections), floor)
	t.noteLoad(fmt.Sprintf("policyd-rdns, connections: %d", connections), own)
	return floor, own, nil
}

func (t *trial) noteLoad(name string, r *load.Result) {
	t.report.note(name+": requests/s", "", r.PerSecond())
	t.report.note(name+": CPU per request", " µs", micros(r.CPUPerRequest()))
	t.report.note(name+": p50", " µs", micros(r.Quantile(0.5)))
	t.report.note(name+": p99", " µs", micros(r.Quantile(0.99)))
	t.report.note(name+": peak memory", " MiB", mebis(r.ServerPeak))
}

// connections compares the cost of a request over very many connections to that over as many
// as are usual. Over one it is told beside.
// It is at one rate for all: in a closed loop more connections mean more requests at
// once, and fewer pauses to wake up from. Each number has its turn twice, on the way
// up and on the way down, for what else the machine does changes within a round.
func (t *trial) connections(ctx context.Context, d *daemon, rate float64, clients *load.Clients) error {
	numbers := []int{1, usual, t.options.Plan.Connections}
	for _, n := range numbers {
		r, err := t.load(ctx, t.floor, n, rate, clients)
		if err != nil {
			return err
		}
		t.report.note(fmt.Sprintf("do-nothing server, connections: %d, at one rate: CPU per request", n), " µs", micros(r.CPUPerRequest()))
	}
	costs := make([]time.Duration, len(numbers)) // of two requests
	for step := range 2 * len(numbers) {
		i := min(step, 2*len(numbers)-1-step)
		r, err := t.ask(ctx, d, numbers[i], rate, clients)
		if err != nil {
			return err
		}
		costs[i] += r.CPUPerRequest()
	}
	for i, n := range numbers {
		t.report.note(fmt.Sprintf("policyd-rdns, connections: %d, at one rate: CPU per request", n), " µs", micros(costs[i]/2))
	}
	t.report.judge(growConnections, ratio(costs[2], costs[1]))
	return nil
}

// mixed measures cached clients of all kinds, a third of which is refused.
func (t *trial) mixed(ctx context.Context) error {
	var mix crowd.Mix
	if err := mix.Set("named=50,other=15,literal=5,generic=10,nameless=15,mismatch=5"); err != nil {
		return err
	}
	return t.known(ctx, mix, settings{}, func(d *daemon, clients *load.Clients) error {
		r, err := t.ask(ctx, d, usual, 0, clients)
		if err != nil {
			return err
		}
		t.noteLoad("policyd-rdns, clients of all kinds", r)
		return nil
	})
}
