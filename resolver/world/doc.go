// Package world is a DNS of one's own, made from text: for demonstrations with
// no network and for tests. It plays the recursive server that a mail host asks,
// with all of the DNS behind it, and misbehaves where the text says so.
//
// The text is a zone file (RFC 1035 section 5) of any zones, with lines of
// directives among it. Names are absolute; a record without a TTL has that of
// the record before it or of $TTL, and 300 seconds at the beginning; there are
// no wildcards.
//
//	10.113.0.203.in-addr.arpa. PTR mail.example.com.
//	mail.example.com.          A   203.0.113.10
//	!servfail broken.example.com
//	!drop     *.silent.example AAAA
//	!delay    slow.example.net 20ms
//
// A directive holds for a NAME (final dot or none), for everything under a zone
// (*.zone) or for everything (*), and for one record type if that is its last
// word. Where several hold, all do, in the order of the text. There are
//
//	!servfail NAME       SERVFAIL
//	!refused NAME        REFUSED
//	!rcode NAME 5        the response code of that number, 0 to 23
//	!drop NAME           no reply
//	!droptcp NAME        no reply over TCP
//	!flap NAME 200ms     no reply for that long, replies for as long, and so on
//	!delay NAME 20ms     the reply is late
//	!drip NAME 1s        over TCP, every byte of the reply is so late after the other
//	!truncate NAME       TC over UDP, the whole reply over TCP
//	!truncateall NAME    TC over TCP too
//	!wrongid NAME        the reply has another ID
//	!wrongquestion NAME  the reply is to another query
//	!mangle NAME         the reply is cut off within the question section
//	!cut NAME            the reply is cut off after the question section, as if it were whole
//	!spoof NAME          all these come first, then the right reply
//	!double NAME         the reply comes twice
//	!fold NAME           the reply has the query in lower case
//	!huge NAME           TC over UDP, 64 KiB of made up records over TCP
//	!foreign NAME        the first record of the answer is about another name
//	!nosoa NAME          the authority section is empty
//	!empty NAME          a lame reply: no records, neither AA nor RA
//	!referral NAME       a lame reply: only where to ask instead
//	!nochase NAME        the answer stops at the first CNAME
//	!noedns NAME         FORMERR to a query with EDNS
//
// Without one, a name and type of the text is answered with its records, CNAMEs
// followed; any other type of a name that exists, or that others are under, with
// NODATA, and any other name with NXDOMAIN, both with the SOA of the text that
// the name is under, or one that lets the answer be kept for 60 seconds. Replies
// that are too large for UDP are truncated. A query that does not ask for
// recursion is refused.
package world
