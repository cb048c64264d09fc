package resolver

import (
	"context"
	"time"

	"policyd-rdns/resolver/internal/message"
	"policyd-rdns/resolver/internal/transport"
)

// LookupMX looks up the hosts that take the mail of a domain (RFC 5321 section
// 5.1): Names are those of its MX records, as LookupPTR has names, in the order of
// the reply; the null MX (RFC 7505) is ".". A domain without one is None: that its
// address stands in then is for the caller. Servers, tries and TCP are those of
// every lookup. Nothing is kept, and Config.MaxInFlight does not count it: it is
// for the few queries of an administrator, not for those of strangers.
func (r *Resolver) LookupMX(ctx context.Context, domain string) Answer {
	name, ok := message.Canonical(message.Host(domain))
	switch {
	case !ok:
		return Answer{Outcome: None}
	case ctx.Err() != nil:
		return Answer{Outcome: TempError, Err: cutShort(ctx)}
	}
	cut := transport.Cutoff{End: time.Now().Add(flightTime)}
	defer context.AfterFunc(ctx, func() { cut.Cut(ctx.Err()) })()
	f := r.resolve(&cut, message.Query{Name: name + ".", Type: message.TypeMX}, nil)
	a := Answer{Outcome: f.outcome, Err: f.err}
	if ctx.Err() != nil && f.outcome == TempError {
		a.Err = cutShort(ctx)
	}
	a.Names, _, a.More = message.Names(f.records)
	return a
}
