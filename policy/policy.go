// Package policy is what a mail administrator thinks in: the facts about an
// SMTP client, the rules that judge them, and the decision. It knows no socket
// and no file format.
//
// A request goes one way through it:
//
//	Request → Judge ⇄ what it lacks (the cache first, then the DNS) → Decision
//
// [Rules.Judge] is a pure function of the request, the facts and the rules. Facts
// that nobody has queried leave a decision undetermined, and it names the queries
// that it lacks. Package policy/gather has the loop that asks them, and that judges again;
// it is the only step that waits, and it cannot fail: what could not be learnt in time
// is a temperror among the facts. The daemon, its explanation of one client, and the
// judging of recorded decisions under other rules all call the same Judge.
//
// # Checks
//
// Judge first draws the checks from the facts, such as ptr (does the address have a
// name?) and fcrdns (does one of its names resolve to the address?): see [AllChecks].
// A check is one file, and a line in the list of checks (check.go). It says what it
// looks at, what it comes to or may still come to, what would have to be queried for it,
// and its words for people. An entry of rules that asks for no check is a row of the
// table in entries.go, an action one of that in action.go.
//
// # Doubt
//
// Every entry of a rule is true, false or unknown, and rules combine them in
// three-valued logic. An entry is unknown if its check is a temperror, the entry
// does not list temperror, and the check might yet have turned out as one of the
// results that it does list. A HELO that is related though its lookup failed
// may be a match as well: an entry that lists one of the two is unknown. A reject that
// is unknown, that rests on a temperror, or that follows an exemption which is unknown
// is never a reject: see [Rules.Judge]. A doubt therefore never becomes a 5xx, whatever the rules say.
package policy
