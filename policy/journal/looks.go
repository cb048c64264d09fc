package journal

import (
	"net/netip"

	"policyd-rdns/policy"
)

// looks are names and HELOs that were judged by their looks, which a log has again and
// again: to judge each of them anew takes replay a fifth of its time.
type looks struct {
	names map[look]policy.Name
	helos map[look]policy.HELO
}

// look is a name or a HELO, and the client whose it is.
type look struct {
	text   string
	client netip.Addr
}

// judge judges the names among the facts, and the HELO. Without looks nothing is
// remembered.
func (l *looks) judge(f *policy.Facts, q *policy.Request) {
	if l == nil {
		l = &looks{}
	} else if l.names == nil {
		l.names, l.helos = map[look]policy.Name{}, map[look]policy.HELO{}
	}
	for i := range f.Names {
		n := &f.Names[i]
		to := n.Forward
		*n = judged(l.names, look{n.Name, q.Client}, policy.NewName)
		n.Forward = to
	}
	to := f.HELO.Forward
	f.HELO = judged(l.helos, look{q.HELO, q.Client}, policy.NewHELO)
	f.HELO.Forward = to
}

// judged is what was judged before, or now.
func judged[T any](known map[look]T, of look, judge func(string, netip.Addr) T) T {
	v, ok := known[of]
	if !ok {
		if v = judge(of.text, of.client); known != nil {
			known[of] = v
		}
	}
	return v
}
