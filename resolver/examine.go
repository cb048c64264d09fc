package resolver

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"
)

// Examination is what a few questions tell of a recursive server.
type Examination struct {
	// Err is why the server gave no proper answer; the other fields then say
	// nothing.
	Err error
	// Took is the time to its first answer.
	Took time.Duration
	// Recursive says that it offers recursion (RA).
	Recursive bool
	// Validates says that it vouches for the signatures of the root zone (AD, RFC
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

// Examine puts five questions to a recursive server: for the SOA of the root,
// over UDP and TCP, twice for a name that does not exist, and for its software.
// timeout bounds each; a first one that is not answered ends it, after one more
// try. It uses no cache and no Resolver.
func Examine(ctx context.Context, server netip.AddrPort, timeout time.Duration) Examination {
	var e Examination
	root := dns.Question{Name: ".", Qtype: dns.TypeSOA, Qclass: dns.ClassINET}
	var told *reply
	for range 2 { // a datagram may be lost
		begin := time.Now()
		told, _, e.Err = askOnce(ctx, "udp", server, timeout, root)
		e.Took = time.Since(begin)
		if e.Err == nil {
			break
		}
	}
	if e.Err != nil {
		return e
	}
	if told.rcode != dns.RcodeSuccess {
		e.Err = fmt.Errorf("%s from %v", rcode(told.rcode), server)
		return e
	}
	e.Recursive, e.Validates = told.recursive, told.validated
	_, _, e.TCPErr = askOnce(ctx, "tcp", server, timeout, root)
	// The second answer is from the cache, whose own limit may be the lower one.
	for range 2 {
		missing := dns.Question{Name: missingName, Qtype: dns.TypeA, Qclass: dns.ClassINET}
		if told, _, err := askOnce(ctx, "udp", server, timeout, missing); err == nil {
			e.Negative = told.holdsNo()
		}
	}
	software := dns.Question{Name: softwareName, Qtype: dns.TypeTXT, Qclass: dns.ClassCHAOS}
	if _, whole, err := askOnce(ctx, "udp", server, timeout, software); err == nil {
		e.Software = softwareOf(whole)
	}
	return e
}

// askOnce puts one question, asking for signatures to be checked: AD in a
// question says that AD in the reply is understood (RFC 6840 section 5.7). The
// reply is also given whole, as far as it can be read.
func askOnce(ctx context.Context, network string, server netip.AddrPort, timeout time.Duration, q dns.Question) (*reply, *dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	ask := dns.Msg{
		MsgHdr:   dns.MsgHdr{Id: dns.Id(), RecursionDesired: true, AuthenticatedData: true},
		Question: []dns.Question{q},
	}
	ask.SetEdns0(ednsSize, false)
	wire, err := ask.Pack()
	if err != nil {
		return nil, nil, err
	}
	whole := new(dns.Msg)
	r, l := Resolver{large: newBuffers()}, new(leash)
	t := talk{r: &r, l: l, to: message{network: network, server: server}, ask: query{wire: wire}, keep: func(p []byte) { _ = whole.Unpack(p) }}
	t.end, _ = ctx.Deadline()
	if t.conn, err = r.open(ctx, t.to); err != nil {
		return nil, nil, broken(server, err)
	}
	defer t.conn.Close()
	l.tie(func() { _ = t.conn.SetDeadline(time.Unix(1, 0)) })
	defer context.AfterFunc(ctx, l.pull)()
	told, err := t.converse()
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, nil, fmt.Errorf("no reply from %v in %v%s", server, timeout, seen(err))
	case err != nil:
		return nil, nil, broken(server, err)
	}
	return told, whole, nil
}

// holdsNo is how long a "no" may be kept (RFC 2308 section 5).
func (r *reply) holdsNo() time.Duration {
	if r.rcode != dns.RcodeNameError || r.soa == nil {
		return 0
	}
	return seconds(r.soa.holds())
}

func softwareOf(m *dns.Msg) string {
	for _, rr := range m.Answer {
		txt, ok := rr.(*dns.TXT)
		if !ok {
			continue
		}
		text := strings.Join(txt.Txt, " ")
		text = strings.Map(func(c rune) rune {
			if c < ' ' || c > '~' {
				return '?'
			}
			return c
		}, text)
		return text[:min(len(text), maxSoftware)]
	}
	return ""
}
