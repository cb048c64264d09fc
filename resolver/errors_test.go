package resolver

import (
	"errors"
	"fmt"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"policyd-rdns/resolver/internal/transport"
)

// What went wrong is told for each server, and who is not to blame is not named.
func TestReasons(t *testing.T) {
	one, two := netip.MustParseAddrPort("192.0.2.53:53"), netip.MustParseAddrPort("[2001:db8::53]:53")
	silent := &transport.Failure{Err: fmt.Errorf("no reply from %v in %v", one, time.Second), Server: one, Why: "no reply"}
	for _, test := range []struct {
		err  error
		want string
	}{
		{errSlow, "[{invalid AddrPort no answer in 20s}]"},
		{ErrBusy, "[{invalid AddrPort too many lookups under way}]"},
		{troubles{silent, (&transport.Failure{Err: errors.New("SERVFAIL")}).From(two)}, "[{192.0.2.53:53 no reply} {[2001:db8::53]:53 SERVFAIL}]"},
		{troubles{&transport.Failure{Err: syscall.ECONNREFUSED, Server: one, Why: "connection refused"}}, "[{192.0.2.53:53 connection refused}]"},
		{
			fmt.Errorf("%w: %w", ErrOwn, troubles{&transport.Failure{Err: syscall.EMFILE, Server: one, Why: "too many open files", Own: true}}),
			"[{invalid AddrPort trouble of our own: too many open files}]",
		},
		{troubles{silent, errors.New("panic")}, "[{192.0.2.53:53 no reply} {invalid AddrPort panic}]"},
	} {
		if got := fmt.Sprint(Reasons(test.err)); got != test.want {
			t.Errorf("Reasons(%v) = %s; want %s", test.err, got, test.want)
		}
	}
}

// A server that answers badly is named once, in the text as in the reason.
func TestReplyReason(t *testing.T) {
	server := netip.MustParseAddrPort("192.0.2.53:53")
	err := troubles{(&transport.Failure{Err: errors.New("truncated over TCP")}).From(server)}
	if got, want := err.Error(), "truncated over TCP from 192.0.2.53:53"; got != want {
		t.Errorf("error %q; want %q", got, want)
	}
	if got, want := Reasons(err)[0], (Reason{server, "truncated over TCP"}); got != want {
		t.Errorf("Reasons = %v; want %v", got, want)
	}
}
