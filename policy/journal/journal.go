// Package journal is the decision log: one line for each decision, with all
// the evidence that it rests on, so that it explains itself and can be judged
// again under other rules without asking the DNS.
//
// # The line
//
// A line is logfmt or JSON, with the same keys in both; a key without a value
// is left out. A check and an entry of a rule have the same name here as in the
// configuration, so that what a line shows can be pasted into a rule.
//
//	time                 when the request had arrived, RFC 3339 with milliseconds, UTC
//	level, msg           INFO, decision
//	id                   of the decision, unique
//	config               hash of the configuration that was in force
//	action               what Postfix was told: reject, defer, dunno or info
//	rule                 the rule that decided
//	mode                 enforce or observe
//	decided              what the rules came to, where that was not carried out
//	would                list of action:rule, of what was only observed
//	downgraded           true if a doubt made less of a reject
//	reply                the reply to Postfix, if it was not DUNNO
//	client               address
//	ptr fcrdns name strength helo_form helo helo_name   the checks
//	why                  what shows that the name is generic
//	helo_is              the HELO
//	names                list of the PTR names, each with what it resolves to: name>address, name>none,
//	                     name>temperror, or name> if that was not queried; it is confirmed if that is
//	                     the client's address. Of several addresses it is the client's, or else the one
//	                     nearest to it. Of names that are all malformed there are three.
//	more_names           true if there are names that were not tried
//	helo_to              what the HELO resolves to, likewise
//	own_client own_helo  true if the client, or its greeting, is this very host
//	dns_errors           list of the lookups that failed, with the reason, three of them
//	sender recipient instance queue_id state context    as Postfix sent them
//	authenticated encrypted                             true if the client logged in, is under TLS
//	server               the address that Postfix accepted on
//	client_name reverse_client_name                     Postfix's own findings
//	client_address       what Postfix sent, if that is no address
//	cut                  list of the keys that hold less than there was
//	questions            that were sent to DNS servers
//	ms                   the decision's time in milliseconds
//	cached stale         true if all DNS answers came from the cache, if one was past its TTL
//	outage overload      true if no DNS server answered anybody, if the daemon had no room for a look-up
//
// A list is separated by commas; a comma or a backslash in one of its elements
// has a backslash before it. All values are escaped: a line is printable ASCII,
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
