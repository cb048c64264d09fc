package report

import (
	"cmp"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/report/exemption"
	"policyd-rdns/cmd/policyd-rdns/internal/report/provider"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
)

// totals counts the decisions of a log.
type totals struct {
	config *Config
	seen   counted
	period
	total    Count
	outcomes Outcomes
	notes    Notes
	times    timeline
	rules    map[rulingKey]*ruling
	configs  tally
	more     int // decisions under configurations beyond those
	networks groups
	domains  groups
	faults   faults
	speed    speed
	uses     *exemption.Counter
	clients  candidates
	deferred deferrals
	looks    provider.Counter
}

// rulingKey is what a rule did.
type rulingKey struct {
	rule     string
	action   policy.Action
	observed bool // it was not carried out
}

// ruling counts it.
type ruling struct {
	rulingKey
	Count
	period
}

// outcome is what became of what it decided.
func (r *ruling) outcome() Outcome {
	switch {
	case !r.action.Refuses():
		return Passed
	case r.observed:
		return Observed
	case r.action.Permanent():
		return Rejected
	}
	return Deferred
}

const (
	// maxRulings bounds the rules that are told apart. Their names come from
	// configurations, of which a long log may have seen many.
	maxRulings = 1000
	maxConfigs = 100
)

func newTotals(c *Config, d *digester) *totals {
	return &totals{
		config: c, times: timeline{place: c.Place}, rules: map[rulingKey]*ruling{},
		faults: newFaults(), speed: newSpeed(), uses: exemption.NewCounter(d.exemptions), clients: newCandidates(), deferred: newDeferrals(),
	}
}

func (t *totals) add(i *item) {
	t.period.add(i.at)
	t.total.add(i.message, &t.seen)
	t.outcomes[i.outcome].add(i.message, &t.seen)
	m := t.times.at(i.at)
	m.outcomes[i.outcome].add(i.message, &t.seen)
	t.addNotes(i.notes)
	t.addRuling(rulingKey{i.rule, i.decided, !i.carried}, i, m)
	for _, v := range i.would {
		t.addRuling(rulingKey{v.Rule, v.Action, true}, i, m)
	}
	for _, name := range i.tags {
		t.addRuling(rulingKey{name, policy.Tag, !i.carried}, i, m)
	}
	t.addConfig(i.config)
	if i.outcome != Passed {
		t.networks.add(groupKey{network: address.Network(i.who.client)}, i, &t.seen)
		if i.who.name != "" {
			t.domains.add(groupKey{domain: organisation(i.who.name), confirmed: i.who.confirmed}, i, &t.seen)
		}
	}
	t.faults.add(i.faults, i.at)
	t.speed.add(i)
	t.uses.Add(i.uses, i.at)
	t.clients.add(i, &t.seen)
	t.deferred.add(i)
	if i.look != nil {
		t.looks.Add(i.look)
	}
}

func (t *totals) addConfig(hash string) {
	switch {
	case t.configs.has(hash):
		t.configs.add(hash, maxConfigs)
	case len(t.configs.list) < maxConfigs:
		t.configs.add(strings.Clone(hash), maxConfigs)
	default:
		t.more++
	}
}

func (t *totals) addNotes(n notes) {
	for _, note := range []struct {
		is   bool
		into *int
	}{{n.downgraded, &t.notes.Downgraded}, {n.outage, &t.notes.Outage}, {n.overload, &t.notes.Overload}, {n.stale, &t.notes.Stale}, {n.held, &t.notes.Held}, {n.tagged, &t.notes.Tagged}} {
		if note.is {
			*note.into++
		}
	}
}

// addRuling counts what a rule did.
func (t *totals) addRuling(key rulingKey, i *item, m *moment) {
	r := t.rules[key]
	if r == nil {
		if len(t.rules) >= maxRulings {
			key.rule = "other rules"
			r = t.rules[key]
		}
		if r == nil {
			key.rule = strings.Clone(key.rule)
			r = &ruling{rulingKey: key}
			t.rules[key] = r
		}
	}
	r.Count.add(i.message, &t.seen)
	r.period.add(i.at)
	m.rules[r]++
}

// report tells all that was counted.
func (t *totals) report(lines Lines) *Report {
	top := t.config.Top
	r := &Report{
		First: t.first, Last: t.last, Lines: lines, Total: t.total, Outcomes: t.outcomes, Notes: t.notes,
		Networks: t.networks.report(top), Domains: t.domains.report(top), DNS: t.faults.report(top), Speed: t.speed.report(),
		Config: t.configUse(), place: t.config.Place,
	}
	r.Times = t.times.bars(t.period)
	r.Unit = t.times.unit.String()
	r.Rules = t.ruleList(r.Times)
	r.Silent = t.silent()
	r.Exemptions = t.uses.Report(t.last)
	r.Wanted = t.clients.report(t.config)
	r.Deferrals = t.deferred.report()
	r.Providers = t.looks.Report(top)
	return r
}

// ruleList tells what each rule did: what was carried out first, and the most
// frequent first.
func (t *totals) ruleList(bars []Bucket) []Rule {
	var list []Rule
	for _, r := range t.rules {
		list = append(list, Rule{
			Name: r.rule, Action: r.action.String(), Observed: r.observed, Count: r.Count,
			First: r.first, Last: r.last, Times: t.times.of(r, bars), outcome: r.outcome(),
		})
	}
	slices.SortFunc(list, func(a, b Rule) int {
		return cmp.Or(compareBool(a.Observed, b.Observed), cmp.Compare(b.Decisions, a.Decisions),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Action, b.Action))
	})
	return list
}

// silent names the rules of the configuration that neither decided nor would
// have.
func (t *totals) silent() []string {
	heard := map[string]bool{}
	for key := range t.rules {
		heard[key.rule] = true
	}
	names := []string{}
	for i := range t.config.Rules.List {
		if name := t.config.Rules.List[i].Name; !heard[name] {
			names = append(names, name)
		}
	}
	return names
}

func (t *totals) configUse() ConfigUse {
	c := ConfigUse{Name: t.config.Name, Hash: t.config.Hash}
	for _, one := range t.configs.sorted() {
		c.Made = append(c.Made, ConfigCount{one.text, one.n})
	}
	if t.more > 0 {
		c.Made = append(c.Made, ConfigCount{"", t.more})
	}
	return c
}
