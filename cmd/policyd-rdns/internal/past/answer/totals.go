package answer

import (
	"context"
	"fmt"
	"time"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/postfix"
)

// Total is how many parties of one kind are remembered.
type Total struct {
	Parties  int `json:"parties"`
	Known    int `json:"known"`
	Returned int `json:"returned"` // and not known
	Objected int `json:"objected"` // in a series that is not over
}

// Totals are those of the kinds, of which one that is not there is of nobody.
type Totals map[byte]Total

// Kinds are the kinds of parties, in the order in which they are told.
func Kinds() []byte {
	return []byte{history.KindAddress, history.KindNetwork, history.KindOrganisation, history.KindHELO, history.KindSender, history.KindCorrespondent}
}

// Add counts a party as it is at a time.
func (t Totals) Add(p history.Party, r *history.Record, s *history.Settings, now time.Time) {
	at := r.At(history.MomentOf(now), s)
	if at.Empty() {
		return
	}
	of := t[p.Kind()]
	of.Parties++
	switch {
	case at.Known():
		of.Known++
	case at.Returned != 0:
		of.Returned++
	}
	if at.Objected != 0 {
		of.Objected++
	}
	t[p.Kind()] = of
}

// totals answers how many are remembered, a kind a line.
func totals(ctx context.Context, keeper Lister, s *history.Settings, now time.Time) (all []postfix.Attribute) {
	t := Totals{}
	if err := keeper.Each(ctx, func(p history.Party, r *history.Record) { t.Add(p, r, s, now) }); err != nil {
		return failed(err)
	}
	for _, kind := range Kinds() {
		n := t[kind]
		all = append(all, postfix.Attribute{Name: "total_" + string(rune(kind)), Value: fmt.Sprint(n.Parties, n.Known, n.Returned, n.Objected)})
	}
	return all
}

// ReadTotals reads the answer of how many are remembered.
func ReadTotals(answer map[string]string) (Totals, error) {
	t := Totals{}
	for _, kind := range Kinds() {
		var n Total
		value := answer["total_"+string(rune(kind))]
		if _, err := fmt.Sscanf(value, "%d %d %d %d", &n.Parties, &n.Known, &n.Returned, &n.Objected); err != nil {
			return nil, fmt.Errorf("the daemon's answer is of another version: %.60q", value)
		}
		t[kind] = n
	}
	return t, nil
}
