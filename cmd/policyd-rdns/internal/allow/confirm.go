package allow

import (
	"context"
	"net/netip"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
	"policyd-rdns/resolver"
)

// DNS is what is asked of the resolver.
type DNS interface {
	LookupPTR(ctx context.Context, addr netip.Addr, o resolver.Options) resolver.Answer
	LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer
}

// confirmed reports whether a name, or one below a domain, is confirmed now or was so in
// the log. Else it tells the addresses that the name resolves to. err: nobody can say.
func (c *Command) confirmed(ctx context.Context, s exempt.Subject) (ok bool, addrs []string, err error) {
	if !strings.HasPrefix(s.Value, ".") {
		if ok, addrs, err = c.confirmedNow(ctx, s.Value); ok {
			return true, nil, nil
		}
	}
	recorded, failed := c.confirmedBefore(ctx, s.Value)
	if recorded {
		return true, nil, nil
	}
	if err == nil && len(addrs) == 0 {
		err = failed
	}
	return false, addrs, err
}

// confirmedNow reports whether an address that a name resolves to has the name (RFC 8601
// section 2.7.3).
func (c *Command) confirmedNow(ctx context.Context, name string) (ok bool, addrs []string, err error) {
	for _, network := range []string{"ip4", "ip6"} {
		forward := c.DNS.LookupAddrs(ctx, network, name, resolver.Options{})
		if forward.Outcome == resolver.TempError {
			err = forward.Err
		}
		for _, addr := range forward.Addrs {
			reverse := c.DNS.LookupPTR(ctx, addr, resolver.Options{Client: addr})
			if slices.Contains(reverse.Names, name) {
				return true, nil, nil
			}
			if reverse.Outcome == resolver.TempError {
				err = reverse.Err
			}
			addrs = append(addrs, addr.String())
		}
	}
	return false, addrs, err
}

// confirmedBefore reports whether a client of the log had such a confirmed name.
func (c *Command) confirmedBefore(ctx context.Context, name string) (ok bool, err error) {
	var set match.Names
	if err := set.Add(name); err != nil {
		return false, err
	}
	err = c.Recorded(ctx, func(r *journal.Record) bool {
		ok = slices.ContainsFunc(r.Facts.Confirmed(r.Request.Client), set.Has)
		return !ok
	})
	return ok, err
}
