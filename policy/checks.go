package policy

import "strings"

// Check is one of the questions that the facts answer.
type Check uint8

// The checks, in the order in which they are logged and shown.
const (
	CheckPTR Check = iota
	CheckFCrDNS
	CheckName
	CheckStrength
	CheckHELOForm
	CheckHELO
	CheckHELOName
	numChecks
)

// Result is the outcome of a check. Which results a check can have is told by
// [Check.Results].
type Result uint8

// The results of all checks. The zero value says that the facts do not hold
// what the check needs: it was not asked.
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
	numResults
)

// results is a set of results.
type results uint32

// of is the set of some results.
func of(all ...Result) results {
	var set results
	for _, r := range all {
		set |= 1 << r
	}
	return set
}

func (s results) has(r Result) bool { return s&(1<<r) != 0 }

// Checks holds the result of every check.
type Checks [numChecks]Result

// CheckSet is a set of checks.
type CheckSet uint16

// Add puts checks into the set.
func (s *CheckSet) Add(checks ...Check) {
	for _, c := range checks {
		*s |= 1 << c
	}
}

// Has reports whether a check is in the set.
func (s CheckSet) Has(c Check) bool { return s&(1<<c) != 0 }

var checkNames = [numChecks]string{"ptr", "fcrdns", "name", "strength", "helo_form", "helo", "helo_name"}

var resultNames = [numResults]string{
	"", "temperror", "none", "found", "malformed", "pass", "mismatch", "unresolved", "proper", "generic",
	"word", "half", "full", "fqdn", "literal", "unqualified", "bare_ip", "missing", "match", "own", "related",
}

var checkResults = [numChecks][]Result{
	CheckPTR:      {Found, None, Malformed, TempError},
	CheckFCrDNS:   {Pass, Mismatch, Unresolved, None, TempError},
	CheckName:     {Proper, Generic, None, TempError},
	CheckStrength: {Full, Half, Word, TempError},
	CheckHELOForm: {FQDN, Literal, Unqualified, BareIP, Malformed, Missing},
	CheckHELO:     {Match, Own, Related, Mismatch, Unresolved, None, TempError},
	CheckHELOName: {Proper, Generic, None},
}

// String is the check's name in rules and log lines, such as "helo_form".
func (c Check) String() string { return checkNames[c] }

// Results lists what may be asked for in a rule, the order of the
// documentation. It must not be modified.
func (c Check) Results() []Result { return checkResults[c] }

// Result finds a result of the check by its name in rules and log lines.
func (c Check) Result(name string) (Result, bool) {
	for _, r := range checkResults[c] {
		if resultNames[r] == name {
			return r, true
		}
	}
	return NotLearnt, false
}

// CheckByName finds a check by its name in rules and log lines.
func CheckByName(name string) (Check, bool) {
	for c, n := range checkNames {
		if n == name {
			return Check(c), true
		}
	}
	return 0, false
}

// AllChecks lists the checks in their order.
func AllChecks() []Check {
	all := make([]Check, numChecks)
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
	var b strings.Builder
	for i, r := range c {
		if r == NotLearnt {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(checkNames[i] + "=" + resultNames[r])
	}
	return b.String()
}
