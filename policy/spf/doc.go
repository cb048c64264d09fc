// Package spf finds out what a domain says of an address that sends in its name (Sender
// Policy Framework, RFC 7208), and what that is worth for someone without a good name.
//
// [Check] evaluates the policy of MAIL FROM's domain, or of HELO for the null sender,
// through a resolver: within 10 lookups and 2 void ones (section 4.6.4), 20 messages to
// servers, and the deadline of the caller. A [Cache] keeps results for the least TTL of
// what they rest on.
//
// Anybody may publish anything. So a pass is graded:
//
//   - own: the domain names this address itself, by a, mx, ip4 (/24 or longer) or ip6
//     (/64 or longer), in a record of its own organisation;
//   - pass: it does so by a larger network, or through the record of another;
//   - neutral: a pass that says nothing of this address. That is one by all, ptr or
//     exists; by a prefix shorter than /12 (IPv4) or /29 (IPv6); by a record that covers
//     more than 2^21 IPv4 addresses; or by way of a macro that has the client, its HELO or
//     the local part in it, for then whoever owns the domain answers each client as he
//     likes, as with exists.
//
// The evaluation is that of blitiri.com.ar/go/spf, which this package alone imports. It
// reads a record as far as the first match. A record is therefore read as a whole first
// (RFC 7208 section 4.6: a syntax error anywhere is a permerror), and is handed on in one
// form, without what an evaluation does not use. Which term matched is learnt from the
// library's trace; a pass that cannot be told from there is neutral.
//
// It differs from RFC 7208 in four things. A temporary failure of a lookup for ptr, which
// section 5.5 has be no match, is a TempError where the result would be no pass: a fail rests
// on no failure of the DNS. The macro p is always "unknown", and of the
// parts of a macro's value those without a byte are left out (section 7.3): what rests on
// either is no more than neutral. A domain-spec with a "/" in it is a permerror.
package spf
