package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"runtime/debug"

	"policyd-rdns/resolver/internal/admission"
	"policyd-rdns/resolver/internal/transport"
)

// Why an outcome is TempError although no server and no zone is to blame. They
// are found in Answer.Err by errors.Is. Of them only ErrName says anything about
// the name.
var (
	// ErrBusy: as many lookups are under way as Config.MaxInFlight allows, and
	// none of them has lasted for long; or this one had to give way to another.
	ErrBusy = admission.ErrBusy
	// ErrShare: so many of them are for the network of Options.Client, or query the
	// same zone, that this one is put off, or ended, for the sake of others.
	ErrShare = admission.ErrShare
	// ErrName: what was to be looked up is no domain name (RFC 1035 section 2.3.4).
	ErrName = errors.New("no domain name")
	// ErrOwn: this host has no descriptors, buffers or ports left to query with,
	// or the program has an error (a panic, which is logged).
	ErrOwn = errors.New("trouble of our own")
)

// ErrUnneeded is the cause of a context (context.WithTimeoutCause and the like)
// by which a caller says that it does without the answer when the context is
// over. If nobody else waits for it the lookup ends then, and does not run on
// behind.
var ErrUnneeded = errors.New("the answer is not needed")

var (
	errClosed   = errors.New("the resolver is closed")
	errDeadline = errors.New("deadline")
	errCut      = errors.New("cut short")
	errSlow     = errors.New("no answer in 20s")
	errUnwanted = errors.New("nobody needs the answer")
	errEmpty    = errors.New("records without data")
	errLarge    = errors.New("records that are too large to be kept")
)

// Reason is why one server did not know; without a server, why nobody could say
// although no server is to blame.
type Reason struct {
	Server netip.AddrPort // not valid: none is to blame
	Text   string         // a few words, without the server: "SERVFAIL", "no reply"
}

// Reasons takes the Err of an [Answer] apart: a reason for each server that was queried.
func Reasons(err error) []Reason {
	var servers troubles
	if !errors.As(err, &servers) {
		return []Reason{reasonOf(err)}
	}
	all := make([]Reason, len(servers))
	for i, err := range servers {
		all[i] = reasonOf(err)
	}
	return all
}

func reasonOf(err error) Reason {
	var f *transport.Failure
	switch {
	case !errors.As(err, &f):
		return Reason{Text: err.Error()}
	case f.Own:
		return Reason{Text: fmt.Sprintf("%v: %s", ErrOwn, f.Why)}
	}
	return Reason{Server: f.Server, Text: f.Why}
}

// rescue is deferred by what runs on a goroutine of its own. It turns a panic
// into an error for those who wait, and leaves the rest of the program alone.
func (r *Resolver) rescue(during string, then func(error)) {
	p := recover()
	if p == nil {
		return
	}
	r.counts.panics.Add(1)
	r.log.Error("panic in the resolver", "during", during, "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
	then(fmt.Errorf("%w: panic", ErrOwn))
}
