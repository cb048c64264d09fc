package gather

import (
	"context"
	"errors"
	"net/netip"
	"strconv"

	"policyd-rdns/policy"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// results are those of the check spf by what an evaluation came to.
var results = map[spf.Code]policy.Result{
	spf.Own: policy.Own, spf.Pass: policy.Pass, spf.Fail: policy.Fail, spf.SoftFail: policy.SoftFail, spf.Neutral: policy.Neutral,
	spf.None: policy.None, spf.PermError: policy.PermError, spf.TempError: policy.TempError,
}

// querySPF asks the domain of the sender. It is one query, whatever the domain has us look up.
func (in *inquiry) querySPF(to *policy.SPF) progress {
	if in.g.SPF == nil {
		to.Result = policy.None
		return answered
	}
	r, wait := in.g.SPF.Begin(spf.Query{
		Client: in.req.Client, HELO: in.req.HELO, Sender: in.req.Sender, MaxAge: in.options.MaxAge,
	}, in.options.CacheOnly)
	switch {
	case wait != nil:
		in.spf = wait
		return underWay
	case r.Code == spf.NotChecked:
		return idle
	}
	in.takeSPF(to, r)
	return answered
}

// takeSPF takes what the domain says.
func (in *inquiry) takeSPF(to *policy.SPF, r spf.Result) {
	*to = policy.SPF{Result: results[r.Code], By: r.By.String(), Why: r.Why}
	in.spf = nil
	in.asked += r.Messages
	f := in.facts
	if to.Result != policy.Own && to.Result != policy.Pass {
		f.Parties.Sender = "" // the domain does not have this client's pass to its credit
	}
	in.known, in.cached = true, in.cached && r.Cached
	f.Stale = f.Stale || r.Stale
	f.Errors = append(f.Errors, r.Errors...)
	f.Overload = f.Overload || r.Overload
	if r.Stale || r.Cached && r.Age > fresh {
		in.aged = true
	}
}

// queryList asks the allow-list.
func (in *inquiry) queryList(ctx context.Context, to *policy.Result) progress {
	if in.rules.AllowList == "" {
		return idle
	}
	a, wait := in.g.DNS.BeginAddrs(ctx, "ip4", in.listing(), in.options)
	switch {
	case wait != nil:
		in.list = wait
		return underWay
	case a.Outcome == resolver.NotQueried:
		return idle
	}
	in.takeList(to, &a)
	return answered
}

// listing is the name by which the list has the client: RFC 5782 sections 2.1 and 2.4.
func (in *inquiry) listing() string {
	addr := in.req.Client.AsSlice()
	name := make([]byte, 0, 4*len(addr)+len(in.rules.AllowList))
	for i := len(addr) - 1; i >= 0; i-- {
		if in.req.Client.Is4() {
			name = append(strconv.AppendUint(name, uint64(addr[i]), 10), '.')
			continue
		}
		const digits = "0123456789abcdef"
		name = append(name, digits[addr[i]&15], '.', digits[addr[i]>>4], '.')
	}
	return string(append(name, in.rules.AllowList...))
}

// ListRefuses is the reason of a lookup that the allow-list refused to answer.
const ListRefuses = "the list does not answer us: too many queries, or by way of a public resolver"

// Why the list has no answer for us.
var (
	errListRefuses = errors.New(ListRefuses)
	errNoListing   = errors.New("no answer of such a list")
)

// takeList takes what the list says: 127.0.CATEGORY.TRUST, of trust 0 to 3.
func (in *inquiry) takeList(to *policy.Result, a *resolver.Answer) {
	in.list = nil
	*to = policy.None
	switch a.Outcome {
	case resolver.TempError:
		*to = policy.TempError
	case resolver.Found:
		result, err := trust(a.Addrs)
		if *to = result; err != nil {
			a.Outcome, a.Err = resolver.TempError, err
		}
	}
	in.note(in.listing(), resolver.KindA, a)
	in.validity.none = true // it is not among what is remembered of a client
}

// trust reads the answer of a list. Of several the least trust counts.
func trust(addrs []netip.Addr) (policy.Result, error) {
	levels := [...]policy.Result{policy.None, policy.Low, policy.Medium, policy.High}
	least := len(levels)
	for _, addr := range addrs {
		switch b := addr.As4(); {
		case b == [4]byte{127, 0, 0, 255}:
			return policy.TempError, errListRefuses
		case b[0] != 127 || b[1] != 0 || int(b[3]) >= len(levels):
			return policy.TempError, errNoListing
		default:
			least = min(least, int(b[3]))
		}
	}
	if least == len(levels) {
		return policy.None, nil
	}
	return levels[least], nil
}
