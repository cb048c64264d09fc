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
//	time                 When the request had arrived: RFC 3339 with milliseconds, in UTC. On
//	                     every line.
//	level                INFO, on every line.
//	msg                  decision, on every line: other lines of the daemon have another msg.
//	id                   The id of the decision, which no other one has.
//	config               The hash of the configuration that was in force.
//	action               What Postfix was told: reject, defer, hold, dunno, tag (dunno, and the
//	                     message gets a header), or info, which only has Postfix log what would
//	                     have been done. On every line.
//	rule                 The name of the rule that decided. Left out if none did, which is dunno.
//	exempt               true: the rule is an exemption.
//	exempt_why           What the administrator wrote beside the exemption.
//	early                true: the rule may spare the client and looks at what this stage of the
//	                     session cannot know yet; the answer is dunno, and a later request judges.
//	tags                 The rules of action tag that hold. The header is added once for each
//	                     message.
//	mode                 Whether decisions are carried out: enforce, or observe.
//	decided              What the rules came to: reject, defer, hold or dunno. Left out if that is
//	                     what was done, as action has it.
//	would                What rules that only observe would have done, as action:rule; in mode
//	                     observe the last is what the rules came to. Of a defer also the reject
//	                     that it had been without SPF.
//	downgraded           true: a temporary failure of the DNS, an exemption that could not be
//	                     determined, or that nothing is remembered of the client made less of a
//	                     reject.
//	waiting              For how many seconds more the rule is a defer, before it is the reject
//	                     that it says (defer_for, grace). Left out if it is not.
//	rescued              true: the rule is a reject, and a defer only since the domain of the
//	                     sender is known and says by SPF that the client sends for it.
//	reply                The reply to Postfix, with the text that the client reads. Left out if it
//	                     was DUNNO.
//	case                 The number of the case, which stands in the reply behind the URL of the
//	                     page for the refused. Left out if there is none.
//	ptr                  The check ptr: does the address have a name? One of found, none,
//	                     malformed, temperror. Left out if no rule in force needed it.
//	fcrdns               The check fcrdns: does one of its names resolve to the address? One of
//	                     pass, mismatch, unresolved, none, temperror. Left out if no rule in force
//	                     needed it.
//	name                 The check name: was the name made from the address, or chosen? One of
//	                     proper, generic, none, temperror. Left out if no rule in force needed it.
//	strength             The check strength: how plainly generic is the name? One of full, half,
//	                     word, temperror. Left out if no rule in force needed it.
//	kind                 The check kind: what does the generic name say of the client? One of
//	                     dynamic, static, server, unknown, temperror. Left out if no rule in force
//	                     needed it.
//	helo_form            The check helo_form: what did the client say in HELO? One of fqdn,
//	                     literal, unqualified, bare_ip, malformed, missing. Left out if no rule in
//	                     force needed it.
//	helo                 The check helo: is HELO the client's own? One of match, own, related,
//	                     mismatch, unresolved, none, temperror. Left out if no rule in force
//	                     needed it.
//	helo_name            The check helo_name: was HELO made from an address? One of proper,
//	                     generic, none. Left out if no rule in force needed it.
//	history              The check history: did the client come before, and how did that end? One
//	                     of known, returned, new. Left out if no rule in force needed it.
//	spf                  The check spf: does the domain of the sender say that the client sends
//	                     for it? One of own, pass, fail, softfail, neutral, none, permerror,
//	                     temperror. Left out if no rule in force needed it.
//	dnswl                The check dnswl: how far does the allow-list trust the client? One of
//	                     high, medium, low, none, temperror. Left out if no rule in force needed
//	                     it.
//	client               The address of the client. Left out if Postfix sent none; then
//	                     client_address has what it sent.
//	why                  What in the name shows that it was made from the address, for people.
//	                     Left out if no name is generic.
//	names                The PTR names of the address, each with what it resolves to, as described
//	                     below. Left out if there is none, or none was queried.
//	more_names           true: the address has more names than those ten that are tried.
//	helo_to              What the HELO resolves to, written as in names: an address, none or
//	                     temperror. Left out if that was not queried.
//	first_contact        When the client, by any of its parties, was first seen with a message.
//	                     Left out if never, or if nobody has asked.
//	last_contact         When it was last seen before. Left out if never, or if nobody has asked.
//	returned             When it last came back with a message that it had been deferred for, this
//	                     request included. Left out if never, or if nobody has asked.
//	last_pass            When a message of it last passed on its merits. Left out if never, or if
//	                     nobody has asked.
//	pass_days            1 after its first pass, and 1 more for each 20 hours between that and the
//	                     last one.
//	objected             When the series of objections to its address began that is not over. Left
//	                     out if never, or if nobody has asked.
//	party                The party of the client that tells most for it: its address, its network,
//	                     its organisation or its HELO. Left out if none is remembered.
//	correspondent        true: users of ours have written to the domain of the sender.
//	domain_known         true: the domain of the sender is known by its own passes.
//	spf_by               The term of an SPF record that decided, and the domain whose record it
//	                     is. Left out if none did, or no domain was asked.
//	unsure               true: the store of history did not tell in time whether more is
//	                     remembered: that is never ground for a 5xx.
//	nat                  true: others stand behind the address of the client, so that nothing is
//	                     remembered of it.
//	own_client           true: the client is an address of the host that the daemon runs on.
//	own_helo             true: the HELO is a name of the host that the daemon runs on.
//	dns_errors           Why lookups failed for a time, as many of them as there is room for, as
//	                     described below.
//	queries              How many queries were sent to DNS servers for this decision; 0 if all was
//	                     known. On every line.
//	client_address       What Postfix sent as the address of the client, if it is none, such as
//	                     unknown.
//	helo_is              The argument of HELO or EHLO. Left out before it was given.
//	sender               The sender in the envelope (MAIL FROM). Left out if it is the null
//	                     sender, or was not given yet.
//	recipient            The recipient in the envelope (RCPT TO). Left out where a request is not
//	                     about one.
//	instance             Postfix's instance: the same in all lines about one message, of each
//	                     recipient.
//	queue_id             Postfix's queue id. Left out until there is one, which mostly is when the
//	                     first recipient was accepted.
//	state                The stage of the SMTP session, as Postfix names it: CONNECT, EHLO, HELO,
//	                     MAIL, RCPT, DATA, END-OF-MESSAGE, VRFY or ETRN.
//	authenticated        true: the client has logged in (SASL).
//	encrypted            true: the session is encrypted by TLS.
//	server               The address at which Postfix accepted the connection. Left out if Postfix
//	                     did not send it (before 3.2).
//	client_name          The name of the client by Postfix's own lookups, if it resolves back to
//	                     the client; else unknown.
//	reverse_client_name  The name of the client by Postfix's own lookups, whether it resolves back
//	                     or not; unknown if there is none.
//	context              The policy_context that main.cf or master.cf gives this
//	                     check_policy_service.
//	host                 The name of the host that wrote the line.
//	cut                  The keys of this line that hold less than there was, since that was too
//	                     long.
//	ms                   How long the decision took, in milliseconds with three decimals. On every
//	                     line.
//	cached               true: DNS answers were used, and all came from the cache.
//	stale                true: a DNS answer that was past its TTL was used, since no server had a
//	                     newer one.
//	outage               true: no DNS server answered anybody at that time: nothing that the
//	                     client could mend.
//	overload             true: too many lookups were under way for one about this client: nothing
//	                     that it could mend.
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
// one: an entry of a rule about a text of which only the beginning is there
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
	// Reply is what Postfix was told, as package policy/reply has it, bounded and
	// printable; empty for DUNNO.
	Reply string
	Case  string // the number of the case in Reply; empty: there is none

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
