package lint

import (
	"net/netip"
	"slices"
	"sync"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// combination is what the checks come to for one request, and what those that are no
// temperror could be as well: what a temperror could be makes no entry true.
type combination policy.Findings

// combined is the combination of a client.
func combined(f policy.Facts) combination {
	o := combination(possibleRules.Findings(&possibleRequest, &f))
	for c := range o {
		o[c].Lacks = 0
		if o[c].Result == policy.TempError {
			o[c].Possible = 0
		}
	}
	return o
}

// combinations are all that the checks can come to together. They are found out by
// judging clients and HELO names of every kind.
var combinations = sync.OnceValue(allCombinations)

func allCombinations() []combination {
	seen := map[combination]bool{}
	helos := possibleHELOs()
	kinds := map[[3]combination]bool{} // of clients: what they are to three HELO names
	for _, f := range possibleClients() {
		var kind [3]combination
		for i := range kind {
			kind[i] = combined(withHELO(f, helos[i]))
		}
		if kinds[kind] {
			continue
		}
		kinds[kind] = true
		for _, g := range helos {
			seen[combined(withHELO(f, g))] = true
		}
	}
	all := make([]combination, 0, len(seen))
	for o := range seen {
		all = append(all, o)
	}
	return all
}

var (
	possibleRequest = policy.Request{
		State: "RCPT", HELO: "given",
		Client: netip.AddrFrom4([4]byte{192, 0, 2, 25}), Server: netip.AddrFrom4([4]byte{192, 0, 2, 77}),
	}
	possibleRules policy.Rules
)

// possibleClients are the facts about clients of every kind: no name, none that is
// well-formed, one name and two, each of every grade, of the HELO's
// organisation or another, resolving to the client or not.
func possibleClients() []policy.Facts {
	clients := []policy.Facts{
		{PTR: resolver.None},
		{PTR: resolver.TempError},
		{PTR: resolver.Found, Names: []policy.Name{{Name: "-"}}},
	}
	add := func(two ...policy.Name) {
		clients = append(clients, policy.Facts{PTR: resolver.Found, Names: two}, policy.Facts{PTR: resolver.Found, Names: two, MoreNames: true})
	}
	names := possibleNames(hostname.UnknownKind)
	for i := range names {
		for j := range names[:i+1] {
			add(names[i], names[j])
		}
	}
	// A kind is of one name; what stands beside it has one too, or none.
	for _, kind := range []hostname.Kind{hostname.Dynamic, hostname.Static, hostname.Server} {
		for _, one := range possibleNames(kind) {
			add(one)
			for _, other := range names {
				add(one, other)
			}
		}
	}
	return clients
}

// possibleNames are names of every grade, the generic ones of a kind.
func possibleNames(kind hostname.Kind) (names []policy.Name) {
	for _, domain := range []string{"example.com", "example.net"} {
		for _, v := range []hostname.Verdict{
			{},
			{Generic: true, Strength: hostname.Word, Kind: kind},
			{Generic: true, Strength: hostname.Half, Kind: kind},
			{Generic: true, Strength: hostname.Full, Kind: kind},
		} {
			if !v.Generic && kind != hostname.UnknownKind {
				continue
			}
			for _, forward := range slices.Delete(possibleForwards(), 1, 2) { // next to the client is elsewhere
				names = append(names, policy.Name{Name: "client." + domain, Valid: true, Verdict: v, Organisation: domain, Forward: forward})
			}
		}
	}
	return names
}

// possibleForwards are what a name may resolve to: another address, next to the client, nobody
// knows, to the client, nowhere.
func possibleForwards() []resolver.Forward {
	to := func(last byte, net byte) resolver.Forward {
		return resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{netip.AddrFrom4([4]byte{192, 0, net, last})}}
	}
	return []resolver.Forward{to(25, 3), to(26, 2), {Outcome: resolver.TempError}, to(25, 2), {Outcome: resolver.None}}
}

// withHELO is the facts with a HELO, which is our own or not.
func withHELO(f policy.Facts, g possibleHELO) policy.Facts {
	f.HELO, f.OwnHELO = g.HELO, g.own
	return f
}

type possibleHELO struct {
	policy.HELO
	own bool
}

// possibleHELOs are HELO names of every form. The first three tell clients of
// different kinds apart.
func possibleHELOs() []possibleHELO {
	var all []possibleHELO
	add := func(name string, generic, own bool) {
		for _, forward := range possibleForwards() {
			all = append(all, possibleHELO{
				policy.HELO{Name: name, Form: hostname.FQDN, Verdict: hostname.Verdict{Generic: generic}, Forward: forward}, own,
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
		g := policy.NewHELO(helo, possibleRequest.Client)
		all = append(all, possibleHELO{g, false}, possibleHELO{g, g.Name != ""})
	}
	return all
}
