package replay

import (
	"fmt"
	"io"
	"net/netip"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// prospect is what becomes of the accepted mail of a client. Of several mails the last one
// of this list counts.
type prospect uint8

const (
	passesAll      prospect = iota
	unlearnt                // the DNS could not say
	otherwiseOpen           // by what else the log does not tell
	openByHELO              // nothing but its HELO may be against it
	openByNameHELO          // the HELO, beside its reverse DNS
	refusedElse             // for another reason
	refusedByName           // for its reverse DNS
	numProspects
)

// maxClients bounds the clients that are told apart.
const maxClients = 1 << 18

// news counts clients whose mail was accepted.
type news struct {
	clients map[netip.Addr]prospect
	full    bool // there were others
}

func (n *news) add(client netip.Addr, p prospect) {
	before, ok := n.clients[client]
	switch {
	case !client.IsValid():
	case !ok && len(n.clients) == maxClients:
		n.full = true
	case n.clients == nil:
		n.clients = map[netip.Addr]prospect{client: p}
	default:
		n.clients[client] = max(before, p)
	}
}

// counts are the clients by prospect.
func (n *news) counts() (by [numProspects]int) {
	for _, p := range n.clients {
		by[p]++
	}
	return by
}

// print writes what whoever is about to turn the rules on wants to know first.
func (n *news) print(w io.Writer) {
	if len(n.clients) == 0 {
		return
	}
	by := n.counts()
	of := "Of " + plain.Plural(len(n.clients), "client") + " whose mail was accepted"
	if n.full {
		of = "Of the first " + plain.Number(len(n.clients)) + " clients whose mail was accepted"
	}
	fmt.Fprintf(w, "%s, %s would be refused for their reverse DNS.\n", of, noneOr(by[refusedByName]))
	if open := by[openByHELO] + by[openByNameHELO]; open > 0 {
		fmt.Fprintf(w, "For %s it depends on the HELO, which the log does not tell", plain.Number(open))
		if by[openByHELO] > 0 {
			fmt.Fprintf(w, "; the reverse DNS of %s is well", plain.Number(by[openByHELO]))
		}
		fmt.Fprintf(w, ".\n")
	}
	for _, rest := range []struct {
		n    int
		what string
	}{
		{by[refusedElse], "would be refused for another reason"},
		{by[otherwiseOpen], "cannot be told: the log does not say what the rules ask for"},
		{by[unlearnt], "cannot be told: the DNS could not say today"},
		{by[passesAll], "would pass as before"},
	} {
		if rest.n > 0 {
			fmt.Fprintf(w, "%s %s.\n", plain.Number(rest.n), rest.what)
		}
	}
	fmt.Fprintf(w, "\n")
}

func noneOr(n int) string {
	if n == 0 {
		return "none"
	}
	return plain.Number(n)
}

func (n *news) jsonValue() map[string]int {
	by := n.counts()
	return map[string]int{
		"accepted": len(n.clients), "refused_reverse_dns": by[refusedByName], "refused_otherwise": by[refusedElse],
		"depend_on_helo": by[openByHELO] + by[openByNameHELO], "depend_on_helo_alone": by[openByHELO],
		"not_logged": by[otherwiseOpen], "not_learnt": by[unlearnt], "pass": by[passesAll],
	}
}

// grounds are what rules of a name look at.
type grounds struct {
	name bool // the reverse DNS
	helo bool
}

// groundsOf are those of all rules, by name.
func groundsOf(rules *policy.Rules) map[string]grounds {
	all := map[string]grounds{}
	for i := range rules.List {
		r := &rules.List[i]
		g := all[r.Name]
		for _, e := range slices.Concat(append([]policy.Table{r.When}, r.Unless...)...) {
			_, check := policy.CheckByName(e.Key)
			helo := e.Needs()&policy.AttrHELO != 0
			g.helo, g.name = g.helo || helo, g.name || check && !helo
		}
		all[r.Name] = g
	}
	return all
}

// prospect is what the possible decisions about mail come to; the last of them holds
// whatever it is that the log does not tell.
func (m *mailReplay) prospect(all []policy.Decision, q *policy.Request, f *policy.Facts) prospect {
	refuses := func(d policy.Decision) bool { return d.Decided.Refuses() }
	last := &all[len(all)-1]
	switch {
	case slices.ContainsFunc(all, func(d policy.Decision) bool { return notLearnt(&d, f) }):
		return unlearnt
	case !slices.ContainsFunc(all, refuses):
		return passesAll
	case !slices.ContainsFunc(all, func(d policy.Decision) bool { return !refuses(d) }):
		if m.grounds[last.Rule].name {
			return refusedByName
		}
		return refusedElse
	case q.Unknown&policy.AttrHELO == 0:
		return otherwiseOpen
	}
	p := otherwiseOpen
	for i := range all {
		switch g := m.grounds[all[i].Rule]; {
		case g.name && (g.helo || refuses(all[i])):
			p = max(p, openByNameHELO)
		case g.helo:
			p = max(p, openByHELO)
		}
	}
	return p
}
