package policy

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// combination is what the checks come to for one request, and what those that are no
// temperror could be as well: what a temperror could be makes no entry true.
type combination [NumChecks]Finding

func (e *evaluation) combination() combination {
	o := combination(e.findings)
	for c := range o {
		o[c].ask = 0
		if o[c].Result == TempError {
			o[c].possible = 0
		}
	}
	return o
}

// Contradiction says why a table can never hold, whoever the client is: of its
// checks no two such results come together. Empty: it can, as far as the checks
// tell.
func (t Table) Contradiction() string {
	asked := t.aboutChecks()
	if len(asked) < 2 || holdTogether(asked) {
		return ""
	}
	for i := range asked {
		for j := range i {
			if first, second := asked[j], asked[i]; !holdTogether([]*Entry{first, second}) {
				return exclude(first, second)
			}
		}
	}
	keys := make([]string, len(asked))
	for i, e := range asked {
		keys[i] = e.shown()
	}
	return strings.Join(keys, ", ") + " never come together"
}

// Undone says which of its tables of exceptions keeps a rule from ever holding: it
// holds whenever the rule's own does. -1: none.
func (r *Rule) Undone() int {
	return slices.IndexFunc(r.Unless, func(except Table) bool {
		for i := range except {
			if !slices.ContainsFunc(r.When, except[i].covers) {
				return false
			}
		}
		return true
	})
}

// exclude says what goes with the one of two entries instead of the other.
func exclude(first, second *Entry) string {
	if _, ok := CheckByName(second.Key); !ok {
		first, second = second, first
	}
	c, ok := CheckByName(second.Key)
	if !ok {
		return first.shown() + " and " + second.shown() + " never come together"
	}
	var with []string
	for _, r := range c.Results() {
		if slices.ContainsFunc(combinations(), func(o combination) bool { return o[c].Result == r && first.canHold(&o) }) {
			with = append(with, r.String())
		}
	}
	if len(with) == 0 {
		return fmt.Sprintf("with %s, there is no %s", first.shown(), second.Key)
	}
	return fmt.Sprintf("with %s, %s is %s", first.shown(), second.Key, strings.Join(with, " or "))
}

// shown is the entry as in a file, cut short.
func (e *Entry) shown() string {
	values := make([]string, min(len(e.Written), 4))
	for i := range values {
		values[i] = fmt.Sprintf("%.40q", e.Written[i])
	}
	text := strings.Join(values, ", ")
	if len(e.Written) > len(values) {
		text += ", …"
	}
	if len(e.Written) != 1 {
		text = "[" + text + "]"
	}
	return e.Key + " = " + text
}

// aboutChecks are the entries that say something about the checks.
func (t Table) aboutChecks() []*Entry {
	var entries []*Entry
	for i := range t {
		switch t[i].cond.(type) {
		case *wanted, *ptrNames, *helos:
			entries = append(entries, &t[i])
		}
	}
	return entries
}

func holdTogether(entries []*Entry) bool {
	return slices.ContainsFunc(combinations(), func(o combination) bool {
		return !slices.ContainsFunc(entries, func(e *Entry) bool { return !e.canHold(&o) })
	})
}

// canHold says that the entry holds with a combination of the checks, or that they do
// not tell.
func (e *Entry) canHold(o *combination) bool {
	switch c := e.cond.(type) {
	case *wanted:
		return c.holds(&evaluation{req: &Request{State: "RCPT"}, findings: *o}).truth == Yes
	case *ptrNames:
		return o[CheckFCrDNS].Result == Pass
	case *helos:
		return c.forms().has(o[CheckHELOForm].Result)
	}
	return true
}

// forms are those that a HELO of the list may have.
func (g *helos) forms() results {
	forms := of()
	for a := range g.addrs {
		if a.form == hostname.Literal {
			forms |= of(Literal)
		} else {
			forms |= of(BareIP)
		}
	}
	for name := range g.exact {
		if strings.Contains(name, ".") {
			forms |= of(FQDN)
		} else {
			forms |= of(Unqualified)
		}
	}
	if len(g.suffix) > 0 {
		forms |= of(FQDN)
	}
	return forms
}

// combinations are all that the checks can come to together. They are found out by
// judging clients and HELO names of every kind.
var combinations = sync.OnceValue(allCombinations)

func allCombinations() []combination {
	seen := map[combination]bool{}
	assessed := func(f Facts) combination {
		e := evaluation{req: &possibleRequest, facts: &f, rules: &possibleRules}
		e.draw()
		return e.combination()
	}
	helos := possibleHELOs()
	kinds := map[[3]combination]bool{} // of clients: what they are to three HELO names
	for _, f := range possibleClients() {
		var kind [3]combination
		for i := range kind {
			kind[i] = assessed(f.helo(helos[i]))
		}
		if kinds[kind] {
			continue
		}
		kinds[kind] = true
		for _, g := range helos {
			seen[assessed(f.helo(g))] = true
		}
	}
	all := make([]combination, 0, len(seen))
	for o := range seen {
		all = append(all, o)
	}
	return all
}

var (
	possibleRequest = Request{
		State: "RCPT", HELO: "given",
		Client: netip.AddrFrom4([4]byte{192, 0, 2, 25}), Server: netip.AddrFrom4([4]byte{192, 0, 2, 77}),
	}
	possibleRules Rules
)

// possibleClients are the facts about clients of every kind: no name, none that is
// well-formed, one name and two, each of every grade, of the HELO's
// organisation or another, leading back or not.
func possibleClients() []Facts {
	clients := []Facts{
		{PTR: resolver.None},
		{PTR: resolver.TempError},
		{PTR: resolver.Found, Names: []Name{{Name: "-"}}},
	}
	var names []Name
	for _, domain := range []string{"example.com", "example.net"} {
		for _, v := range []hostname.Verdict{
			{}, {Generic: true, Strength: hostname.Word}, {Generic: true, Strength: hostname.Half}, {Generic: true, Strength: hostname.Full},
		} {
			for _, forward := range slices.Delete(possibleForwards(), 1, 2) { // next to the client is elsewhere
				names = append(names, Name{Name: "client." + domain, Valid: true, Verdict: v, Forward: forward})
			}
		}
	}
	for i := range names {
		for j := range names[:i+1] {
			two := []Name{names[i], names[j]}
			clients = append(clients, Facts{PTR: resolver.Found, Names: two}, Facts{PTR: resolver.Found, Names: two, MoreNames: true})
		}
	}
	return clients
}

// possibleForwards are what a name may resolve to: another address, next to the client, nobody
// knows, to the client, nowhere.
func possibleForwards() []Forward {
	to := func(last byte, net byte) Forward {
		return Forward{Outcome: resolver.Found, Addrs: []netip.Addr{netip.AddrFrom4([4]byte{192, 0, net, last})}}
	}
	return []Forward{to(25, 3), to(26, 2), {Outcome: resolver.TempError}, to(25, 2), {Outcome: resolver.None}}
}

// HELO is the facts with a HELO, which is our own or not.
func (f Facts) helo(g possibleHELO) Facts {
	f.HELO, f.OwnHELO = g.HELO, g.own
	return f
}

type possibleHELO struct {
	HELO
	own bool
}

// possibleHELOs are HELO names of every form. The first three tell clients of
// different kinds apart.
func possibleHELOs() []possibleHELO {
	var all []possibleHELO
	add := func(name string, generic, own bool) {
		for _, forward := range possibleForwards() {
			all = append(all, possibleHELO{
				HELO{Name: name, Form: hostname.FQDN, Verdict: hostname.Verdict{Generic: generic}, Forward: forward}, own,
			})
		}
	}
	add("helo.example.com", false, false)
	add("helo.example.com", true, false)
	add("helo.example.com", false, true)
	add("helo.example.com", true, true)
	add("co.uk", false, false) // of no organisation
	for _, helo := range []string{
		"", "[192.0.2.25]", "[192.0.2.77]", "[192.0.2.99]", "[IPv6:2001:db8::25]", "192.0.2.25", "192.0.2.77", "192.0.2.99", "localhost", "mail", "-",
	} {
		g := NewHELO(helo, possibleRequest.Client)
		all = append(all, possibleHELO{g, false}, possibleHELO{g, g.Name != ""})
	}
	return all
}
