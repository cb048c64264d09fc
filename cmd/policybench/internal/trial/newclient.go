package trial

import (
	"context"
	"errors"
	"time"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/load"
)

// newDelay is how long the DNS takes over a query about a new client.
const newDelay = 20 * time.Millisecond

// newClients measures clients that the daemon has never seen, beside a service that makes
// the two lookups about each and nothing else.
func (t *trial) newClients(ctx context.Context) error {
	var own, bare *load.Result
	err := t.inTurn(func() error {
		return t.newOnes(ctx, crowd.Named, func(n newcomers) {
			own = n.Result
			t.report.judge(newLatency, millis(n.Quantile(0.5)-2*newDelay))
			t.report.judge(newTail, millis(n.Quantile(0.99)))
			t.report.judge(newQueries, n.queries)
			n.note(t.report, "new client, HELO is its name")
		})
	}, func() (err error) {
		bare, err = t.bareLookups(ctx)
		return err
	})
	if err != nil {
		return err
	}
	t.report.judge(newCPU, ratio(own.CPUPerRequest(), bare.CPUPerRequest()))
	return t.newOnes(ctx, crowd.Other, func(n newcomers) {
		t.report.judge(otherTrips, n.trips)
		n.note(t.report, "new client, HELO is another name")
	})
}

// bareLookups measures the service that makes the two lookups and nothing else.
func (t *trial) bareLookups(ctx context.Context) (*load.Result, error) {
	w, err := t.world(ctx, worldKind{crowd.Only(crowd.Named), newDelay})
	if err != nil {
		return nil, err
	}
	p, err := startProgram(ctx, "floor --lookups", nil, t.options.Bench, "floor", "--lookups", w.address)
	if err != nil {
		return nil, err
	}
	r, err := t.load(ctx, p, t.options.Plan.NewClients, 0, everyoneOnce(w))
	if err = errors.Join(err, p.stop()); err != nil {
		return nil, err
	}
	t.report.note("two bare lookups: requests/s", "", r.PerSecond())
	t.report.note("two bare lookups: median latency", " ms", millis(r.Quantile(0.5)))
	t.report.note("two bare lookups: p99", " ms", millis(r.Quantile(0.99)))
	t.report.note("two bare lookups: CPU per request", " µs", micros(r.CPUPerRequest()))
	return r, nil
}

// everyoneOnce are all clients of a DNS, each asked about once.
func everyoneOnce(w *world) *load.Clients {
	return &load.Clients{Crowd: w.crowd, Family: crowd.IPv4, Count: uint32(crowd.IPv4.Size()), Once: true}
}

// newcomers is what was measured of new clients.
type newcomers struct {
	*load.Result
	queries float64 // for each
	trips   float64 // the latency of the quickest tenth, in round trips: others wait for processors too
}

func (n *newcomers) note(r *Report, name string) {
	r.note(name+": requests/s", "", n.PerSecond())
	r.note(name+": median latency", " ms", millis(n.Quantile(0.5)))
	r.note(name+": p99", " ms", millis(n.Quantile(0.99)))
	r.note(name+": CPU per request", " µs", micros(n.CPUPerRequest()))
	r.note(name+": queries", "", n.queries)
	r.note(name+": round trips", "", n.trips)
}

func (t *trial) newOnes(ctx context.Context, kind crowd.Kind, judge func(newcomers)) error {
	w, err := t.world(ctx, worldKind{crowd.Only(kind), newDelay})
	if err != nil {
		return err
	}
	return t.withDaemon(ctx, settings{world: w.address}, func(d *daemon) error {
		before, err := w.counts(ctx)
		if err != nil {
			return err
		}
		r, err := t.ask(ctx, d, t.options.Plan.NewClients, 0, everyoneOnce(w))
		if err != nil {
			return err
		}
		after, err := w.counts(ctx)
		if err != nil {
			return err
		}
		judge(newcomers{
			Result:  r,
			queries: float64(after.Queries()-before.Queries()) / float64(r.Answered),
			trips:   float64(r.Quantile(0.1)) / float64(newDelay),
		})
		return nil
	})
}
