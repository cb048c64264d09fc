// Package load asks a policy service about clients, over connections that stay
// open as those of Postfix do, and measures how it answers.
//
// In a closed loop each connection sends its next request when the answer to the
// last one has come: so it is found how much a service can do. In an open loop
// requests come at a constant rate, whatever the service does: a request for
// which no connection is free waits, and its latency counts from when it was
// meant to be sent. A service that stalls is so charged for all those that it
// kept waiting, not for one.
//
// The generator shares the processors with what it measures, so it is light: one
// thread of epoll(7) for all connections, requests built in place, and no
// allocation. It needs Linux.
package load
