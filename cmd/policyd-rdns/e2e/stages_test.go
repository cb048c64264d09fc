package e2e

import "testing"

// atOnce has Postfix ask at every stage of the dialogue, rather than for each recipient.
const atOnce = "smtpd_delay_reject = no"

// TestPostfixEarlyStages asks before there is a login or a recipient, by which the
// built-in exemptions may spare the client: who is refused is so later.
func TestPostfixEarlyStages(t *testing.T) {
	t.Parallel()
	const thenRecipients = "smtpd_recipient_restrictions = reject_unauth_destination, POLICY"
	runDialogs(t, "", []dialog{
		{
			name: "client", options: []string{atOnce, "smtpd_client_restrictions = POLICY", thenRecipients}, as: "203.0.113.10",
			talk: `
				+ RCPT TO:<postmaster@example.com>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com
			`,
			log: `
				CONNECT dunno own client
				XCLIENT dunno logged in
				RCPT dunno postmaster
				RCPT reject no reverse name
			`,
		},
		{
			name: "client in doubt", options: []string{atOnce, "smtpd_client_restrictions = POLICY"}, as: "203.0.113.50",
			talk: "+ RCPT TO:<user@example.com>",
			log: `
				CONNECT dunno own client
				XCLIENT dunno logged in
			`,
		},
		{
			name: "helo", options: []string{atOnce, "smtpd_helo_restrictions = POLICY", thenRecipients},
			talk: `
				+ XCLIENT ADDR=203.0.113.20 NAME=mail.example.org
				+ EHLO mx.example.com
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.20] says mx.example.com in HELO, which is ours; have it say its own host name; contact postmaster@example.com
				+ RCPT TO:<abuse@example.com>
			`,
			log: `
				EHLO dunno logged in
				RCPT reject HELO is our name
				RCPT dunno postmaster
			`,
		},
		{
			// Who has not logged in by now does not.
			name: "sender", options: []string{atOnce, "smtpd_sender_restrictions = POLICY", thenRecipients}, as: "203.0.113.10",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com
			`,
			log: `
				MAIL dunno postmaster
				RCPT reject no reverse name
			`,
		},
		{
			// What spares the client for sure is not waited for.
			name: "own client", options: []string{atOnce, "smtpd_client_restrictions = POLICY", "smtpd_helo_restrictions = POLICY", "smtpd_sender_restrictions = POLICY"},
			talk: `
				+ EHLO localhost
				+ MAIL FROM:<sender@example.net>
			`,
			log: `
				CONNECT dunno own client
				EHLO dunno own client
				MAIL dunno own client
			`,
		},
		{
			name: "data", options: []string{"smtpd_data_restrictions = POLICY"},
			as: "203.0.113.10",
			talk: `
				+ RCPT TO:<user@example.com>
				> DATA
				< 550 5.7.1 <DATA>: Data command rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com
			`,
			log: "DATA reject no reverse name",
		},
		{
			name: "end of data", options: []string{"smtpd_end_of_data_restrictions = POLICY"},
			as: "203.0.113.10",
			talk: `
				+ RCPT TO:<user@example.com>
				+ DATA
				> .
				< 550 5.7.1 <END-OF-MESSAGE>: End-of-data rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com
			`,
			log: "END-OF-MESSAGE reject no reverse name",
		},
		{
			name: "etrn", options: []string{"smtpd_etrn_restrictions = POLICY"},
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				> ETRN example.com
				< 550 5.7.1 <example.com>: Etrn command rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
			`,
			log: "ETRN reject no reverse name",
		},
		{
			name: "vrfy", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, POLICY"},
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				> VRFY user@example.com
				< 550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one; contact postmaster@example.com
			`,
			log: "VRFY reject no reverse name",
		},
	})
}

// TestPostfixStages calls the program from every restriction list, as it comes to pass in
// a session, where no rule looks at what comes later.
func TestPostfixStages(t *testing.T) {
	t.Parallel()
	const atOnceRules = `
[[exempt]]
name = "logged in"
off = true
[[exempt]]
name = "postmaster"
off = true
`
	runDialogs(t, atOnceRules, []dialog{
		{
			// At CONNECT the client is the test itself. Judged again after XCLIENT, the
			// state is one that Postfix does not document.
			name: "client", options: []string{atOnce, "smtpd_client_restrictions = POLICY"},
			talk: `
				> XCLIENT ADDR=203.0.113.10
				< 550 5.7.1 <unknown[203.0.113.10]>: Client host rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
			`,
			log: `
				CONNECT dunno own client
				XCLIENT reject no reverse name
			`,
		},
		{
			name: "client before HELO", options: []string{atOnce, "smtpd_client_restrictions = POLICY"},
			as: "203.0.113.20",
			talk: `
				+ RCPT TO:<user@example.com>
			`,
			log: `
				CONNECT dunno own client
				XCLIENT dunno
			`,
		},
		{
			name: "client in doubt", options: []string{atOnce, "smtpd_client_restrictions = POLICY"},
			as: "203.0.113.50",
			talk: `
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <unknown[203.0.113.50]>: Client host rejected: temporary DNS failure: the names of your server [203.0.113.50] could not be looked up; there is nothing to do, it tries again by itself
			`,
			log: `
				CONNECT dunno own client
				XCLIENT defer no reverse name
			`,
		},
		{
			// The HELO is as it came; later it has question marks.
			name: "helo", options: []string{atOnce, "smtpd_helo_restrictions = POLICY", "smtpd_recipient_restrictions = reject_unauth_destination, POLICY"},
			talk: `
				+ XCLIENT ADDR=203.0.113.20 NAME=mail.example.org
				> EHLO mx.example.com
				< 550 5.7.1 <mx.example.com>: Helo command rejected: your server [203.0.113.20] says mx.example.com in HELO, which is ours; have it say its own host name
				> HELO a  b c
				< 250 mx.example.com
				+ EHLO a(b)"c"
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.20] is new here, and its HELO a?b??c? is no fully-qualified host name; there is nothing to do, it tries again by itself; contact postmaster@example.com
			`,
			log: `
				EHLO reject HELO is our name | mx.example.com
				HELO dunno | a b c
				EHLO dunno | a(b)"c"
				RCPT defer HELO is no host name | a?b??c?
			`,
		},
		{
			name: "sender", options: []string{atOnce, "smtpd_sender_restrictions = POLICY"},
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				> MAIL FROM:<sender=1@example.net>
				< 550 5.7.1 <sender=1@example.net>: Sender address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
				> MAIL FROM:<>
				< 550 5.7.1 <>: Sender address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
			`,
			log: `
				MAIL reject no reverse name
				MAIL reject no reverse name
			`,
		},
	})
}
