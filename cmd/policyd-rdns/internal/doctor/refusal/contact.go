package refusal

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// maxDomains bounds the domains whose contact is looked for.
const maxDomains = 20

// class is one of Postfix's classes of domains that it takes mail for, in the order in which
// it looks for a domain in them (ADDRESS_CLASS_README).
type class struct {
	domains string
	// recipients is the parameter with the tables of those that there are; where that is
	// empty, there are all. Where it is "", aliases alone are.
	recipients string
}

var classes = []class{
	{"mydestination", "local_recipient_maps"},
	{"virtual_alias_domains", ""},
	{"virtual_mailbox_domains", "virtual_mailbox_maps"},
	{"relay_domains", "relay_recipient_maps"},
}

// aliases are the parameters with tables in which a recipient of any class may be.
var aliases = []string{"recipient_canonical_maps", "canonical_maps", "virtual_alias_maps"}

// words are those of a parameter, expanded. What nobody set is as it comes (postconf(5)).
func words(p maincf.Params, name string) []string {
	value, set := p[name]
	switch {
	case set:
	case name == "local_recipient_maps":
		value = "proxy:unix:passwd.byname $alias_maps"
	case name == "virtual_alias_domains":
		value = "$virtual_alias_maps"
	}
	return smtpd.Split(p.Expand(value), smtpd.Separators)
}

// isTable reports whether a word of a list is a table, or the file of one.
func isTable(word string) bool { return strings.ContainsAny(word, ":/") }

// mailbox is the contact in one domain.
type mailbox struct {
	local, domain string
	class         int // of classes
}

func (m *mailbox) String() string { return m.local + "@" + m.domain }

// keys are what the mailbox is looked up by: whole, without the extension, by its domain, and
// in a domain of the host without one.
func (m *mailbox) keys(p maincf.Params) []string {
	locals := []string{m.local}
	if i := strings.IndexAny(m.local, p.Expand(p["recipient_delimiter"])); i > 0 {
		locals = append(locals, m.local[:i])
	}
	var keys []string
	for _, l := range locals {
		keys = append(keys, l+"@"+m.domain)
		if m.class == 0 {
			keys = append(keys, l)
		}
	}
	return append(keys, "@"+m.domain)
}

// tables are those in which the mailbox may be; open: it need not be in any.
func (m *mailbox) tables(p maincf.Params) (tables []string, open bool) {
	for _, name := range aliases {
		tables = append(tables, words(p, name)...)
	}
	if name := classes[m.class].recipients; name != "" {
		own := words(p, name)
		tables, open = append(tables, own...), len(own) == 0
	}
	return slices.DeleteFunc(tables, func(t string) bool { return !isTable(t) || strings.HasPrefix(t, "-") }), open
}

// lookups are all of the mailbox.
func (m *mailbox) lookups(p maincf.Params) (all []machine.Lookup) {
	tables, open := m.tables(p)
	if open {
		return nil
	}
	for _, key := range m.keys(p) {
		for _, table := range tables {
			all = append(all, machine.Lookup{Table: table, Key: key})
		}
	}
	return all
}

// holds reports whether a class names a domain without a table.
func (c *class) holds(p maincf.Params, domain string) bool {
	return slices.ContainsFunc(words(p, c.domains), func(word string) bool {
		word = strings.ToLower(word)
		return word == domain || c.domains == "relay_domains" && !isTable(word) && strings.HasSuffix(domain, "."+strings.TrimPrefix(word, "."))
	})
}

// mailboxes are those of the contact: of its domain, or of each domain that main.cf names.
// hidden are tables that hold further domains, or may hold the contact's.
func mailboxes(p maincf.Params, contact string) (all []mailbox, hidden []string) {
	local, domain, whole := strings.Cut(strings.ToLower(contact), "@")
	if contact == "" || local == "" || local == "-" {
		return nil, nil
	}
	domains := []string{domain}
	if !whole {
		domains = p.Domains()
	}
	for _, d := range domains[:min(len(domains), maxDomains)] {
		if i := slices.IndexFunc(classes, func(c class) bool { return c.holds(p, d) }); i >= 0 {
			all = append(all, mailbox{local, d, i})
		}
	}
	if whole && len(all) > 0 {
		return all, nil
	}
	for _, c := range classes {
		for _, word := range words(p, c.domains) {
			if isTable(word) && !slices.Contains(hidden, word) {
				hidden = append(hidden, word)
			}
		}
	}
	return all, hidden
}

// Wanted are the lookups by which [Contact] learns of the mailbox of the contact.
func Wanted(p maincf.Params, contact string) []machine.Lookup {
	boxes, _ := mailboxes(p, contact)
	all := []machine.Lookup{} // asked, if for nothing
	seen := map[machine.Lookup]bool{}
	for i := range boxes {
		for _, l := range boxes[i].lookups(p) {
			if !seen[l] {
				seen[l], all = true, append(all, l)
			}
		}
	}
	return all
}

// Address is the contact as mail to it comes to this Postfix; empty: none does, as far as
// main.cf says.
func Address(p maincf.Params, contact string) string {
	boxes, _ := mailboxes(p, contact)
	if len(boxes) == 0 {
		return ""
	}
	return boxes[0].String()
}

// Contact looks whether there is the contact that replies name: in its domain if that is
// Postfix's, without a domain in those that main.cf names. found are the lookups; nil: they
// were not made, since Postfix is on another machine, and what they would tell is left out.
func Contact(p maincf.Params, contact string, found map[machine.Lookup]machine.LookedUp) []finding.Finding {
	if contact == "" {
		return nil
	}
	boxes, hidden := mailboxes(p, contact)
	var missing []mailbox
	var unseen, why []string
	for i := range boxes {
		m := &boxes[i]
		is, unread := m.isThere(p, found)
		switch {
		case is:
		case unread != "":
			unseen, why = append(unseen, m.String()), append(why, unread)
		default:
			missing = append(missing, *m)
		}
	}
	switch {
	case found == nil && len(unseen) > 0:
		return nil
	case len(missing) > 0:
		return []finding.Finding{notThere(p, contact, missing)}
	case len(unseen) > 0:
		return []finding.Finding{{
			ID: "reply.contact", Level: finding.Info, Title: fmt.Sprintf("Whether there is %s, whom replies name as the contact, is not known: %s", plain.Brief(unseen[0]), plain.Brief(why[0])),
			Why: "Who is refused is told to write there. Send a mail to it from elsewhere to see.",
		}}
	case len(boxes) == 0 && strings.Contains(contact, "@") && len(hidden) == 0:
		return []finding.Finding{{ID: "reply.contact", Level: finding.OK, Title: "The contact of replies, " + plain.Brief(contact) + ", is on another host"}}
	case len(boxes) == 0:
		f := finding.Finding{
			ID: "reply.contact", Level: finding.Info, Title: "Whether there is the contact of replies, " + plain.Brief(contact) + ", was not looked for: main.cf names no domain for it",
			Why: "Who is refused is told to write there. Send a mail to it from elsewhere to see.",
		}
		if len(hidden) > 0 {
			f.Title = "Whether there is the contact of replies, " + plain.Brief(contact) + ", was not looked for: the domains are in " + plain.Brief(hidden[0])
		}
		return []finding.Finding{f}
	}
	return []finding.Finding{{ID: "reply.contact", Level: finding.OK, Title: "Postfix takes mail to the contact that replies name: " + names(boxes)}}
}

// isThere reports whether a table has the mailbox; unread says why that is not known.
func (m *mailbox) isThere(p maincf.Params, found map[machine.Lookup]machine.LookedUp) (is bool, unread string) {
	if _, open := m.tables(p); open {
		return true, ""
	}
	for _, l := range m.lookups(p) {
		got, asked := found[l]
		switch {
		case got.Found:
			return true, ""
		case !asked:
			unread = "there is too much to look up"
		case got.Unread != "":
			unread = l.Table + ": " + got.Unread
		}
	}
	return false, unread
}

// maxNamed bounds the mailboxes that a finding names.
const maxNamed = 3

// names are those of mailboxes, the first of many.
func names(boxes []mailbox) string {
	var all []string
	for i := range boxes[:min(len(boxes), maxNamed)] {
		all = append(all, plain.Brief(boxes[i].String()))
	}
	if more := len(boxes) - maxNamed; more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return plain.List(all, "and")
}

// notThere is about mailboxes that there are not.
func notThere(p maincf.Params, contact string, missing []mailbox) finding.Finding {
	var do []string
	for i := range missing {
		for _, line := range missing[i].mend(p) {
			if !slices.Contains(do, line) {
				do = append(do, line)
			}
		}
	}
	return finding.Finding{
		ID: "reply.contact", Level: finding.Warning, Title: "Replies name a contact that does not exist: " + names(missing),
		Why: "Who is refused is told to write to " + plain.Brief(contact) + ", and reads \"User unknown\" then.", Do: do,
	}
}

// mend are the lines that make the mailbox: an alias in the host's own file, or where the
// domain has its recipients.
func (m *mailbox) mend(p maincf.Params) []string {
	name := classes[m.class].recipients
	if m.class == 0 && isWord(m.local) {
		for _, table := range words(p, "alias_maps") {
			if file, ok := smtpd.TableFile(table); ok && slices.Contains(words(p, name), table) && isPath(file) {
				return []string{"echo '" + m.local + ": root' >> " + file, "newaliases"}
			}
		}
	}
	if name == "" {
		return []string{"# add " + plain.Brief(m.String()) + " to virtual_alias_maps"}
	}
	return []string{"# add " + plain.Brief(m.String()) + " to " + name + ", or an alias for it to virtual_alias_maps"}
}

// isWord reports whether a local part may stand in a shell and in a table as it is.
func isWord(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && !strings.ContainsRune("._-+", c)
	})
}

// isPath is isWord of a path.
func isPath(s string) bool { return isWord(strings.ReplaceAll(s, "/", "")) }
