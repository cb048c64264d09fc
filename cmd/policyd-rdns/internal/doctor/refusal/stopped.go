package refusal

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// refusers are restrictions that refuse by who the client is or says it is, whomever it
// writes to.
var refusers = []string{
	"reject_rbl_client", "reject_rhsbl_client", "reject_rhsbl_reverse_client", "reject_rhsbl_helo",
	"reject_invalid_helo_hostname", "reject_invalid_hostname", "reject_non_fqdn_helo_hostname", "reject_non_fqdn_hostname",
	"reject_unknown_helo_hostname", "reject_unknown_hostname",
}

// same are those of them that refuse for what the daemon does: the reverse name.
var same = []string{"reject_unknown_client_hostname", "reject_unknown_client", "reject_unknown_reverse_client_hostname"}

// List is a list of restrictions.
type List struct {
	Param string // "smtpd_client_restrictions"
	Units []smtpd.Unit
	Steps []maincf.Step // what the units come to
	// Way is that of a stranger's mail to the contact through it.
	Way smtpd.Trace
	// Inline: Postfix has tables that stand in main.cf, since 3.0.
	Inline bool
	// Set are the commands that set the list.
	Set func([]smtpd.Unit) []string
}

// Stopped looks for restrictions that refuse mail to the contact, too. Where a table that was
// not read may have let it pass before, nothing is said.
func Stopped(l *List, contact string) []finding.Finding {
	var by []string
	level, at := finding.Info, -1
	for i := range l.Steps {
		s := &l.Steps[i]
		if l.Way.Unit >= 0 && s.Unit >= l.Way.Unit || slices.Contains(l.Way.Undetermined, s.Name+" "+s.Arg) && s.Name == "check_recipient_access" {
			break
		}
		named := slices.Contains(same, s.Name)
		if s.Warn || s.Via != "" || !named && !slices.Contains(refusers, s.Name) {
			continue
		}
		if named {
			level = finding.Warning
		}
		if at < 0 {
			at = s.Unit
		}
		by = append(by, plain.Brief(strings.TrimSpace(s.Name+" "+s.Arg)))
	}
	if at < 0 || l.Way.Result != smtpd.Dunno && l.Way.Result != smtpd.Permit {
		return nil
	}
	return []finding.Finding{{
		ID: "reply.contact-refused", Level: level, Title: fmt.Sprintf("Mail to the contact of replies, %s, is refused too by %s (%s)", plain.Brief(contact), plain.List(by, "and"), l.Param),
		Why: "Whom the daemon refuses, it tells to write there. Where these refuse him as well, he cannot. A line before them lets mail to the contact pass, of your own domains alone.",
		Do:  l.passed(contact, at),
	}}
}

// passed are the lines that let mail to the contact pass before a unit. As the value is
// permit_auth_destination, nobody may relay by it, wherever it stands.
func (l *List) passed(contact string, at int) []string {
	const pass = "permit_auth_destination"
	key := contact
	if !strings.Contains(key, "@") {
		key += "@"
	}
	if !l.Inline || !isWord(strings.ReplaceAll(key, "@", "")) {
		return []string{
			"# before " + plain.Brief(l.Units[at].String()) + " in " + l.Param + ":", "check_recipient_access hash:/etc/postfix/contact",
			"# and in /etc/postfix/contact, for postmap:", key + " " + pass,
		}
	}
	unit := smtpd.Unit{"check_recipient_access", "inline:{" + key + "=" + pass + "}"}
	return l.Set(slices.Insert(slices.Clone(l.Units), at, unit))
}
