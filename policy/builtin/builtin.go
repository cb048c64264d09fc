// Package builtin holds the built-in rules, which are in force where a configuration does
// not say otherwise.
package builtin

import (
	"fmt"
	"slices"

	"policyd-rdns/policy"
)

// Rules is the list of them, the exemptions first. They refuse
// what large receivers refuse too, and watch the rest.
func Rules() []policy.Rule {
	return []policy.Rule{
		{Name: "logged in", Exempt: true, When: table("authenticated", "true")},
		{Name: "own client", Exempt: true, When: table("client", "loopback", "private", "own")},
		{Name: "postmaster", Exempt: true, When: table("recipient", "postmaster@", "abuse@")},
		{Name: "correspondent", Exempt: true, When: table("correspondent", "true")},
		{
			Name: "HELO is our name", When: table("helo", "own"), Action: policy.Reject,
			Text: "your HELO {helo} is not yours, [{client}]: it is ours",
		},
		{
			Name: "HELO is a bare address", When: table("helo_form", "bare_ip"), Action: policy.Reject,
			Text: "your HELO {helo} is not a host name, [{client}]",
		},
		{
			// RFC 5321 section 4.1.4: no ground to refuse on its own.
			Name: "HELO is another address", Action: policy.Reject,
			When:   slices.Concat(table("helo_form", "literal"), table("helo", "mismatch")),
			Unless: []policy.Table{slices.Concat(table("fcrdns", "pass"), table("name", "proper"))},
			Text:   "your HELO {helo} is not your address, [{client}]",
		},
		{
			Name: "HELO is another address, proper name", Action: policy.Reject, Observe: true,
			When: slices.Concat(table("fcrdns", "pass"), table("name", "proper"), table("helo_form", "literal"), table("helo", "mismatch")),
			Text: "your HELO {helo} is not your address, [{client}]",
		},
		{
			Name: "no reverse name", When: table("ptr", "none", "malformed"), Action: policy.Reject,
			Text: "cannot find your reverse hostname, [{client}]",
		},
		{
			Name: "reverse name does not resolve", When: table("fcrdns", "unresolved"), Action: policy.Reject,
			Text: "your reverse hostname {name} does not resolve, [{client}]",
		},
		{
			Name: "reverse name resolves elsewhere", When: table("fcrdns", "mismatch"), Action: policy.Reject,
			Text: "your reverse hostname {name} does not resolve to you, [{client}]",
		},
		{
			Name: "generic name, foreign HELO", Action: policy.Reject,
			When: foreignHELO(), Unless: []policy.Table{table("spf", "own")},
			Text: "your reverse hostname {name} looks generic and your HELO {helo} is not yours, [{client}]",
		},
		{
			Name: "generic name, vouched for", Action: policy.Defer,
			When: slices.Concat(foreignHELO(), table("history", "new"), table("spf", "own")), Unless: probes(),
			Text: "your reverse hostname {name} looks generic and your HELO {helo} is not yours, [{client}]",
		},
		{
			Name: "generic name and HELO", Action: policy.Defer,
			When:   slices.Concat(table("name", "generic"), table("helo_name", "generic"), table("history", "new")),
			Unless: probes(),
			Text:   "your reverse hostname {name} and your HELO {helo} look generic, [{client}]",
		},
		{
			Name: "HELO is no host name", Action: policy.Defer,
			When:   slices.Concat(table("helo_form", "unqualified", "malformed"), table("history", "new")),
			Unless: probes(),
			Text:   "your HELO {helo} is not a fully-qualified host name, [{client}]",
		},
		{
			// RFC 5321 section 4.1.4 again.
			Name: "HELO not its own", When: table("helo", "mismatch", "unresolved"), Action: policy.Reject, Observe: true,
			Text: "your HELO {helo} does not resolve to you, [{client}]",
		},
	}
}

// foreignHELO is a client whose name its provider made, and whose HELO is not its own.
func foreignHELO() policy.Table {
	return slices.Concat(table("name", "generic"), table("helo_form", "fqdn", "literal"), table("helo", "mismatch", "unresolved"))
}

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
