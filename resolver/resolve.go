package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"policyd-rdns/resolver/internal/message"
	"policyd-rdns/resolver/internal/transport"
)

const (
	// maxTries bounds the servers that are sent one query.
	maxTries = 4
	// silentTries is how often a query is sent at least when nothing but
	// silence came: a datagram may be lost. One about a zone that was silent a
	// moment ago is not sent again after silence, unless it was a server that has
	// answered nothing else either.
	silentTries = 2
)

// finding is what the DNS says to a query.
type finding struct {
	// outcome is NotQueried if the end of the chain is still to be queried.
	outcome Outcome
	chain   message.Chain
	records []message.Record // of the queried type, at the chain's end
	ttl     time.Duration
	err     error // with TempError
}

// findingOf is what a reply says; err is why it says nothing: see [message.Reply.Read].
func findingOf(read message.Reading, err error) finding {
	f := finding{chain: read.Chain, records: read.Records, ttl: read.TTL}
	switch {
	case err != nil:
		f.outcome, f.err = TempError, err
	case !read.Determined:
	case len(read.Records) > 0:
		f.outcome = Found
	default:
		f.outcome = None
	}
	return f
}

// resolve finds out what the DNS says to q. It is one query, and one more for
// each reply that stops in mid-chain.
func (r *Resolver) resolve(cut *transport.Cutoff, q message.Query, b *Budget) finding {
	c := message.NewChain(q.Name)
	for {
		f, err := r.queryServers(cut, q.Type, c, b)
		if err != nil {
			return finding{outcome: TempError, err: err}
		}
		if f.outcome != NotQueried {
			return f
		}
		c = f.chain
	}
}

// queryServers sends the query for the end of a chain to one server after the
// other until one knows.
func (r *Resolver) queryServers(cut *transport.Cutoff, qtype uint16, c message.Chain, b *Budget) (finding, error) {
	order, timeout := r.health.order()
	var troubles troubles
	silent, all, own := false, true, true // one try, all of them
	once, enough := r.silence.has(c.End()), false
	for i := range maxTries {
		if enough || i >= len(order) && !(silent && i < silentTries && !once) {
			break
		}
		server := order[i%len(order)]
		healthy := once && r.health.healthy(server)
		begin := time.Now()
		found, err := r.try(cut, server, timeout, qtype, c, b)
		var f *transport.Failure
		switch {
		case err == nil:
			r.health.answered(server, kindOf(qtype), found.outcome, time.Since(begin))
			return found, nil
		case errors.Is(err, context.DeadlineExceeded): // of the flight
			r.health.zoneFailed(c.End(), r.clock.Now())
			r.watch()
			return finding{}, err
		case !errors.As(err, &f): // cut, out of budget
			return finding{}, err
		}
		r.health.failure(server, kindOf(qtype), f)
		r.watch()
		silent, all = silent || f.Silent, all && f.Silent
		enough = healthy && f.Silent
		own = own && f.Own
		troubles = troubles.and(err)
	}
	if all {
		r.silence.add(c.End())
	}
	r.health.zoneFailed(c.End(), r.clock.Now())
	r.watch()
	if own {
		return finding{}, fmt.Errorf("%w: %w", ErrOwn, troubles)
	}
	return finding{}, troubles
}

// try sends the query for the end of a chain to one server, and reads the
// reply.
func (r *Resolver) try(cut *transport.Cutoff, server netip.AddrPort, timeout time.Duration, qtype uint16, c message.Chain, b *Budget) (finding, error) {
	reply, err := r.transport.Exchange(cut, server, timeout, message.Query{Name: c.End(), Type: qtype}, b.spend)
	if err != nil {
		return finding{}, err
	}
	read, err := reply.Read(c)
	var refusal *message.Refusal
	if errors.As(err, &refusal) {
		return finding{}, (&transport.Failure{Err: err, AtFault: refusal.Server}).From(server)
	}
	return findingOf(read, err), nil
}

// troubles is why each server that was queried did not know.
type troubles []error

func (t troubles) Error() string {
	var s []string
	for _, err := range t {
		s = append(s, err.Error())
	}
	return strings.Join(s, "; ")
}

// and adds a trouble that is not among them yet.
func (t troubles) and(err error) troubles {
	if slices.ContainsFunc(t, func(old error) bool { return old.Error() == err.Error() }) {
		return t
	}
	return append(t, err)
}
