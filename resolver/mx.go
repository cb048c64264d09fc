package resolver

import (
	"context"
	"time"

	"github.com/miekg/dns"
)

// LookupMX asks for the hosts that take the mail of a domain (RFC 5321 section
// 5.1): Names are those of its MX records, as LookupPTR has names, in the order of
// the reply; the null MX (RFC 7505) is ".". A domain without one is None: that its
// address stands in then is for the caller. Servers, tries and TCP are those of
// every lookup. Nothing is kept, and Config.MaxInFlight does not count it: it is
// for the few questions of an administrator, not for those of strangers.
func (r *Resolver) LookupMX(ctx context.Context, domain string) Answer {
	name, ok := canonical(hostName(domain))
	switch {
	case !ok:
		return Answer{Outcome: None}
	case ctx.Err() != nil:
		return Answer{Outcome: TempError, Err: cutShort(ctx)}
	}
	l := leash{end: time.Now().Add(flightTime)}
	defer context.AfterFunc(ctx, l.pull)()
	v := r.resolve(&l, question{name + ".", dns.TypeMX}, nil)
	a := Answer{Outcome: v.outcome, Err: v.err}
	if ctx.Err() != nil && v.outcome == TempError {
		a.Err = cutShort(ctx)
	}
	a.Names, _, a.More = collect(mailKey{}, v.records)
	return a
}

// mailKey reads the hosts of MX records. The null MX is the root.
type mailKey struct{ addrKey }

func (mailKey) record(rec record) (string, bool) { return relative(rec.name), rec.name != "" }
