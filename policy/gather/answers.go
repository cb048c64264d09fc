package gather

import (
	"errors"
	"fmt"
	"slices"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// names takes the answer to the query for the client's names.
func (in *inquiry) names(a *resolver.Answer) progress {
	if a.Outcome == resolver.NotQueried {
		return idle // not in the cache
	}
	f := in.facts
	in.chooseNames(a)
	f.PTR = a.Outcome
	in.note("", resolver.KindPTR, a)
	return answered
}

// chooseNames chooses the names to try: well-formed ones, HELO first. If
// nobody knows whether there is any, that is a temporary failure.
func (in *inquiry) chooseNames(ptr *resolver.Answer) {
	f := in.facts
	if ptr.Outcome != resolver.Found {
		return
	}
	f.MoreNames = ptr.More
	var malformed []policy.Name
	if f.HELO.Form == hostname.FQDN && slices.Contains(ptr.Names, f.HELO.Name) {
		f.Names = append(f.Names, policy.NewName(f.HELO.Name, in.req.Client))
	}
	for _, name := range ptr.Names {
		switch {
		case len(f.Names) > 0 && name == f.Names[0].Name:
		case !hostname.Valid(name):
			malformed = append(malformed, policy.Name{Name: name})
		case len(f.Names) == policy.MaxNames:
			f.MoreNames = true
		default:
			f.Names = append(f.Names, policy.NewName(name, in.req.Client))
		}
	}
	switch {
	case len(f.Names) > 0:
	case f.MoreNames: // well-formed, perhaps
		ptr.Outcome, ptr.Err = resolver.TempError, fmt.Errorf("more than %d names, the first of them malformed", resolver.MaxRecords)
		f.MoreNames = false
	default:
		f.Names = append(f.Names, malformed[:min(len(malformed), policy.MaxNames)]...)
	}
}

// noted is what the facts hold of an answer; the answer is noted for the record.
func (in *inquiry) noted(name string, a *resolver.Answer) resolver.Forward {
	l := in.addrs(a)
	in.note(name, in.kind(), a)
	return l
}

// addrs are the addresses of an answer that the facts hold, the client's own among
// them.
func (in *inquiry) addrs(a *resolver.Answer) resolver.Forward {
	l := resolver.Forward{Outcome: a.Outcome}
	if a.Outcome != resolver.Found {
		return l
	}
	client := in.req.Client
	first := address.Nearest(a.Addrs, client)
	switch {
	case a.More && (first < 0 || a.Addrs[first] != client):
		a.Outcome, a.Err = resolver.TempError, fmt.Errorf("more than %d addresses", resolver.MaxRecords)
		return resolver.Forward{Outcome: resolver.TempError}
	case first <= 0 && len(a.Addrs) <= policy.MaxAddrs:
		l.Addrs = a.Addrs // the cache's own: nobody changes them
		return l
	case first >= 0:
		l.Addrs = append(l.Addrs, a.Addrs[first])
	}
	for i, addr := range a.Addrs {
		if len(l.Addrs) == policy.MaxAddrs {
			break
		}
		if i != first {
			l.Addrs = append(l.Addrs, addr)
		}
	}
	return l
}

// note keeps what the log line and a reject want to know of an answer beside
// its outcome: of a temperror what it was about. The empty name is for the client's
// names.
func (in *inquiry) note(name string, kind resolver.Kind, a *resolver.Answer) {
	f := in.facts
	in.lookups.see(name, kind, a)
	in.known, in.cached = true, in.cached && a.Cached
	in.validity.add(a)
	in.restored = false
	f.Stale = f.Stale || a.Stale
	if a.Outcome == resolver.TempError {
		about := name
		if name == "" {
			about = in.req.Client.String()
		}
		for _, r := range resolver.Reasons(a.Err) {
			f.Errors = append(f.Errors, resolver.LookupError{About: about, Server: r.Server, Reason: r.Text})
		}
		f.Overload = f.Overload || errors.Is(a.Err, resolver.ErrBusy) || errors.Is(a.Err, resolver.ErrOwn)
		return
	}
	if a.Stale || a.Cached && a.Age > fresh {
		in.aged = true
	}
}
