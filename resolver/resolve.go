package resolver

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

const (
	// maxTries bounds the servers that are asked one question.
	maxTries = 4
	// silentTries is how often a question is put at least when nothing but
	// silence came: a datagram may be lost. One about a zone that was silent a
	// moment ago is not put again after silence, unless it was a server that has
	// answered nothing else either.
	silentTries = 2
)

// resolve finds out what the DNS says to q. It asks once, and once more for
// each reply that stops in mid-chain.
func (r *Resolver) resolve(l *leash, q question, b *Budget) verdict {
	c := newChain(q.name)
	for {
		v, err := r.askAround(l, q.qtype, c, b)
		if err != nil {
			return verdict{outcome: TempError, err: err}
		}
		if v.outcome != NotAsked {
			return v
		}
		c = v.chain
	}
}

// askAround puts the question for the end of a chain to one server after the
// other until one knows.
func (r *Resolver) askAround(l *leash, qtype uint16, c chain, b *Budget) (verdict, error) {
	order, timeout := r.health.order()
	var troubles troubles
	silent, all, own := false, true, true // one try, all of them
	once, enough := r.silence.has(c.end()), false
	for i := range maxTries {
		if enough || i >= len(order) && !(silent && i < silentTries && !once) {
			break
		}
		server := order[i%len(order)]
		well := once && r.health.well(server)
		begin := time.Now()
		v, err := r.try(l, server, timeout, qtype, c, b)
		var f *failing
		switch {
		case err == nil:
			r.health.answered(server, kindOf(qtype), v.outcome, time.Since(begin))
			return v, nil
		case errors.Is(err, context.DeadlineExceeded): // of the flight
			r.health.zoneFailed(c.end(), r.clock())
			r.watch()
			return verdict{}, err
		case !errors.As(err, &f): // closed, out of budget
			return verdict{}, err
		}
		r.health.failing(server, kindOf(qtype), f)
		r.watch()
		silent, all = silent || f.silent, all && f.silent
		enough = well && f.silent
		own = own && f.own
		troubles = troubles.and(err)
	}
	if all {
		r.silence.add(c.end())
	}
	r.health.zoneFailed(c.end(), r.clock())
	r.watch()
	if own {
		return verdict{}, fmt.Errorf("%w: %w", ErrOwn, troubles)
	}
	return verdict{}, troubles
}

// try puts the question for the end of a chain to one server, and reads the
// reply.
func (r *Resolver) try(l *leash, server netip.AddrPort, timeout time.Duration, qtype uint16, c chain, b *Budget) (verdict, error) {
	reply, err := r.exchange(l, server, timeout, question{c.end(), qtype}, b)
	if err != nil {
		return verdict{}, err
	}
	v, err := digest(reply, c)
	var f *failing
	if errors.As(err, &f) {
		return verdict{}, f.from(server)
	}
	return v, err
}

// troubles is why each server that was asked did not know.
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
