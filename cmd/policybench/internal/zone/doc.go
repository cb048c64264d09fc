// Package zone is the DNS of a [crowd.Crowd]: what a recursive server would
// answer about clients by the million, computed from the query.
//
// PTR, A and AAAA queries about clients get what the crowd says. A name that
// exists, queried for another type, has NODATA, and every other name NXDOMAIN, both
// with an SOA. Some queries fare worse, by shares of chance: datagrams are
// lost, zones fail (SERVFAIL), replies come truncated and have to be queried
// again over TCP. A name that fails does so each time, for the same seed; a
// datagram is lost by a chance of its own.
//
// Every reply comes after the same delay, which is kept to some 100 microseconds:
// replies wait in a queue, in the order of their queries, and not each on a
// timer.
//
// The TXT record of stats.invalid holds what was counted, and is not counted
// itself.
package zone
