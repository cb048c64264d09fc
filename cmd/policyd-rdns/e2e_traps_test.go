package main

import "testing"

// trapRules come before the built-in rules.
const trapRules = `
default_rules = true
[[rule]]
name = "own code"
when = { client = "203.0.113.101" }
action = "reject"
code = "550 5.7.25"
text = "no reverse name, [{client}]"
[[rule]]
name = "hang up"
when = { client = "203.0.113.102" }
action = "reject"
code = "521 5.7.1"
text = "no more of you, [{client}]"
[[rule]]
name = "later"
when = { client = "203.0.113.103" }
action = "defer"
code = "451 4.7.25"
text = "come back, [{client}]"
[[rule]]
name = "greeting alone"
when = { client = "203.0.113.104" }
action = "reject"
text = "{helo}"
[[rule]]
name = "name alone"
when = { ptr = "malformed", client = ["203.0.113.60", "203.0.113.61", "203.0.113.62"] }
unless = { recipient = "postmaster@" }
action = "reject"
text = "{name}"
[[rule]]
name = "doubt refused"
when = { client = "203.0.113.20", helo = "temperror" }
action = "reject"
text = "cannot ask for {helo}"
[[rule]]
name = "context"
when = { context = "submission" }
action = "reject"
text = "not here"
`

// TestPostfixTraps walks into the traps of Postfix's protocol, one by one.
func TestPostfixTraps(t *testing.T) {
	recipient := []string{"smtpd_recipient_restrictions = reject_unauth_destination, POLICY"}
	runDialogs(t, trapRules, []dialog{
		{
			// Traps 1 and 4: the code of a REJECT would be 554, and its class has to agree
			// with the enhanced one's.
			name: "1 own code", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.101
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.25 <user@example.com>: Recipient address rejected: no reverse name, [203.0.113.101]
			`,
			log: "RCPT reject own code",
		},
		{
			name: "1 hang up", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.102
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 521 5.7.1 <user@example.com>: Recipient address rejected: no more of you, [203.0.113.102]
				.
			`,
			log: "RCPT reject hang up",
		},
		{
			name: "4 later", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.103
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 451 4.7.25 <user@example.com>: Recipient address rejected: come back, [203.0.113.103]
			`,
			log: "RCPT defer later",
		},
		{
			// Trap 2: a code without text would permit.
			name: "2 no text", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.104
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: Access denied
			`,
			log: "RCPT reject greeting alone",
		},
		{
			// Trap 3: what a client says must not be taken for an action.
			name: "3 text like an action", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.104
				+ EHLO 550:
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: 550:
				+ RSET
				+ EHLO 250
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: 250
				+ RSET
				+ EHLO 2.1.5
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: 2.1.5
				+ RSET
				+ EHLO OK
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: OK
			`,
			log: `
				RCPT reject greeting alone
				RCPT reject greeting alone
				RCPT reject greeting alone
				RCPT reject greeting alone
			`,
		},
		{
			// Trap 7: an OK would open the relay.
			name: "7 before reject_unauth_destination", options: []string{"smtpd_recipient_restrictions = POLICY, reject_unauth_destination"},
			talk: `
				+ XCLIENT ADDR=203.0.113.20 NAME=mail.example.org
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.net>
				< 554 5.7.1 <user@example.net>: Relay access denied
				> RCPT TO:<postmaster@example.net>
				< 554 5.7.1 <postmaster@example.net>: Relay access denied
				+ RCPT TO:<user@example.com>
			`,
			log: `
				RCPT dunno
				RCPT dunno postmaster
				RCPT dunno
			`,
		},
		{
			// Trap 8: bytes of the DNS in a reply, and the next client after them.
			name: "8 newlines", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.60
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: a\010\010action=ok\010\010.evil.example
				> RCPT TO:<other@example.com>
				< 550 5.7.1 <other@example.com>: Recipient address rejected: a\010\010action=ok\010\010.evil.example
				+ RCPT TO:<postmaster@example.com>
			`,
			log: `
				RCPT reject name alone
				RCPT reject name alone
				RCPT dunno postmaster
			`,
		},
		{
			name: "8 quotes", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.61
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: say\"hi\"\ there.evil.example
			`,
			log: "RCPT reject name alone",
		},
		{
			name: "8 control bytes", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.62
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: nul\000esc\027[31m.evil.example
			`,
			log: "RCPT reject name alone",
		},
		{
			// Trap 8: beyond ASCII, to a Postfix that takes any bytes.
			name: "8 bytes in the greeting", options: append(recipient, "smtputf8_enable = no"),
			talk: "+ XCLIENT ADDR=203.0.113.104\n+ EHLO a\x80\xff\xc3\xa9\x1bb\n+ MAIL FROM:<sender@example.net>\n" +
				"> RCPT TO:<user@example.com>\n< 550 5.7.1 <user@example.com>: Recipient address rejected: a?????b\n",
			log: "RCPT reject greeting alone",
		},
		{
			// Trap 8: at this stage Postfix hands on the very bytes.
			name: "8 raw greeting", options: []string{"smtpd_delay_reject = no", "smtpd_helo_restrictions = POLICY"},
			talk: "+ XCLIENT ADDR=203.0.113.104\n> EHLO a\x1b[31m b\n< 550 5.7.1 <a [31m b>: Helo command rejected: a?[31m b\n",
			log:  "EHLO reject greeting alone | a\x1b[31m b",
		},
		{
			// Trap 10: XFORWARD is for the logs of Postfix.
			name: "10 forwarded", options: recipient,
			talk: `
				+ EHLO mail.example.org
				+ XFORWARD ADDR=203.0.113.10 NAME=[UNAVAILABLE] HELO=forwarded.example.org
				+ MAIL FROM:<sender@example.net>
				+ RCPT TO:<user@example.com>
			`,
			log: "RCPT dunno own client",
		},
		{
			name: "11 postscreen", options: recipient, through: true,
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: cannot find your reverse hostname, [203.0.113.10]
			`,
			log: "RCPT reject no reverse name",
		},
		{
			name: "12 footer", options: append(recipient, "smtpd_reject_footer = call the postmaster"),
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550-5.7.1 <user@example.com>: Recipient address rejected: cannot find your reverse hostname, [203.0.113.10]
				< 550 5.7.1 call the postmaster
			`,
			log: "RCPT reject no reverse name",
		},
		{
			// Trap 13: as permit_dnswl_client does when its DNS fails.
			name: "13 defer_if_reject", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, check_client_access inline:{203.0.113.10=DEFER_IF_REJECT}, POLICY"},
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <unknown[203.0.113.10]>: Client host rejected: Service unavailable
			`,
			log: "RCPT reject no reverse name",
		},
		{
			// The reverse: our doubt does not save a client whom a later check refuses.
			name: "13 defer_if_permit", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, POLICY, check_recipient_access inline:{gone@example.com=REJECT}"},
			talk: `
				+ XCLIENT ADDR=203.0.113.50
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<gone@example.com>
				< 554 5.7.1 <gone@example.com>: Recipient address rejected: Access denied
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: temporary DNS failure: cannot find your reverse hostname, [203.0.113.50]
			`,
			log: `
				RCPT defer no reverse name
				RCPT defer no reverse name
			`,
		},
		{
			name: "warn_if_reject", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, warn_if_reject, POLICY"},
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				+ RCPT TO:<user@example.com>
			`,
			log: "RCPT reject no reverse name",
		},
		{
			name: "soft_bounce", options: append(recipient, "soft_bounce = yes"),
			talk: `
				+ XCLIENT ADDR=203.0.113.10
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: cannot find your reverse hostname, [203.0.113.10]
			`,
			log: "RCPT reject no reverse name",
		},
		{
			// Whatever the rules say, a doubt is no refusal.
			name: "doubt", options: recipient,
			talk: `
				+ XCLIENT ADDR=203.0.113.20 NAME=mail.example.org
				+ EHLO mail.broken.example
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: temporary DNS failure: cannot ask for mail.broken.example
			`,
			log: "RCPT defer doubt refused",
		},
		{
			name: "context", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, CONTEXT"},
			talk: `
				+ XCLIENT ADDR=203.0.113.20 NAME=mail.example.org
				+ EHLO mail.example.org
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: not here
			`,
			log: "RCPT reject context",
		},
	})
}
