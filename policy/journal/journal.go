// Package journal is the decision log: one line for each decision, with all
// the evidence that it rests on, so that it explains itself and can be judged
// again under other rules without asking the DNS.
//
// # The line
//
// A line is logfmt or JSON, with the same keys in both. A check and an entry of a rule
// have the same name here as in the configuration, so that what a line shows can be
// pasted into a rule. The keys are these, in the order in which they are written, each
// one row of the table in table.go, which is all that a key is: where in the record it
// lives, how it is written, its bound, and this list. One without a value
// is left out.
//
//	time                 when the request had arrived, RFC 3339 with milliseconds, UTC
//	level                INFO
//	msg                  decision
//	id                   of the decision, unique
//	config               hash of the configuration that was in force
//	action               what Postfix was told: reject, defer, dunno or info
//	rule                 the rule that decided
//	mode                 enforce or observe
//	decided              what the rules came to, where that was not carried out
//	would                list of action:rule, of what was only observed
//	downgraded           true: a doubt made less of a reject
//	reply                the reply to Postfix, if it was not DUNNO
//	ptr                  check: does the address have a name?
//	fcrdns               check: does one of its names resolve to the address?
//	name                 check: made from the address, or chosen?
//	strength             check: how plainly generic is it?
//	helo_form            check: what did the client say in HELO?
//	helo                 check: is HELO the client's own?
//	helo_name            check: was HELO made from an address?
//	client               its address
//	why                  what shows that the name is generic
//	names                list of the PTR names, each with what it resolves to (below)
//	more_names           true: there are names that were not tried
//	helo_to              what the HELO resolves to, likewise
//	own_client           true: the client is this very host
//	own_helo             true: the HELO is a name of this very host
//	dns_errors           list of why lookups failed, some of them (below)
//	questions            that were sent to DNS servers
//	client_address       what Postfix sent, if that is no address
//	helo_is              the HELO
//	sender               MAIL FROM
//	recipient            RCPT TO
//	instance             the same for all recipients of a message
//	queue_id             Postfix's, where it has one
//	state                of the SMTP session: RCPT, and so on
//	authenticated        true: the client logged in
//	encrypted            true: it is under TLS
//	server               the address that Postfix accepted on
//	client_name          Postfix's own finding: the verified name
//	reverse_client_name  the same, not verified
//	context              policy_context of this check_policy_service
//	host                 the host that wrote the line
//	cut                  list of the keys above that hold less than there was
//	ms                   the decision's time in milliseconds
//	cached               true: all DNS answers came from the cache
//	stale                true: one of them was past its TTL
//	outage               true: no DNS server answered anybody
//	overload             true: the daemon had no room for a lookup
//
// A list is separated by commas; a comma or a backslash in one of its elements
// has a backslash before it. In JSON it is an array.
//
//   - names is of name>address, name>none, name>temperror, or name> if that was not
//     queried; the name is confirmed if that is the client's address. Of several
//     addresses it is the client's, or else the one nearest to it. Of names that are all
//     malformed there are three. In JSON: {"name":"mail.example.org","to":["192.0.2.1"]},
//     or "to":"none".
//   - dns_errors is of about>server>reason, for each server that could not answer; without
//     a server none is to blame. In JSON: {"about":"mail.example.org",
//     "server":"192.0.2.53:53","reason":"SERVFAIL"}.
//
// All values are escaped: a line is printable ASCII,
// whatever a client or the DNS sent, and of at most [MaxLine] bytes. What is longer
// than the bound of its key is cut, so that no judgement of the line becomes a wrong
// one: an entry of a rule that asks for a text of which only the beginning is there
// is undetermined.
//
// # Reading
//
// [Parse] reads one line. [Read] reads whole logs, of either format, rotated or
// of several hosts, in order of time, and passes over what is damaged or no
// decision. [AppendJSON] turns a line into one of JSON. Unknown keys are passed
// over, and so are unknown words in known keys: a line of a later version is read
// as far as this one knows how. What such a word would say is not learnt.
package journal

import (
	"time"

	"policyd-rdns/policy"
)

// Record is one decision with all that led to it.
type Record struct {
	ID      string // unique
	Config  string // hash of the configuration
	Host    string // that wrote the line; empty: not known
	Elapsed time.Duration
	// Reply is what Postfix was told: Decision.Reply, bounded and printable;
	// empty for DUNNO.
	Reply string

	Request  policy.Request
	Facts    policy.Facts
	Decision policy.Decision

	// Unknown is the first key=value of a line that this version has no word for,
	// empty of any other record: another version wrote it. What it says is taken
	// as not learnt.
	Unknown string
	// NoAction reports that the line tells in no known word what was done or
	// decided: Decision has DUNNO for it.
	NoAction bool

	cut fieldSet // keys of which a line that was read holds less than there was
}

// Format is how a line is written.
type Format uint8

// The formats.
const (
	Logfmt Format = iota
	JSON
)
