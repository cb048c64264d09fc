package e2e

import (
	"slices"
	"strings"
	"testing"
)

// trapRules come before the built-in rules.
const trapRules = `

[reply]
contact = ""

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
name = "HELO alone"
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

// atRecipient is where most sites ask.
const atRecipient = "smtpd_recipient_restrictions = reject_unauth_destination, POLICY"

// TestPostfixTraps walks into the traps of Postfix's policy protocol, each with a
// service of its own. The numbers are those of the list of traps that this
// program was designed by; traps 5, 9 and 14 are in the matrix, 6 is in
// TestPostfixKeepsItsConnection.
func TestPostfixTraps(t *testing.T) {
	t.Parallel()
	runDialogs(t, trapRules, slices.Concat(codeTraps(), byteTraps(), settingTraps()))
}

// codeTraps are about what Postfix takes for a code, a text or an action.
func codeTraps() []dialog {
	return []dialog{
		{
			// Traps 1 and 4: the code of a REJECT would be 554, and a code has to agree
			// with the class of its enhanced code.
			name: "1 own code", options: []string{atRecipient}, as: "203.0.113.101",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.25 <user@example.com>: Recipient address rejected: no reverse name, [203.0.113.101]
			`,
			log: "RCPT reject own code",
		},
		{
			name: "1 hang up", options: []string{atRecipient}, as: "203.0.113.102",
			talk: `
				> RCPT TO:<user@example.com>
				< 521 5.7.1 <user@example.com>: Recipient address rejected: no more of you, [203.0.113.102]
				.
			`,
			log: "RCPT reject hang up",
		},
		{
			name: "4 later", options: []string{atRecipient}, as: "203.0.113.103",
			talk: `
				> RCPT TO:<user@example.com>
				< 451 4.7.25 <user@example.com>: Recipient address rejected: come back, [203.0.113.103]
			`,
			log: "RCPT defer later",
		},
		{
			// Trap 2: a code alone would permit.
			name: "2 no text", options: []string{atRecipient},
			talk: `
				+ XCLIENT ADDR=203.0.113.104
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: Access denied
			`,
			log: "RCPT reject HELO alone",
		},
		{
			// Trap 3: what a client says must not be taken for an action.
			name: "3 text like an action", options: []string{atRecipient},
			talk: `
				+ XCLIENT ADDR=203.0.113.104
				+ EHLO 550:
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: 550:
				+ EHLO 250
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: 250
				+ EHLO 2.1.5
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: 2.1.5
				+ EHLO OK
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: OK
			`,
			log: `
				RCPT reject HELO alone
				RCPT reject HELO alone
				RCPT reject HELO alone
				RCPT reject HELO alone
			`,
		},
		{
			// Trap 7: an OK would open the relay.
			name: "7 before reject_unauth_destination", options: []string{"smtpd_recipient_restrictions = POLICY, reject_unauth_destination"},
			as: "203.0.113.20",
			talk: `
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
			// Whatever the rules say, a doubt is no refusal.
			name: "doubt", options: []string{atRecipient},
			talk: `
				+ XCLIENT ADDR=203.0.113.20
				+ EHLO mail.broken.example
				+ MAIL FROM:<sender@example.net>
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: temporary DNS failure: the names of your server [203.0.113.20] could not be looked up; there is nothing to do, it tries again by itself
			`,
			log: "RCPT defer doubt refused",
		},
	}
}

// byteTraps are about trap 8, bytes that strangers choose.
func byteTraps() []dialog {
	return []dialog{
		{
			// They would end this reply and be the next one.
			name: "8 newlines", options: []string{atRecipient}, as: "203.0.113.60",
			talk: `
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
			name: "8 quotes", options: []string{atRecipient}, as: "203.0.113.61",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: say\"hi\"\ there.evil.example
			`,
			log: "RCPT reject name alone",
		},
		{
			name: "8 control bytes", options: []string{atRecipient}, as: "203.0.113.62",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: nul\000esc\027[31m.evil.example
			`,
			log: "RCPT reject name alone",
		},
		{
			// Beyond ASCII, to a Postfix that takes any bytes.
			name: "8 bytes in the HELO", options: []string{atRecipient, "smtputf8_enable = no"},
			talk: "+ XCLIENT ADDR=203.0.113.104\n+ EHLO a\x80\xff\xc3\xa9\x1bb\n+ MAIL FROM:<sender@example.net>\n" +
				"> RCPT TO:<user@example.com>\n< 550 5.7.1 <user@example.com>: Recipient address rejected: a?????b\n",
			log: "RCPT reject HELO alone",
		},
		{
			// At this stage Postfix hands on the very bytes. Whether the client will log in
			// is not known yet, so that nothing is decided.
			name: "8 raw HELO", options: []string{"smtpd_delay_reject = no", "smtpd_helo_restrictions = POLICY"},
			talk: "+ XCLIENT ADDR=203.0.113.104\n+ EHLO a\x1b[31m b\n",
			log:  "EHLO dunno logged in | a\x1b[31m b",
		},
	}
}

// settingTraps are about what else a Postfix may be set to do.
func settingTraps() []dialog {
	long := strings.Repeat("x", 480)
	return []dialog{
		{
			// Trap 10: what XFORWARD says is for the logs of Postfix.
			name: "10 forwarded", options: []string{atRecipient},
			talk: `
				+ EHLO mail.example.org
				+ XFORWARD ADDR=203.0.113.10 NAME=[UNAVAILABLE] HELO=forwarded.example.org
				+ MAIL FROM:<sender@example.net>
				+ RCPT TO:<user@example.com>
			`,
			log: "RCPT dunno own client | mail.example.org",
		},
		{
			name: "11 postscreen", options: []string{atRecipient}, through: true, as: "203.0.113.10",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
			`,
			log: "RCPT reject no reverse name",
		},
		{
			name: "12 footer", options: []string{atRecipient, "smtpd_reject_footer = call the postmaster"}, as: "203.0.113.10",
			talk: `
				> RCPT TO:<user@example.com>
				< 550-5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
				< 550 5.7.1 call the postmaster
			`,
			log: "RCPT reject no reverse name",
		},
		{
			// It is put behind what was cut at 510 bytes, and is not cut itself.
			name: "12 footer in the line", options: []string{atRecipient, `smtpd_reject_footer = \c. ` + long}, as: "203.0.113.10",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one. ` + long + "\n",
			log: "RCPT reject no reverse name",
		},
		{
			// Trap 13: as permit_dnswl_client does when its DNS fails.
			name: "13 defer_if_reject", as: "203.0.113.10",
			options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, check_client_access inline:{203.0.113.10=DEFER_IF_REJECT}, POLICY"},
			talk: `
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <unknown[203.0.113.10]>: Client host rejected: Service unavailable
			`,
			log: "RCPT reject no reverse name",
		},
		{
			// The reverse: our doubt spares no client whom a later check refuses.
			name: "13 defer_if_permit", as: "203.0.113.50",
			options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, POLICY, check_recipient_access inline:{gone@example.com=REJECT}"},
			talk: `
				> RCPT TO:<gone@example.com>
				< 554 5.7.1 <gone@example.com>: Recipient address rejected: Access denied
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: temporary DNS failure: the names of your server [203.0.113.50] could not be looked up; there is nothing to do, it tries again by itself
			`,
			log: `
				RCPT defer no reverse name
				RCPT defer no reverse name
			`,
		},
		{
			name: "warn_if_reject", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, warn_if_reject, POLICY"},
			as:   "203.0.113.10",
			talk: "+ RCPT TO:<user@example.com>",
			log:  "RCPT reject no reverse name",
		},
		{
			name: "soft_bounce", options: []string{atRecipient, "soft_bounce = yes"}, as: "203.0.113.10",
			talk: `
				> RCPT TO:<user@example.com>
				< 450 4.7.1 <user@example.com>: Recipient address rejected: your server [203.0.113.10] has no valid reverse DNS name (PTR record); ask the provider of this address to set one
			`,
			log: "RCPT reject no reverse name",
		},
		{
			name: "context", options: []string{"smtpd_recipient_restrictions = reject_unauth_destination, CONTEXT"}, as: "203.0.113.20",
			talk: `
				> RCPT TO:<user@example.com>
				< 550 5.7.1 <user@example.com>: Recipient address rejected: not here
			`,
			log: "RCPT reject context",
		},
	}
}
