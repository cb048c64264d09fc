package policy

import (
	"slices"
	"strings"

	"policyd-rdns/resolver"
)

// Check is one of the things that the facts answer, a number of the list of
// checks.
type Check uint8

// The checks, in the order in which they are drawn, logged and shown: each rests on
// those before it alone. A further one has its line here and in the list below, and
// all else that it is in a file of its own.
const (
	CheckPTR Check = iota
	CheckFCrDNS
	CheckName
	CheckStrength
	CheckKind
	CheckHELOForm
	CheckHELO
	CheckHELOName
	CheckHistory
	CheckSPF
	CheckDNSWL
	// NumChecks is how many there are.
	NumChecks
)

// checks is the list of them.
var checks [NumChecks]*check

// turn is when a check is asked.
type turn uint8

// The turns. What comes after the first is asked only where it can change the decision, and
// what comes after ours only when nothing that comes before it is lacking.
const (
	first  turn = iota
	ours        // of our own memory: beside the first
	theirs      // of the sender's domain: several queries
	listed      // of a list, which counts our queries
	numTurns
)

// notBefore are the checks that are asked in a turn or after it.
var notBefore [numTurns]CheckSet

// next are those of some queries that are to be made now.
func (s CheckSet) next() CheckSet {
	for t := theirs; t < numTurns; t++ {
		if now := s &^ notBefore[t]; now != 0 {
			return now
		}
	}
	return s
}

// AskedOfOthers are the checks that are asked of somebody who has no part in the client's
// names: not even a cache is asked where the decision does not need it.
func AskedOfOthers() CheckSet { return notBefore[theirs] }

func init() { // a check may look at those before it, through this list
	checks = [NumChecks]*check{
		CheckPTR:      &checkPTR,
		CheckFCrDNS:   &checkFCrDNS,
		CheckName:     &checkName,
		CheckStrength: &checkStrength,
		CheckKind:     &checkKind,
		CheckHELOForm: &checkHELOForm,
		CheckHELO:     &checkHELO,
		CheckHELOName: &checkHELOName,
		CheckHistory:  &checkHistory,
		CheckSPF:      &checkSPF,
		CheckDNSWL:    &checkDNSWL,
	}
	for c := range checks {
		for turn := first; turn <= checks[c].turn; turn++ {
			notBefore[turn].Add(Check(c))
		}
	}
}

// check is all that one check is.
type check struct {
	name     string // in rules and log lines
	question string // for people, in a few words
	// good is the result of a host that is set up as it should be.
	good Result
	// outcomes are the results that a rule may ask for, in the order of the
	// documentation.
	outcomes []outcome
	// needs are the keys of the request that it looks at.
	needs Attributes
	// standing is what an exemption is worth that rests on it.
	standing Standing
	// hides is a result that goes without saying: it is neither logged nor shown.
	hides Result
	// ofNames: it is about the client's names in the DNS.
	ofNames bool
	// turn is when it is asked.
	turn turn
	// fact is where among the facts the result stands, if that is all that there is to
	// learn. Nil: it is drawn from them.
	fact func(f *Facts) *Result
	// find draws the check from the facts and from the checks before it.
	find func(e *evaluation) Finding
	// queries appends what the check rests on, beside what the queries of other checks
	// bring, and nobody has queried, as far as that is known yet. Nil: nothing.
	queries func(f *Facts, list []Query) []Query
	// evidence tells people what the check's result rests on, each text bounded; it
	// holds names from the DNS and from the client.
	evidence func(req *Request, f *Facts) []string
	// objection tells people what speaks against a client; empty: nothing does.
	objection func(c *Checks, req *Request, f *Facts) string
}

// outcome is a result of a check with what it says of the client, in sentences.
type outcome struct {
	result Result
	doc    string
}

// Result is the outcome of a check. Which results a check can have is told by
// [Check.Results].
type Result uint8

// The results of all checks. The zero value: the facts do not hold
// what the check needs: it was not queried.
const (
	NotLearnt Result = iota
	TempError        // the DNS could not say (RFC 8601 section 2.7.3)
	None
	Found
	Malformed
	Pass
	Mismatch
	Unresolved
	Proper
	Generic
	Word
	Half
	Full
	FQDN
	Literal
	Unqualified
	BareIP
	Missing
	Match
	Own
	Related
	Known
	Returned
	New
	Fail
	SoftFail
	Neutral
	PermError
	Low
	Medium
	High
	Dynamic
	Static
	Server
	Unspecified // "unknown"
	numResults
)

var resultNames = [numResults]string{
	"", "temperror", "none", "found", "malformed", "pass", "mismatch", "unresolved", "proper", "generic",
	"word", "half", "full", "fqdn", "literal", "unqualified", "bare_ip", "missing", "match", "own", "related",
	"known", "returned", "new", "fail", "softfail", "neutral", "permerror", "low", "medium", "high",
	"dynamic", "static", "server", "unknown",
}

// Results is a set of results.
type Results uint64

// of is the set of some results.
func of(all ...Result) Results {
	var set Results
	for _, r := range all {
		set |= 1 << r
	}
	return set
}

// Has reports whether a result is in the set.
func (s Results) Has(r Result) bool { return s&(1<<r) != 0 }

// CheckSet is a set of checks.
type CheckSet uint16

// Add puts checks into the set.
func (s *CheckSet) Add(checks ...Check) {
	for _, c := range checks {
		*s |= 1 << c
	}
}

// Remove takes a check out of the set.
func (s *CheckSet) Remove(c Check) { *s &^= 1 << c }

// Has reports whether a check is in the set.
func (s CheckSet) Has(c Check) bool { return s&(1<<c) != 0 }

// checkSet is the set of some checks.
func checkSet(all ...Check) (set CheckSet) {
	set.Add(all...)
	return set
}

// Finding is what the facts say of a check.
type Finding struct {
	// Result is the check's result. While that is undetermined it is NotLearnt if a
	// query may still tell, and TempError if the DNS could not; a result that is
	// another of two good ones may have Possible too.
	Result Result
	// Possible are the results that it may still become; empty: Result is it.
	Possible Results
	// Lacks are the checks whose queries would determine it.
	Lacks CheckSet
}

// only reports whether the check is one of some results, whichever of them.
func (f *Finding) only(results ...Result) bool {
	if f.Possible != 0 {
		return f.Possible&^of(results...) == 0
	}
	return of(results...).Has(f.Result)
}

// found is a result that is determined.
func found(r Result) Finding { return Finding{Result: r} }

// undetermined is a check that may become one of some results: once the queries are
// answered or, if there are none, if only the DNS had said.
func undetermined(lacks CheckSet, possible Results) Finding {
	if lacks == 0 {
		return Finding{Result: TempError, Possible: possible}
	}
	return Finding{Result: NotLearnt, Possible: possible | of(TempError), Lacks: lacks}
}

// Checks holds the result of every check.
type Checks [NumChecks]Result

// Findings is what the facts say of every check.
type Findings [NumChecks]Finding

// String is the check's name in rules and log lines, such as "helo_form".
func (c Check) String() string { return checks[c].name }

// Question is what the check asks, in a few words for people.
func (c Check) Question() string { return checks[c].question }

// Results lists what may be asked for in a rule, in the order of the
// documentation.
func (c Check) Results() []Result {
	all := make([]Result, len(checks[c].outcomes))
	for i := range all {
		all[i] = checks[c].outcomes[i].result
	}
	return all
}

// Doc is what a result of the check says of a client, in sentences for people; empty
// if a rule cannot ask for it.
func (c Check) Doc(r Result) string {
	for _, o := range checks[c].outcomes {
		if o.result == r {
			return o.doc
		}
	}
	return ""
}

// Result finds a result of the check by its name in rules and log lines.
func (c Check) Result(name string) (Result, bool) {
	for _, o := range checks[c].outcomes {
		if resultNames[o.result] == name {
			return o.result, true
		}
	}
	return NotLearnt, false
}

// Good is the result of a host that is set up as it should be; [NotLearnt]: none is.
func (c Check) Good() Result { return checks[c].good }

// Shown reports whether a result says anything: one that was not learnt does not, nor
// does the strength of a proper name.
func (c Check) Shown(r Result) bool { return r != NotLearnt && r != checks[c].hides }

// Evidence tells people what the check's result rests on, a text for each name. The
// texts hold what strangers chose: escape them wherever they go.
func (c Check) Evidence(req *Request, f *Facts) []string {
	if checks[c].evidence == nil {
		return nil
	}
	return checks[c].evidence(req, f)
}

// A Query is a lookup, or a question to somebody else, that a check rests on.
type Query struct {
	// Name is to be resolved into the client's address family; empty, and nothing else is
	// set: the names of the client's address are asked for.
	Name string
	// To is where among the facts it belongs what Name resolves to. Nil: Name is empty.
	To *resolver.Forward
	// Past is where among the facts it belongs what is remembered of the client. Nil: it
	// is a lookup in the DNS.
	Past *Past
	// Domain: what is asked is no more than what is remembered of the domain of MAIL FROM.
	Domain bool
	// SPF is where among the facts it belongs what the domain of MAIL FROM, or of HELO for
	// the null sender, says of the client. Nil: that is not asked.
	SPF *SPF
	// List is where among the facts it belongs what the allow-list says of the client. Nil:
	// that is not asked.
	List *Result
	// Claimed: the client alone says the name, and may say any.
	Claimed bool
}

// Queries appends to a list what a check rests on and nobody has queried, as far as
// the facts tell that yet: what follows from an answer is known when they have it.
func (c Check) Queries(f *Facts, list []Query) []Query {
	if checks[c].queries == nil {
		return list
	}
	return checks[c].queries(f, list)
}

// CheckByName finds a check by its name in rules and log lines.
func CheckByName(name string) (Check, bool) {
	i := slices.IndexFunc(checks[:], func(c *check) bool { return c.name == name })
	return Check(max(i, 0)), i >= 0
}

// Fact is where among facts the result of the check stands; nil: it is drawn from others.
func (c Check) Fact(f *Facts) *Result {
	if checks[c].fact == nil {
		return nil
	}
	return checks[c].fact(f)
}

// ChecksOf lists the checks that are drawn from any of some keys of the request.
func ChecksOf(keys Attributes) []Check {
	var some []Check
	for c := range checks {
		if checks[c].needs&keys != 0 && checks[c].fact == nil {
			some = append(some, Check(c))
		}
	}
	return some
}

// AllChecks lists the checks in their order.
func AllChecks() []Check {
	all := make([]Check, NumChecks)
	for i := range all {
		all[i] = Check(i)
	}
	return all
}

// String is the result's name in rules and log lines, such as "bare_ip"; empty
// for [NotLearnt].
func (r Result) String() string { return resultNames[r] }

// String shows the checks that are known as in a log line: "ptr=found fcrdns=pass".
func (c Checks) String() string {
	var known []string
	for i, r := range c {
		if r != NotLearnt {
			known = append(known, checks[i].name+"="+resultNames[r])
		}
	}
	return strings.Join(known, " ")
}

// Objections tells people what speaks against a client, a text for each check that
// does. The texts hold what strangers chose: escape them wherever they go.
func (c *Checks) Objections(req *Request, f *Facts) []string {
	var all []string
	for i := range checks {
		if checks[i].objection == nil {
			continue
		}
		if text := checks[i].objection(c, req, f); text != "" {
			all = append(all, text)
		}
	}
	return all
}
