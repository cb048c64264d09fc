package spf

import (
	"context"
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// maxMessages bounds the messages to DNS servers for one check, retries and TCP included.
// RFC 7208 alone would have 10 names with 10 MX each.
const maxMessages = 20

// Code is what a check came to.
type Code uint8

// The codes: those of RFC 7208 section 2.6, and Own. The zero value: nobody has
// checked yet.
const (
	// NotChecked: nobody has checked.
	NotChecked Code = iota
	// Own: the domain itself names the address.
	Own
	// Pass: the domain lets the address send, by a wider network or through the record of
	// another.
	Pass
	// Fail: it does not.
	Fail
	// SoftFail: it rather does not.
	SoftFail
	// Neutral: it does not say, or says the same of nearly everybody.
	Neutral
	// None: it has no policy, or is no domain.
	None
	// PermError: the policy cannot be read, or takes too many lookups.
	PermError
	// TempError: nobody could say.
	TempError
	numCodes
)

// String is the code as it stands in rules and in the decision log.
func (c Code) String() string {
	return [numCodes]string{"not checked", "own", "pass", "fail", "softfail", "neutral", "none", "permerror", "temperror"}[c]
}

// DNS answers queries; *[resolver.Resolver] does.
type DNS interface {
	LookupTXT(ctx context.Context, name string, o resolver.Options) resolver.Answer
	LookupMX(ctx context.Context, domain string, o resolver.Options) resolver.Answer
	LookupAddrs(ctx context.Context, network, name string, o resolver.Options) resolver.Answer
	LookupPTR(ctx context.Context, addr netip.Addr, o resolver.Options) resolver.Answer
}

var _ DNS = (*resolver.Resolver)(nil)

// Query is who sends.
type Query struct {
	Client netip.Addr
	HELO   string // as the client says it
	Sender string // of MAIL FROM; empty: the null sender
	// MaxAge, if above 0, is the greatest age of what the result may rest on; what is
	// older is queried again. See [resolver.Options].
	MaxAge time.Duration
}

// Domain is the domain whose policy is checked, in lower case and with A-labels; empty if
// there is none (RFC 7208 section 4.3), and the result is None.
func (q *Query) Domain() string {
	domain := q.HELO
	if q.Sender != "" {
		_, domain = split(q.Sender)
	}
	domain = hostname.Normal(hostname.ASCII(domain))
	if !checkable(domain) {
		return ""
	}
	return domain
}

// split takes an address apart. A local part may have an "@" in it (RFC 5321 section 4.1.2).
func split(sender string) (local, domain string) {
	at := strings.LastIndexByte(sender, '@')
	if at < 0 {
		return sender, ""
	}
	return sender[:at], sender[at+1:]
}

// checkable reports whether a domain has the form of one that may have a policy: several
// labels of 1 to 63 bytes, 253 at most, and no address.
func checkable(domain string) bool {
	if len(domain) > maxName || !strings.Contains(domain, ".") || strings.ContainsAny(domain, "[] \t") {
		return false
	}
	for label := range strings.SplitSeq(domain, ".") {
		if label == "" || len(label) > 63 {
			return false
		}
	}
	// An address of IPv4 ends in a number, as no domain does, and one of IPv6 has colons.
	last := domain[strings.LastIndexByte(domain, '.')+1:]
	if !strings.Contains(domain, ":") && strings.Trim(last, "0123456789") != "" {
		return true
	}
	_, err := netip.ParseAddr(domain)
	return err != nil
}

// maxName is the longest name, in bytes, without its final dot.
const maxName = 253

// By is what decided: the term that matched, or was at fault, and the domain whose record
// has it. Both are empty if there is none.
type By struct {
	// Term is as the record has it: "ip4:192.0.2.0/24", "all"; "default" at the end of a
	// record without a match. It is printable ASCII, 255 bytes at most.
	Term string
	// Domain is as it was queried, 253 bytes at most, of any bytes if a macro made it.
	Domain string
	text   string // of both, once it was put together
}

// String is the term and its domain: "a:mail.example.com example.com".
func (b By) String() string {
	if b.text != "" {
		return b.text
	}
	if b.Term == "" {
		return b.Domain
	}
	return b.Term + " " + b.Domain
}

// Result is what a check came to. Its slices are shared: read them, do not modify them.
type Result struct {
	Code Code
	// RFC is what RFC 7208 says. Code differs from it where a pass is Own, or is Neutral
	// because it says nothing of this client.
	RFC Code
	By  By
	// Why says in a few words, for people, why it is PermError, or why a pass is Neutral.
	Why string
	// Errors are why it is TempError: the lookup that failed, a reason for each server.
	Errors []resolver.LookupError
	// Overload: the trouble was ours, and says nothing about the domain.
	Overload bool

	// TTL is for how long the result goes on to hold: as what it rests on that is the
	// first to expire. 0 with TempError, and if it is Stale.
	TTL time.Duration
	// Age is that of the oldest answer that it rests on.
	Age time.Duration
	// Cached: no query was sent for it.
	Cached bool
	// Stale: it rests on an answer past its TTL, and is no ground to refuse anybody.
	Stale bool
	// Personal: a macro made it depend on more than client and domain: on the local part
	// of the sender, or on HELO.
	Personal bool
	// Messages is how many were sent to DNS servers.
	Messages int
}

// Check evaluates a policy. It returns when ctx is over, whatever the DNS does, and cannot
// fail: what could not be learnt is a TempError.
func Check(ctx context.Context, dns DNS, q Query) Result {
	q.Client = address.Plain(q.Client)
	domain := q.Domain()
	if domain == "" || !q.Client.IsValid() {
		return Result{Code: None, RFC: None, Cached: true}
	}
	e := newEvaluation(dns, q, domain)
	return e.run(ctx)
}
