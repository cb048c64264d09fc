// Package report makes of a decision log what a postmaster wants to know on
// Monday: what was refused, by which rules, when, whom, and which of it was
// probably wanted; what became of the messages that were deferred; numbered names that seem to be judged
// wrongly; the trouble with the DNS, the slowest decisions, and rules and exemptions that do nothing.
//
//	r, err := report.Read(ctx, &journal.Reader{Inputs: inputs}, config)
//	err = r.WriteText(os.Stdout)      // for people
//	err = r.WriteHTML(page)           // one page that needs nothing else
//	err = r.WriteJSON(os.Stdout)      // one object: the fields of Report
//
// A report is a function of the log and the configuration alone: made again
// tomorrow, it is the same. What is "soon" is soon after the last decision.
//
// # What is counted
//
// A decision is one recipient at one try. A message is all decisions with one
// instance of Postfix: a try that comes later is another message. A decision
// has one [Outcome]: what was only observed, by a rule or by the whole
// configuration, passed, and is counted apart.
//
// # Memory
//
// It does not grow with the log. At most [maxGroups] networks and as many
// domains are told apart, [maxCandidates] clients are judged for being wanted, and
// [maxDeferred] messages are followed; [provider] has bounds of its own. Beyond, the lighter half is let go, and the report says how many
// groups that were and what they amount to: [Groups.Others]. A group that was
// let go and comes back is counted from then on, so that what is told of it may
// be too little, never too much.
package report

import (
	"encoding/json"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/report/exemption"
	"policyd-rdns/cmd/policyd-rdns/internal/report/provider"
)

// Outcome is what became of a decision.
type Outcome uint8

// The outcomes, the gravest first. Each decision has one of them.
const (
	Rejected Outcome = iota // 5xx
	Deferred                // 4xx
	Observed                // passed, and would have been refused but for mode = "observe"
	Passed
	numOutcomes
)

// outcomes is all that there is to know of each.
var outcomes = [numOutcomes]struct {
	name   string
	label  string // where there is room
	letter byte   // in a chart of text
}{
	Rejected: {"rejected", "rejected", 'R'},
	Deferred: {"deferred", "deferred", 'D'},
	Observed: {"observed", "only observed", 'o'},
	Passed:   {"passed", "passed", '.'},
}

// String is the outcome as in reports.
func (o Outcome) String() string { return outcomes[o].name }

// Count is a number of decisions, and of the messages that they are about.
type Count struct {
	Decisions int `json:"decisions"`
	Messages  int `json:"messages"`
}

// Outcomes counts decisions by their outcome. In JSON it is an object with the
// outcomes' names as keys.
type Outcomes [numOutcomes]Count

// MarshalJSON is that of [json.Marshaler].
func (o Outcomes) MarshalJSON() ([]byte, error) {
	m := map[string]Count{}
	for i, c := range o {
		m[Outcome(i).String()] = c
	}
	return json.Marshal(m)
}

func (o *Outcomes) all() int { return o.Refused() + o[Passed].Decisions }

// Refused is the number of decisions that did not simply pass.
func (o *Outcomes) Refused() int {
	return o[Rejected].Decisions + o[Deferred].Decisions + o[Observed].Decisions
}

// Refusals counts decisions that did not simply pass.
type Refusals struct {
	Rejected int `json:"rejected"`
	Deferred int `json:"deferred"`
	Observed int `json:"observed"`
}

// all are the counts, in the order of the outcomes.
func (r *Refusals) all() [Passed]*int { return [...]*int{&r.Rejected, &r.Deferred, &r.Observed} }

// add counts a decision.
func (r *Refusals) add(o Outcome) { *r.all()[o]++ }

// Report is all that is told. Its fields in JSON are those of the object that
// [Report.WriteJSON] writes.
type Report struct {
	First    time.Time `json:"first"` // decision
	Last     time.Time `json:"last"`
	Lines    Lines     `json:"lines"`
	Total    Count     `json:"total"`
	Outcomes Outcomes  `json:"outcomes"`
	Notes    Notes     `json:"notes"`

	// Unit is hour, day, month or year: how long each of Times is.
	Unit  string   `json:"unit"`
	Times []Bucket `json:"times"` // without gaps

	Rules      []Rule             `json:"rules"`
	Deferrals  Deferrals          `json:"deferrals"`
	Wanted     Wanted             `json:"wanted"`
	Networks   Groups             `json:"networks"`  // of refused clients
	Domains    Groups             `json:"domains"`   // organisational ones, of refused clients' names
	Providers  provider.Report    `json:"providers"` // whose names seem to be judged wrongly
	DNS        DNS                `json:"dns"`
	Speed      Speed              `json:"speed"`
	Config     ConfigUse          `json:"config"`
	Silent     []string           `json:"silent"` // rules that never decided or would have
	Exemptions []exemption.Report `json:"exemptions"`

	place *time.Location
}

// Lines is how many lines of each kind were read.
type Lines struct {
	Decisions int `json:"decisions"` // those left out by a filter among them
	Other     int `json:"other"`     // no decisions
	Damaged   int `json:"damaged"`
	Unknown   int `json:"unknown,omitempty"` // decisions with words that this version does not know
}

// Notes counts decisions by what else there is to say of them.
type Notes struct {
	Downgraded int `json:"downgraded"` // a temporary failure made less of a reject
	Outage     int `json:"outage"`     // no DNS server answered anybody
	Overload   int `json:"overload"`   // the daemon had no room for a lookup
	Stale      int `json:"stale"`      // an answer past its TTL was used
	Held       int `json:"held"`       // Postfix keeps the message for the administrator
	Tagged     int `json:"tagged"`     // the message got a header
}

// Bucket is an hour, a day, a month or a year.
type Bucket struct {
	Begin    time.Time `json:"begin"`
	Outcomes Outcomes  `json:"outcomes"`
}

// Rule is what one rule did.
type Rule struct {
	Name     string `json:"name"` // empty: no rule held
	Action   string `json:"action"`
	Observed bool   `json:"observed"` // it was not carried out
	Count
	First time.Time `json:"first"`
	Last  time.Time `json:"last"`
	Times []int     `json:"times"` // decisions, as in Report.Times

	outcome Outcome
}

// Groups are groups of decisions, those with the most first.
type Groups struct {
	List []Group `json:"list"`
	More int     `json:"more"` // groups beyond those that are listed
	// Others are the decisions of groups that were let go for want of room,
	// Cut how many groups those were.
	Others Count `json:"others"`
	Cut    int   `json:"cut"`
}

// Group is a network or a domain.
type Group struct {
	Name string `json:"name"`
	// Confirmed reports whether the clients' names resolve to them, of a domain.
	Confirmed bool `json:"confirmed,omitempty"`
	Count          // that were refused or would have been
	Refusals
	Rule        string    `json:"rule"`    // that refused most often
	Senders     []Sender  `json:"senders"` // domains, the most frequent first
	MoreSenders bool      `json:"more_senders"`
	First       time.Time `json:"first"`
	Last        time.Time `json:"last"`
}

// Sender is a domain that clients sent from, or said so.
type Sender struct {
	Domain    string `json:"domain"` // <> is the null sender
	Decisions int    `json:"decisions"`
}

// ConfigUse says under which configurations the decisions were made.
type ConfigUse struct {
	Name string `json:"name"` // of the one that the report was made with
	Hash string `json:"hash"`
	// Made lists those of the log, the most frequent first; an empty Hash
	// stands for all beyond some.
	Made []ConfigCount `json:"made"`
}

// ConfigCount is how many decisions were made under a configuration.
type ConfigCount struct {
	Hash      string `json:"hash"`
	Decisions int    `json:"decisions"`
}

// differs reports whether most decisions were made under another configuration than
// the report.
func (c *ConfigUse) differs() bool { return len(c.Made) > 0 && c.Made[0].Hash != c.Hash }
