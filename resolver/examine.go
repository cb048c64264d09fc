package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/resolver/internal/message"
	"policyd-rdns/resolver/internal/transport"
)

// Examination is what a few queries tell of a recursive server.
type Examination struct {
	// Err is why the server gave no proper answer; the other fields then say
	// nothing.
	Err error
	// Took is the time to its first answer.
	Took time.Duration
	// Recursive: it offers recursion (RA).
	Recursive bool
	// Validates: it vouches for the signatures of the root zone (AD, RFC
	// 4035 section 3.2.3). A forwarder may only repeat what another has said.
	Validates bool
	// TCPErr is why it gave no answer over TCP, which long answers need; nil: it
	// did.
	TCPErr error
	// Negative is how long it holds on to "there is no such name", as it says
	// itself of a name that the root zone does not have, where the zone allows a
	// day. It is 0 if it did not say.
	Negative time.Duration
	// Software is what it says it is (version.bind), printable and short; empty if
	// it does not say.
	Software string
}

// Probes for Examine. The name is of no top-level domain, so that no resolver has
// a zone of its own for it, as many have for .invalid, and every answer is from
// the signed root.
const (
	missingName  = "policyd-rdns-doctor."
	softwareName = "version.bind." // RFC 4892 section 2
	maxSoftware  = 60              // bytes
)

// Examine sends five queries to a recursive server: for the SOA of the root,
// over UDP and TCP, twice for a name that does not exist, and for its software.
// timeout bounds each; a first one that is not answered ends it, after one more
// try. It uses no cache and no Resolver.
func Examine(ctx context.Context, server netip.AddrPort, timeout time.Duration) Examination {
	var e Examination
	root := message.Query{Name: ".", Type: message.TypeSOA}
	var told *message.Reply
	for range 2 { // a datagram may be lost
		begin := time.Now()
		told, e.Err = queryOnce(ctx, "udp", server, timeout, root)
		e.Took = time.Since(begin)
		if e.Err == nil {
			break
		}
	}
	if e.Err != nil {
		return e
	}
	if told.Failed() || told.NoSuchName() {
		e.Err = fmt.Errorf("%s from %v", told.Code(), server)
		return e
	}
	e.Recursive, e.Validates = told.Recursive, told.Validated
	_, e.TCPErr = queryOnce(ctx, "tcp", server, timeout, root)
	// The second answer is from the cache, whose own limit may be the lower one.
	for range 2 {
		missing := message.Query{Name: missingName, Type: message.TypeA}
		if told, err := queryOnce(ctx, "udp", server, timeout, missing); err == nil {
			e.Negative = 0
			if told.NoSuchName() && told.SOA != nil {
				e.Negative = told.SOA.Holds()
			}
		}
	}
	software := message.Query{Name: softwareName, Type: message.TypeTXT, Class: message.ClassChaos}
	if told, err := queryOnce(ctx, "udp", server, timeout, software); err == nil {
		e.Software = softwareOf(told)
	}
	return e
}

// queryOnce sends one query, asking for signatures to be checked.
func queryOnce(ctx context.Context, network string, server netip.AddrPort, timeout time.Duration, q message.Query) (*message.Reply, error) {
	sent, err := q.Pack(true, false)
	if err != nil {
		return nil, err
	}
	sent.WantValidated()
	return transport.New(nil).Once(ctx, network, server, timeout, sent)
}

func softwareOf(r *message.Reply) string {
	if len(r.Records) == 0 {
		return ""
	}
	text := strings.Map(func(c rune) rune {
		if c < ' ' || c > '~' {
			return '?'
		}
		return c
	}, r.Records[0].Text)
	return text[:min(len(text), maxSoftware)]
}
