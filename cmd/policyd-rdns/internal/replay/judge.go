package replay

import (
	"encoding/json"
	"fmt"
	"hash/maphash"
	"net/netip"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// change is what a new configuration makes of a decision, as its sender sees
// it.
type change uint8

// The changes.
const (
	unchanged change = iota
	newlyRejected
	newlyDeferred // what was accepted
	noLongerRejected
	noLongerDeferred
	newlyHeld // what was accepted, and its sender knows nothing of it
	noLongerHeld
	undecided // the line does not hold what the rules ask for
	numChanges
)

var changeNames = [numChanges]string{"", "newly rejected", "newly deferred", "no longer rejected", "no longer deferred", "newly held", "no longer held", "undecided"}

// Changes are the changes that a replay may fail on.
func Changes() []string {
	var flags []string
	for _, name := range changeNames[1:] {
		flags = append(flags, strings.ReplaceAll(name, " ", "-"))
	}
	return flags
}

func parseChanges(texts []string) ([]change, error) {
	var changes []change
	for _, text := range texts {
		i := slices.Index(Changes(), text)
		if i < 0 {
			return nil, fmt.Errorf("--fail-on %.60q: want %s", text, strings.Join(Changes(), ", "))
		}
		changes = append(changes, change(i+1))
	}
	return changes, nil
}

// changeOf compares two actions. A tag is no objection.
func changeOf(before, after policy.Action) change {
	switch {
	case before == after:
		return unchanged
	case after.Permanent():
		return newlyRejected
	case before.Permanent():
		return noLongerRejected
	case after.Refuses():
		return newlyDeferred
	case before.Refuses():
		return noLongerDeferred
	case after == policy.Hold:
		return newlyHeld
	case before == policy.Hold:
		return noLongerHeld
	}
	return unchanged
}

// ruling is what rules come to: what is done, and the rule that does it.
type ruling struct {
	action policy.Action
	rule   string
}

// judged is a recorded decision that was judged again.
type judged struct {
	at            time.Time
	message       uint64 // the same for all recipients; 0: not known
	before, after ruling
	change        change
	needs         string          // what is missing, if undecided
	observed      []policy.Ruling // of the new rules
	unobserved    bool            // it is not known what observed rules would have done

	// Of a change only:
	clients string     // who it is about
	sender  string     // domain
	row     declog.Row // if rows are listed
	json    []byte     // if JSON is listed
}

// listing is what is kept of each change.
type listing uint8

const (
	listNone listing = iota
	listRows
	listJSON
)

// replayer judges recorded decisions again. It is not modified once judge is
// called.
type replayer struct {
	before   *config.Config // nil: as was done
	after    *config.Config
	enforced *policy.Rules // those of after without the ones that only observe
	decided  bool          // what rules come to is compared, not what is carried out
	place    *time.Location
	seed     maphash.Seed

	listing listing
	rows    *declog.Printer
}

func newReplayer(o *Options) (*replayer, error) {
	p := &replayer{decided: o.Decided, place: time.Local, seed: maphash.MakeSeed()}
	if o.UTC {
		p.place = time.UTC
	}
	var err error
	if p.after, err = config.Load(o.Config); err != nil {
		return nil, err
	}
	if o.Against != "" {
		if p.before, err = config.Load(o.Against); err != nil {
			return nil, err
		}
	}
	for _, c := range []*config.Config{p.before, p.after} {
		if c == nil {
			continue
		}
		for i := range c.Rules.List {
			c.Rules.List[i].Text = "" // nobody reads it, and to fill it in takes time
		}
	}
	p.decided = p.decided || p.after.Rules.Mode != policy.Enforce
	enforced := *p.after.Rules
	enforced.List = slices.DeleteFunc(slices.Clone(enforced.List), func(r policy.Rule) bool { return r.Observe })
	p.enforced = &enforced
	return p, nil
}

// ruling is what a decision came to.
func (p *replayer) ruling(d *policy.Decision) ruling {
	a := d.Decided
	if !p.decided {
		switch a = d.Action; {
		case a == policy.Info:
			a = policy.DUNNO
		case a == policy.DUNNO && d.Decided == policy.DUNNO && len(d.Tags) > 0 && d.Mode == policy.Enforce:
			a = policy.Tag // by an earlier recipient of the message
		}
	}
	return ruling{a, d.Rule}
}

// judge judges a line again. It keeps all lines.
func (p *replayer) judge(l *journal.Line) (judged, bool) {
	q, f := &l.Request, &l.Facts
	j := judged{at: q.Time, before: p.ruling(&l.Decision)}
	if q.Instance != "" {
		j.message = max(maphash.String(p.seed, q.Instance), 1)
	}
	if p.before != nil {
		d := p.before.Rules.Decide(q, f)
		j.before = p.ruling(&d)
		if d.Undetermined {
			j.change, j.needs = undecided, needed(p.before.Rules, q, f)
		}
	}
	if l.NoAction && p.before == nil {
		j.change, j.needs = undecided, "what was done is told in words of another version"
	}
	d := p.after.Rules.Decide(q, f)
	if d.Undetermined {
		// Perhaps for a rule that only observes.
		d = p.enforced.Decide(q, f)
		j.unobserved = !d.Undetermined
	}
	j.after, j.observed = p.ruling(&d), d.Would
	switch {
	case !d.Undetermined:
	case passes(p.enforced, q, f):
		j.after = ruling{policy.DUNNO, j.before.rule} // by whichever rule
	default:
		j.change, j.needs = undecided, needed(p.enforced, q, f)
	}
	if j.change == unchanged {
		j.change = changeOf(j.before.action, j.after.action)
	}
	if j.change != unchanged {
		p.detail(l, &j)
	}
	return j, true
}

// passes reports whether a client passes whatever the facts are that are not there:
// each rule that asks for one would let it pass, and so do the others.
func passes(rules *policy.Rules, q *policy.Request, f *policy.Facts) bool {
	rest := *rules
	for {
		d := rest.Decide(q, f)
		if !d.Undetermined {
			return d.Decided == policy.DUNNO
		}
		open := slices.IndexFunc(rest.Trace(q, f), func(t policy.Trial) bool { return t.Holds == policy.Undetermined })
		if open < 0 || rest.List[open].Action != policy.DUNNO {
			return false
		}
		rest.List = slices.Delete(slices.Clone(rest.List), open, open+1)
	}
}

// needed says what an open decision needs: the entries of the first rule that
// cannot be held against the facts.
func needed(rules *policy.Rules, q *policy.Request, f *policy.Facts) string {
	for _, t := range rules.Trace(q, f) {
		if t.Holds != policy.Undetermined {
			continue
		}
		var keys []string
		for _, table := range slices.Concat([][]policy.EntryTrial{t.When}, t.Unless) {
			for _, e := range table {
				if e.Holds == policy.Undetermined && !slices.Contains(keys, e.Entry.Key) {
					keys = append(keys, e.Entry.Key)
				}
			}
		}
		return "rule " + config.Quote(t.Rule.Name) + " asks for " + strings.Join(keys, ", ")
	}
	// A rule holds, and what may spare the client is not known.
	d := rules.Judge(q, f)
	var keys []string
	for _, c := range policy.AllChecks() {
		if d.Lacks.Has(c) {
			keys = append(keys, c.String())
		}
	}
	return strings.Join(keys, ", ") + " may spare the client"
}

// detail adds what is told of a change. Its texts do not share the line's
// memory.
func (p *replayer) detail(l *journal.Line, j *judged) {
	j.before.rule = strings.Clone(j.before.rule)
	j.clients = strings.Clone(clientsOf(&l.Record))
	_, domain, at := match.SplitMailbox(l.Request.Sender)
	switch {
	case l.Request.Sender == "":
		j.sender = "<>"
	case !at:
		j.sender = strings.Clone(l.Request.Sender)
	default:
		j.sender = strings.Clone(strings.ToLower(domain))
	}
	switch p.listing {
	case listRows:
		j.row = p.rows.Changed(&l.Record, j.after.action, j.before.action.String()+" > "+j.afterText(), j.rule())
	case listJSON:
		j.json = listedJSON(l, j)
	}
}

// rule is the one that is the reason of the change: the new one that refuses,
// or the old one that did.
func (j *judged) rule() string {
	switch j.change {
	case noLongerRejected, noLongerDeferred, noLongerHeld:
		return j.before.rule
	}
	return j.after.rule
}

func (j *judged) afterText() string {
	if j.change == undecided {
		return "?"
	}
	return j.after.action.String()
}

// clientsOf is whom a client is counted with: those of the organisational domain
// of its name, in brackets if that is not confirmed, or else of its network.
func clientsOf(r *journal.Record) string {
	name := explain.Name(r)
	switch {
	case name == "-":
		return networkOf(r.Request.Client)
	case name[0] == '(':
		return "(" + organisation(name[1:len(name)-1]) + ")"
	}
	return organisation(name)
}

func organisation(name string) string {
	if org := hostname.Organisation(name); org != "" {
		return org
	}
	return name
}

func networkOf(client netip.Addr) string {
	if !client.IsValid() {
		return "no address"
	}
	return address.Network(client).String()
}

// listedJSON is a change as a line of JSON, with its newline.
func listedJSON(l *journal.Line, j *judged) []byte {
	record, err := journal.AppendJSON(nil, l.Text)
	if err != nil {
		record = []byte("null") // it was read before
	}
	text, err := json.Marshal(struct {
		Change     string          `json:"change"`
		Before     string          `json:"before"`
		BeforeRule string          `json:"before_rule,omitempty"`
		After      string          `json:"after,omitempty"`
		AfterRule  string          `json:"after_rule,omitempty"`
		Needs      string          `json:"needs,omitempty"`
		Record     json.RawMessage `json:"record"`
	}{
		changeKey(j.change), j.before.action.String(), j.before.rule,
		strings.TrimPrefix(j.afterText(), "?"), j.after.rule, j.needs, record,
	})
	if err != nil {
		return nil
	}
	return printableJSON(text)
}

func changeKey(c change) string { return strings.ReplaceAll(changeNames[c], " ", "_") }
