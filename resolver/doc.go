// Package resolver finds out what the DNS says about a client and the domains that it
// names: PTR, address, TXT and MX lookups with a cache, and nothing else.
//
// It queries recursive servers (Unbound, BIND, those of /etc/resolv.conf), one
// after the other, over UDP with EDNS0 and over TCP when a reply was truncated.
// Names are always queried as absolute names; there is no search list, no
// /etc/hosts and no C library.
//
// "No" and "don't know" are kept apart from the first byte of a reply on
// (Outcome): only NXDOMAIN and a well-formed empty answer are a "no". Silence,
// SERVFAIL, REFUSED, a server that has no idea, a reply that cannot be read and
// every bound of our own are "don't know".
//
// Each answer is kept for as long as its TTL says, within limits: positive ones
// between a minute and a day, negative ones (RFC 2308) between 5 seconds and 15
// minutes, failures for 5 seconds (RFC 9520).
//
// An answer past its TTL may be kept for longer (Config.Stale) and is given,
// marked as stale, when the servers fail or are slow (RFC 8767). An answer that
// is often of use is prefetched before it expires, behind the callers.
//
// A UDP socket has one query at a time, so that queries under way have
// different ports, and eight in all, within 5 seconds. The letters of a query are
// of random case, and the reply has to repeat them. That a server is not there is
// only believed when it refuses several queries: anybody can send such news.
//
// Of a message only what an answer needs is unpacked, and few large messages are
// held at a time: who owns a zone chooses what they are made of.
//
// A query that several callers have is sent once. It is sent on a flight
// of its own, which goes on when a caller's deadline cuts that caller short: the
// answer is then in the cache for the next one. Flights are bounded in number, as
// a whole and, when half of that is in use, for the network of a client and for the
// zone that is queried, and in time. HELO names have half of the whole at most, and
// what a HELO name keeps out is nothing but another; names of addresses leave a
// quarter. Without room the oldest flight gives way to one with a better claim.
//
// A server that fails is queried last until it answers again, a lookup or a
// probe. When no server answers any more, that is an outage, and the caller is
// told: what cannot be learnt then says nothing about a client.
//
// A cached lookup starts no goroutine and allocates nothing.
//
// Its rooms: internal/message makes queries and reads what comes back,
// internal/transport puts one query to one server, internal/admission bounds what is under
// way, internal/clock is the time by which answers grow old. Here is what needs more than
// one of them: the cache, the flights, and the health of the servers.
//
// What is left to others: which names to look up, how many, and what an answer
// means.
package resolver
