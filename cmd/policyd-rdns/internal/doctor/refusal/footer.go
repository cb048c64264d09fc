// Package refusal looks whether who is refused can do what the reply says: read its URL, and
// write to the contact.
package refusal

import (
	"fmt"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/smtp"
)

// sameLine is the beginning of a footer that stands in the line of the reply (postconf(5),
// smtpd_reject_footer).
const sameLine = `\c`

// smtpLine is how long a line of SMTP is (RFC 5321 section 4.5.3.1.5), its end included.
const smtpLine = smtp.MaxLine + len("\r\n")

// longest are what Postfix puts into a footer, at their longest. $server_name is myhostname.
var longest = []string{
	"client_address", strings.Repeat("f", len("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff")),
	"client_port", "65535",
	"localtime", "Jan 31 23:59:59",
}

// Footer looks at what Postfix puts behind each reply: smtpd_reject_footer, as written. It is
// put there after the reply was cut, so that it takes nothing away from the text, and makes
// the line longer than SMTP has it. help is whether replies end with a URL; set are the
// commands that set the parameter.
func Footer(footer, hostname string, help bool, set func(value string) []string) []finding.Finding {
	if footer == "" {
		return nil
	}
	text, same := strings.CutPrefix(footer, sameLine)
	if !same {
		return []finding.Finding{{ID: "reply.footer", Level: finding.OK, Title: "smtpd_reject_footer is a line of its own below our text"}}
	}
	first, _, _ := strings.Cut(text, `\n`)
	pairs := append([]string{"server_name", hostname}, longest...)
	var forms []string
	for i := 0; i < len(pairs); i += 2 {
		for _, form := range []string{"${" + pairs[i] + "}", "$(" + pairs[i] + ")", "$" + pairs[i]} {
			forms = append(forms, form, pairs[i+1])
		}
	}
	n := len(strings.NewReplacer(forms...).Replace(first))
	f := finding.Finding{
		ID: "reply.footer", Level: finding.OK,
		Title: fmt.Sprintf("smtpd_reject_footer begins with %s and stands behind our text, in its line (%s)", sameLine, plain.Plural(n, "byte")),
		Why: fmt.Sprintf("Postfix cuts a reply at %d bytes and puts the footer behind what is left, so that the line has up to %d. SMTP has %d, its end included: where a sender's server cuts it there, the end of the footer goes.",
			smtp.MaxLine, smtp.MaxLine+n, smtpLine),
	}
	if help && strings.TrimSpace(first) != "" {
		f.Level = finding.Warning
		f.Title = fmt.Sprintf("smtpd_reject_footer begins with %s: its %s stand behind our URL, which is then not the end of the line", sameLine, plain.Plural(n, "byte"))
		f.Why = "Mail programs take a full stop or a comma behind a URL for a part of it, and the page is then not found. " + f.Why
		f.Do = set(strings.TrimLeft(text, " \t.,;:"))
	}
	return []finding.Finding{f}
}
