package resolver

import (
	"context"
	"strings"

	"policyd-rdns/resolver/internal/message"
)

// LookupTXT looks up the texts of a name (RFC 1035 section 3.3.14). The name and the rest
// are as those of LookupAddrs. With More there are texts that were not kept, and nobody
// can tell what they say.
func (r *Resolver) LookupTXT(ctx context.Context, name string, o Options) Answer {
	a, wait := r.BeginTXT(ctx, name, o)
	if wait != nil {
		a = wait(ctx)
	}
	return a
}

// BeginTXT is to LookupTXT as BeginPTR is to LookupPTR.
func (r *Resolver) BeginTXT(ctx context.Context, name string, o Options) (a Answer, wait func(context.Context) Answer) {
	return r.beginTexts(ctx, textKey{message.Host(name), message.TypeTXT}, o)
}

// LookupMX looks up the hosts that take the mail of a domain (RFC 5321 section
// 5.1): Names are those of its MX records, in the order of the reply, whatever their
// preference. A domain without one is None: that its address stands in then is for the
// caller. The name and the rest are as those of LookupAddrs.
func (r *Resolver) LookupMX(ctx context.Context, domain string, o Options) Answer {
	a, wait := r.BeginMX(ctx, domain, o)
	if wait != nil {
		a = wait(ctx)
	}
	return a
}

// BeginMX is to LookupMX as BeginPTR is to LookupPTR.
func (r *Resolver) BeginMX(ctx context.Context, domain string, o Options) (a Answer, wait func(context.Context) Answer) {
	return r.beginTexts(ctx, textKey{message.Host(domain), message.TypeMX}, o)
}

// beginTexts begins a lookup of either kind.
func (r *Resolver) beginTexts(ctx context.Context, k textKey, o Options) (a Answer, wait func(context.Context) Answer) {
	res, ok := r.texts.cached(k, o)
	if ok {
		if res.due(o) {
			r.texts.prefetch(textKey{strings.Clone(k.name), k.qtype})
		}
		return r.published(k, res, o.Uncounted), nil
	}
	name, valid := message.Canonical(k.name)
	switch {
	case !valid:
		return noName(k.name), nil
	case o.CacheOnly:
		return Answer{}, nil
	}
	k.name = name
	p := r.texts.begin(ctx, k, o)
	if p.answered() {
		return r.published(k, p.wait(ctx), o.Uncounted), nil
	}
	return Answer{}, func(ctx context.Context) Answer { return r.published(k, p.wait(ctx), o.Uncounted) }
}

// published is the answer of a result.
func (r *Resolver) published(k textKey, res result[string], uncounted bool) Answer {
	a := answer(r, kindOf(k.qtype), res, uncounted)
	if k.qtype == message.TypeMX {
		a.Names = res.records()
	} else {
		a.Texts = res.records()
	}
	return a
}
