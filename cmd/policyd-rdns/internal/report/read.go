package report

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"net/netip"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/deferral"
	"policyd-rdns/cmd/policyd-rdns/internal/report/exemption"
	"policyd-rdns/cmd/policyd-rdns/internal/report/provider"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// Config is what a report is made with.
type Config struct {
	// Rules are those that rules without effect and exemptions are told of. They
	// are not modified.
	Rules *policy.Rules
	Name  string // of the configuration, for people
	Hash  string // as in records
	// WriteRule writes a rule as in a configuration file, in printable ASCII.
	WriteRule func(io.Writer, *policy.Rule)
	// Place is where days begin and times are told.
	Place *time.Location
	// Top bounds the rows of each list; 0: all that are kept.
	Top int
	// Wants reports whether a record is counted. It is called from several
	// goroutines at once.
	Wants func(*journal.Record) bool
	// Progress is told now and then how many decisions were counted.
	Progress func(decisions int)
}

// ErrNothing is the error of Read if there is no decision to report on.
var ErrNothing = errors.New("no decision found")

// ErrNoLog is an ErrNothing that is no quiet day: not one line came in, or none that could
// be read. The daemon's own messages show that its log arrives.
var ErrNoLog = errors.New("no decision log came in")

// Read makes a report of the decisions of some logs. Damaged lines are told to
// r.OnDamage, as always, and counted. The error is that of [journal.Read], or
// ErrNothing.
func Read(ctx context.Context, r *journal.Reader, c Config) (*Report, error) {
	d := newDigester(&c)
	t := newTotals(&c, d)
	digest := func(l *journal.Line) (item, bool) {
		if !c.Wants(&l.Record) {
			return item{}, false
		}
		return d.item(l), true
	}
	for some, err := range journal.Read(ctx, r, digest) {
		if err != nil {
			return nil, err
		}
		for i := range some {
			t.add(&some[i])
		}
		c.Progress(t.total.Decisions)
	}
	lines := r.Counts
	if t.total.Decisions == 0 {
		err := fmt.Errorf("%w in %d lines", ErrNothing, lines.Decisions+lines.Other+lines.Damaged)
		if lines.Decisions+lines.Other == 0 {
			err = fmt.Errorf("%w: %w", ErrNoLog, err)
		}
		return nil, err
	}
	return t.report(Lines{Decisions: lines.Decisions, Other: lines.Other, Damaged: lines.Damaged, Unknown: lines.Unknown}), nil
}

// item is what is counted of one decision. Its texts share the memory of the
// line.
type item struct {
	at      time.Time
	message uint64 // the same for all recipients; 0: not known
	outcome Outcome
	rule    string // that decided
	decided policy.Action
	carried bool // what was decided was done
	would   []policy.Ruling
	tags    []string // rules
	config  string
	elapsed time.Duration
	queries int
	notes   notes
	faults  []lookupFault
	uses    []exemption.Use
	who     who
	text    string         // the line, of a client that may be wanted
	try     *deferral.Try  // nil: it was not about a message
	look    *provider.Look // nil: nothing that a numbered name could show
}

// notes are the flags of a decision.
type notes struct{ downgraded, outage, overload, stale, held, tagged, cached bool }

// who is the client and what speaks for it.
type who struct {
	client    netip.Addr
	name      string // confirmed, or else one that it claims
	confirmed bool
	helo      string
	sender    string // domain
	refusal   policy.Ruling
	objection policy.Ruling // the same by the report's configuration; zero: none, or one that names whom it is for
	mail      uint64        // the same for one sender, recipient and network
	recipient uint64
	features  features
}

// digester makes items of lines. It is not modified once it is in use.
type digester struct {
	exemptions *exemption.Finder
	rules      *policy.Rules   // without texts
	meant      map[string]bool // of each rule: it names whom it refuses
	seed       maphash.Seed
	tries      deferral.Seed
	domains    domains
}

func newDigester(c *Config) *digester {
	d := &digester{exemptions: exemption.New(c.Rules, c.Hash), rules: exemption.Silenced(c.Rules), meant: map[string]bool{}, seed: maphash.MakeSeed(), tries: deferral.NewSeed()}
	for i := range c.Rules.List {
		r := &c.Rules.List[i]
		d.meant[r.Name] = namesClients(r)
	}
	return d
}

// namesClients reports whether a rule holds for whom it names and not for what the DNS
// says of anyone: what it refuses is meant to be.
func namesClients(r *policy.Rule) bool {
	return len(r.When) > 0 && !slices.ContainsFunc(r.When, func(e policy.Entry) bool {
		_, check := policy.CheckByName(e.Key)
		return check
	})
}

func (d *digester) item(l *journal.Line) item {
	q, f, v := &l.Request, &l.Facts, &l.Decision
	i := item{
		at: q.Time, rule: v.Rule, decided: v.Decided, would: v.Would, tags: v.Tags, config: l.Config,
		carried: v.CarriedOut(), elapsed: l.Elapsed, queries: f.Queries,
		notes: notes{v.Downgraded, f.Outage, f.Overload, f.Stale, v.Action == policy.Hold, v.Action == policy.Tag, f.Cached},
	}
	if q.Instance != "" {
		i.message = max(maphash.String(d.seed, q.Instance), 1)
	}
	i.faults = lookupFaults(f.Errors)
	i.outcome = outcomeOf(v)
	i.uses = d.exemptions.Uses(l)
	d.client(l, &i)
	if look, ok := provider.Of(&l.Record, d.rules); ok {
		i.look = &look
	}
	l.Facts.Parties = deferral.Parties(d.rules, &l.Record)
	if try, ok := d.tries.Try(&l.Record); ok {
		i.try = &try
	}
	return i
}

// outcomeOf is what became of a decision. What is tagged or held has passed, as far as its
// sender knows.
func outcomeOf(v *policy.Decision) Outcome {
	switch {
	case v.Action.Permanent():
		return Rejected
	case v.Action.Refuses():
		return Deferred
	case v.Decided.Refuses() || slices.ContainsFunc(v.Would, refuses):
		return Observed
	}
	return Passed
}

func refuses(v policy.Ruling) bool { return v.Action.Refuses() }

// refusalOf is what refused, or would have.
func refusalOf(v *policy.Decision) policy.Ruling {
	if v.Decided.Refuses() {
		return policy.Ruling{Action: v.Decided, Rule: v.Rule}
	}
	if i := slices.IndexFunc(v.Would, refuses); i >= 0 {
		return v.Would[i]
	}
	return policy.Ruling{}
}

// client notes who it was.
func (d *digester) client(l *journal.Line, i *item) {
	q, f := &l.Request, &l.Facts
	w := &i.who
	w.client, w.helo = q.Client, q.HELO
	w.refusal = refusalOf(&l.Decision)
	if i.outcome != Passed {
		w.objection = d.objection(l, w.refusal)
	}
	for n := range f.Names {
		if f.Names[n].Forward.To(q.Client) {
			w.name, w.confirmed = f.Names[n].Name, true
			break
		}
	}
	if w.name == "" && len(f.Names) > 0 {
		w.name = f.Names[0].Name
	}
	w.sender = senderDomain(q.Sender)
	recipient := strings.ToLower(q.Recipient)
	w.mail = d.hash(address.Network(q.Client), strings.ToLower(q.Sender), recipient)
	w.recipient = maphash.String(d.seed, recipient)
	if w.counts(i) {
		w.features = d.features(&l.Record)
	}
	i.text = l.Text
}

// counts reports whether a decision says something of who its client is: it was refused, or
// accepted by no rule. One that lets postmaster's mail pass says nothing.
func (w *who) counts(i *item) bool { return i.outcome != Passed || i.rule == "" }

// objection is what the report's configuration objects to. What was refused by a
// rule that it does not have is judged again.
func (d *digester) objection(l *journal.Line, refusal policy.Ruling) policy.Ruling {
	v := &l.Decision
	if _, ok := d.meant[refusal.Rule]; !ok {
		again := d.rules.Decide(&l.Request, &l.Facts)
		if again.Undetermined { // in a log of rules that did not ask
			assumed, _ := l.Facts.Assumed()
			again = d.rules.Decide(&l.Request, &assumed)
		}
		v, refusal = &again, refusalOf(&again)
	}
	// A temporary failure is not what a rule is meant for.
	if v.Undetermined || d.meant[refusal.Rule] && !v.Downgraded {
		return policy.Ruling{}
	}
	return refusal
}

func (d *digester) hash(network netip.Prefix, texts ...string) uint64 {
	var h maphash.Hash
	h.SetSeed(d.seed)
	var buf [64]byte
	_, _ = h.Write(network.AppendTo(buf[:0]))
	for _, t := range texts {
		_ = h.WriteByte(0)
		_, _ = h.WriteString(t)
	}
	return h.Sum64()
}

// senderDomain is the domain of a sender, <> of the null sender.
func senderDomain(sender string) string {
	if sender == "" {
		return "<>"
	}
	if _, domain, at := match.SplitMailbox(sender); at {
		sender = domain
	}
	return strings.ToLower(sender)
}

// organisation is the organisational domain of a name, or the name itself if it
// has none.
func organisation(name string) string {
	return cmp.Or(hostname.Organisation(name), name)
}
