// Package maillog reads Postfix's own log: who has sent mail to whom, and what
// became of it, for sites that have no decision log yet.
//
// [Read] hands over one [Attempt] for each recipient that a client has named:
// those that were refused from the line that says so, those that were accepted
// from all the lines about their message put together.
//
// # What the log holds
//
//	refused    "NOQUEUE: reject: RCPT from name[addr]: 554 5.7.1 ...; from=<> to=<> proto= helo=<>"
//	           all there is to know, on one line; likewise milter-reject and postscreen's
//	accepted   smtpd     "ID: client=name[addr]", with sasl_username= of those who logged in
//	           qmgr      "ID: from=<>, size=, nrcpt="
//	           delivery  "ID: to=<>, orig_to=<>, relay=": smtp, lmtp, local, virtual, pipe, error, discard
//
// The HELO of accepted mail is not among them, unless some line of the same
// session happens to show it: reject_warning, warn, info, permit, hold and their
// like do (access(5), smtpd_log_access_permit_actions), what cleanup(8) says of
// headers, and a refusal of another recipient. It is taken from those of the same
// message; from others of the session only if the session's last line counts a
// single HELO. Recipients are learnt from deliveries: one that was added on
// the way, as by always_bcc, looks like the client's own. What is not held is
// unknown ([Fact]), and never guessed.
//
// # Formats
//
// Lines may come from syslog, journalctl, postlogd's maillog_file, containers and
// collectors of logs: [policyd-rdns/policy/journal/frame] has the forms. A time without a
// year belongs to the last year in which the file can have held it; one without a zone is
// of [Reader.Place]. What looks like a line of Postfix and is in none of these forms is
// told as damage.
//
// # Trust
//
// Senders choose what HELO, MAIL FROM and RCPT TO look like, and so what stands in
// a line. The client is read from the left, before any of that; the HELO, the
// sender and the recipient by a grammar that has to account for the line to its end. What
// could be read in two ways is unknown. The memory in use is bounded, whatever the
// log holds.
package maillog
