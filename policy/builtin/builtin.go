// Package builtin holds the built-in rules, which are in force where a configuration does
// not say otherwise.
package builtin

import (
	"fmt"
	"slices"
	"strings"

	"policyd-rdns/policy"
)

// Rules is the list of them, the exemptions first. They refuse
// what large receivers refuse too, and watch the rest.
func Rules() []policy.Rule {
	return []policy.Rule{
		{Name: "logged in", Exempt: true, When: table("authenticated", "true")},
		{Name: "own client", Exempt: true, When: table("client", "loopback", "private", "own")},
		{Name: postmaster, Exempt: true, When: table("recipient", "postmaster@", "abuse@")},
		{Name: "correspondent", Exempt: true, When: table("correspondent", "true")},
		{
			Name: "HELO is our name", When: table("helo", "own"), Action: policy.Reject,
			Text: "your server [{client}] says {helo} in HELO, which is ours; have it say its own host name",
		},
		{
			Name: "HELO is a bare address", When: table("helo_form", "bare_ip"), Action: policy.Reject,
			Text: "your server [{client}] says {helo} in HELO, which is an address; have it say its own host name",
		},
		{
			// RFC 5321 section 4.1.4: no ground to refuse on its own.
			Name: "HELO is another address", Action: policy.Reject,
			When:   slices.Concat(table("helo_form", "literal"), table("helo", "mismatch")),
			Unless: []policy.Table{slices.Concat(table("fcrdns", "pass"), table("name", "proper"))},
			Text:   "your server [{client}] says {helo} in HELO, which is another address; have it say its own host name",
		},
		{
			Name: "HELO is another address, proper name", Action: policy.Reject, Observe: true,
			When: slices.Concat(table("fcrdns", "pass"), table("name", "proper"), table("helo_form", "literal"), table("helo", "mismatch")),
			Text: "your server [{client}] says {helo} in HELO, which is another address; have it say its own host name",
		},
		{
			Name: "no reverse name", When: table("ptr", "none", "malformed"), Action: policy.Reject,
			Text: "your server [{client}] has no valid reverse DNS name (PTR record); ask the provider of this address to set one",
		},
		{
			Name: "reverse name does not resolve", When: table("fcrdns", "unresolved"), Action: policy.Reject,
			Text: "the reverse DNS name {name} of your server [{client}] does not resolve; give it an address record with this address",
		},
		{
			Name: "reverse name resolves elsewhere", When: table("fcrdns", "mismatch"), Action: policy.Reject,
			Text: "the reverse DNS name {name} of your server [{client}] resolves to {addresses}, not to this address; PTR and address record have to match",
		},
		{
			Name: "generic name, foreign HELO", Action: policy.Reject,
			When: foreignHELO(nil), Unless: []policy.Table{slices.Concat(notConsumers(), table("spf", "own"))},
			Text: "your server [{client}] has the generic reverse DNS name {name}, and its HELO {helo} does not resolve to it; give it a name of its own",
		},
		{
			Name: "generic name, vouched for", Action: policy.Defer,
			When: slices.Concat(foreignHELO(notConsumers()), table("history", "new"), table("spf", "own")), Unless: probes(),
			Text: "your server [{client}] is new here, its reverse DNS name {name} is generic, and its HELO {helo} does not resolve to it; there is nothing to do, it tries again by itself",
		},
		{
			Name: "generic name and HELO", Action: policy.Defer,
			When:   slices.Concat(table("name", "generic"), table("helo_name", "generic"), table("history", "new")),
			Unless: probes(),
			Text:   "your server [{client}] is new here, and its reverse DNS name {name} and HELO {helo} look generic; there is nothing to do, it tries again by itself",
		},
		{
			Name: "HELO is no host name", Action: policy.Defer,
			When:   slices.Concat(table("helo_form", "unqualified", "malformed"), table("history", "new")),
			Unless: probes(),
			Text:   "your server [{client}] is new here, and its HELO {helo} is no fully-qualified host name; there is nothing to do, it tries again by itself",
		},
		{
			// RFC 5321 section 4.1.4 again.
			Name: "HELO not its own", When: table("helo", "mismatch", "unresolved"), Action: policy.Reject, Observe: true,
			Text: "your server [{client}] says {helo} in HELO, which does not resolve to it; have it say its own host name",
		},
	}
}

// foreignHELO is a client whose name its provider made, and whose HELO is not its own.
func foreignHELO(kind policy.Table) policy.Table {
	return slices.Concat(table("name", "generic"), kind, table("helo_form", "fqdn", "literal"), table("helo", "mismatch", "unresolved"))
}

// postmaster is the name of the exemption of those whom the refused write to.
const postmaster = "postmaster"

// TakesContact reports whether rules exempt all mail to a contact, as [WithContact] has it.
func TakesContact(rules []policy.Rule, contact string) bool {
	contact = mailbox(contact)
	return slices.ContainsFunc(rules, func(r policy.Rule) bool {
		return r.Exempt && len(r.When) == 1 && len(r.Unless) == 0 && r.When[0].Key == "recipient" &&
			slices.ContainsFunc(r.When[0].Written, func(v string) bool { return strings.EqualFold(v, contact) })
	})
}

// mailbox is a contact as an entry of rules has it: without a domain it is one of any.
func mailbox(contact string) string {
	if !strings.Contains(contact, "@") {
		contact += "@"
	}
	return contact
}

// WithContact is a built-in exemption; if it is that of the postmaster, one of a further
// address, too: a whole one, or its part before the @ in any domain. What is no address
// adds nothing.
func WithContact(rule policy.Rule, contact string) policy.Rule {
	if rule.Name != postmaster || contact == "" {
		return rule
	}
	contact = mailbox(contact)
	recipients := rule.When[0].Written
	if slices.ContainsFunc(recipients, func(r string) bool { return strings.EqualFold(r, contact) }) {
		return rule
	}
	recipients = append(slices.Clone(recipients), contact)
	if e, errs := policy.NewEntry(rule.When[0].Key, recipients, recipients); len(errs) == 0 {
		rule.When = policy.Table{e}
	}
	return rule
}

// notConsumers is a name that does not say that its line is a consumer's: for such a line
// no sender's domain speaks.
func notConsumers() policy.Table { return table("kind", "!dynamic") }

// probes are the messages by which others ask about our own users' mail before they take
// it: bounces, and what Postfix sends to verify an address (address_verify_sender).
func probes() []policy.Table { return []policy.Table{table("sender", "<>", "double-bounce@")} }

// table is a table of one entry. The values are the program's own.
func table(key string, values ...string) policy.Table {
	e, errs := policy.NewEntry(key, values, values)
	if len(errs) > 0 {
		panic(fmt.Sprintf("built-in rule: %v", errs[0]))
	}
	return policy.Table{e}
}
