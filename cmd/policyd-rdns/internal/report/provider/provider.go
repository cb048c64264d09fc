// Package provider finds, in a decision log, the names that count: h17.cust.example.net,
// h18.cust.example.net and so on. A provider numbers its lines so, and a mail service its
// servers, and how a name is written does not always tell which. How the clients behave
// does: [Counter] gathers it, and [Report] suggests entries for names.generic where
// numbered names that are taken for proper greet with anything but their own name, and for
// names.proper where such that are taken for generic send as a mail service does.
//
// Only confirmed names count: anyone may write a number into his own reverse zone.
// What is remembered is bounded: [maxShapes] ways to write a name, and of each of
// them the first [maxNames] names.
package provider

import (
	"net/netip"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// Look is what one decision shows of a client's confirmed name. Its texts share the
// memory of the record.
type Look struct {
	name    string // lower case
	org     string // its organisational domain
	generic bool   // as the names of the rules, and how it is written, say
	listed  bool   // names.proper has it
	own     bool   // HELO is the client's own
	sends   bool   // the sender is of org, or its domain says that the client sends for it
	refused bool
}

// Of is what a record shows; false: nothing, as there is no HELO or no confirmed name below
// an organisational domain.
func Of(r *journal.Record, rules *policy.Rules) (Look, bool) {
	q, f, checks := &r.Request, &r.Facts, &r.Decision.Checks
	helo := checks[policy.CheckHELO]
	if q.HELO == "" || helo == policy.TempError || helo == policy.NotLearnt {
		return Look{}, false
	}
	n := confirmed(f.Names, q.Client)
	if n == nil {
		return Look{}, false
	}
	l := Look{name: hostname.Normal(n.Name), org: hostname.Organisation(n.Name), refused: r.Decision.Decided.Refuses()}
	if l.org == "" || l.org == l.name {
		return Look{}, false
	}
	l.listed = rules.ProperNames.Has(n.Name)
	l.generic = !l.listed && (n.Verdict.Generic || rules.GenericNames.Has(n.Name))
	l.own = helo == policy.Match || helo == policy.Related
	l.sends = f.SPF.Result == policy.Own || f.SPF.Result == policy.Pass || l.has(match.MailDomain(q.Sender))
	return l, true
}

// confirmed is the first of a client's names that resolves to it; nil: none.
func confirmed(names []policy.Name, client netip.Addr) *policy.Name {
	for i := range names {
		if n := &names[i]; n.Valid && n.Forward.To(client) {
			return n
		}
	}
	return nil
}

// has reports whether a domain is of the name's organisation.
func (l *Look) has(domain string) bool {
	return domain != "" && !hostname.Strangers(domain, l.org) && hostname.Organisation(domain) == l.org
}

// shape is a name with # for each number left of its organisational domain, and how many
// numbers that are.
func (l *Look) shape() (shape string, numbers int) {
	var b strings.Builder
	for part := range runs(l.name[:len(l.name)-len(l.org)]) {
		if isDigit(part[0]) {
			part = "#"
			numbers++
		}
		b.WriteString(part)
	}
	if numbers == 0 {
		return l.name, 0
	}
	b.WriteString(l.org)
	return b.String(), numbers
}

// runs are the numbers of a text, and what stands between them.
func runs(text string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		for len(text) > 0 {
			end := 1
			for end < len(text) && isDigit(text[end]) == isDigit(text[0]) {
				end++
			}
			if !yield(text[:end]) {
				return
			}
			text = text[end:]
		}
	}
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
