// Package postfix speaks the policy delegation protocol of Postfix
// (SMTPD_POLICY_README): it reads requests into a [policy.Request], hands each
// to a [Handler], and writes the handler's action back.
//
// # Protocol
//
// A request is lines of name=value ended by an empty line; a value may hold
// "=". The answer is one line "action=…" and an empty line. Postfix keeps a
// connection for many requests, one after the other, and opens one for each
// of its smtpd processes.
//
//	request=smtpd_access_policy
//	protocol_state=RCPT
//	helo_name=mail.example.com
//	client_address=192.0.2.1
//	…
//
//	action=DUNNO
//
// Attributes may come in any order. Unknown ones are passed over, of repeated
// ones the last holds, absent ones are empty, and so any version of Postfix
// from 2.1 on is understood.
//
// Commands of ours ask the running daemon in the same form, over the same socket:
//
//	request=policyd_rdns
//	query=hash
//
//	hash=09388c781a7e
//
// Such an [Inquiry] is no policy request: it goes to another function, and its answer
// has no action. Who asks is told apart by what the system says ([Asker]).
//
// # Promises
//
// The peer is not trusted. A request has at most 64 KiB and 256 attributes, a
// line 16 KiB; none holds a NUL byte; the buffers of unfinished requests are
// bounded over all connections ([Memory]), and in time ([Server]). What goes
// beyond is answered as the README demands of a server in trouble: a warning
// in the log, no reply, the connection closed.
//
// Connections are bounded too (MaxConnections). One beyond that, or for which
// there is no file descriptor, is not refused: it waits, and is served if its
// time comes. Resident memory is about 10 MiB, 6 KiB for each connection and
// twice the bound of Memory, garbage included, beside what the [Handler]
// takes: 45 MiB were measured with 5000 connections. A peer that sends without
// waiting for answers has no more than its turn, and holds up no other.
//
// On Linux one goroutine for each processor serves all connections, and one more
// each request whose handler has to wait; elsewhere each connection has its own.
//
// A reply is always one line of printable ASCII that Postfix takes for what
// was meant ([NewReply]). A handler that panics is answered for with
// DUNNO. A healthy connection is never closed first: Postfix would pay for it
// with a second of waiting in the next SMTP session.
//
// What a request means, and what to do about it, is left to others.
package postfix
