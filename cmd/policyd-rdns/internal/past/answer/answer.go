// Package answer is what the daemon tells commands of who came before: their queries, its
// answers, and how a command reads them.
package answer

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/postfix"
)

// The queries. Behind a space stands whom they are about, as [history.PartiesOf] takes
// it; Past alone asks for the [Totals].
const (
	Past   = "past"
	Forget = "forget"
	// Correspondent asks of a domain whether users of ours have written to it.
	Correspondent = "correspondent"
)

// Keeper is what remembers.
type Keeper interface {
	// Show is what is remembered of a party, and false if nothing is.
	Show(ctx context.Context, p history.Party) (history.Record, bool)
	// Forget forgets parties, and tells of how many something was remembered.
	Forget(ctx context.Context, parties []history.Party) (int, error)
}

// Lister is a keeper, or a store, that can give all that it remembers.
type Lister interface {
	// Each gives every party with its record, in any order, which are not kept or
	// changed.
	Each(ctx context.Context, each func(p history.Party, r *history.Record)) error
}

// Make answers a query. keeper is nil if nothing is remembered.
func Make(ctx context.Context, keeper Keeper, query string, s *history.Settings, now time.Time) []postfix.Attribute {
	verb, text, _ := strings.Cut(query, " ")
	switch {
	case keeper == nil:
		return failed(errors.New("nothing is remembered, as no rule, no defer_for and no grace asks for it"))
	case text == "" && verb == Past:
		all, ok := keeper.(Lister)
		if !ok {
			return failed(errors.New("how many are remembered is not known"))
		}
		return totals(ctx, all, s, now)
	case text == "":
		return failed(errors.New("want whom to forget"))
	case verb == Correspondent:
		return corresponds(ctx, keeper, text)
	case verb == Past:
		return shown(ctx, keeper, text)
	}
	n, err := keeper.Forget(ctx, history.PartiesOf(text))
	if err != nil {
		return failed(err)
	}
	return []postfix.Attribute{{Name: "forgotten", Value: strconv.Itoa(n)}}
}

// corresponds answers whether a domain is a correspondent: yes or no.
func corresponds(ctx context.Context, keeper Keeper, domain string) []postfix.Attribute {
	var is policy.Sender
	if k, ok := keeper.(interface {
		Sender(domain string, nearby bool) (is policy.Sender, wait func(context.Context) policy.Sender)
	}); ok {
		var wait func(context.Context) policy.Sender
		if is, wait = k.Sender(strings.ToLower(domain), false); wait != nil {
			is = wait(ctx)
		}
	}
	return []postfix.Attribute{{Name: Correspondent, Value: map[bool]string{true: "yes", false: "no"}[is.Correspondent == policy.Yes]}}
}

func failed(err error) []postfix.Attribute {
	return []postfix.Attribute{{Name: "error", Value: err.Error()}}
}

// shown are the records of whom a text stands for: a party, and behind a space its record
// in hexadecimal digits.
func shown(ctx context.Context, keeper Keeper, text string) []postfix.Attribute {
	parties := history.PartiesOf(text)
	all := []postfix.Attribute{{Name: "parties", Value: strconv.Itoa(len(parties))}}
	for i, p := range parties {
		if r, ok := keeper.Show(ctx, p); ok {
			b, _ := r.AppendBinary(nil) // never fails
			all = append(all, postfix.Attribute{Name: name(i), Value: string(p) + " " + hex.EncodeToString(b)})
		}
	}
	return all
}

func name(i int) string { return "party" + strconv.Itoa(i) }

// Records reads the answer of whom a text stands for.
func Records(text string, answer map[string]string) (all []history.Stored, err error) {
	parties := history.PartiesOf(text)
	if answer["parties"] != strconv.Itoa(len(parties)) {
		return nil, errors.New("the daemon's answer is of another version")
	}
	for i, p := range parties {
		value, ok := answer[name(i)]
		if !ok {
			continue
		}
		digits, ok := strings.CutPrefix(value, string(p)+" ")
		b, err := hex.DecodeString(digits)
		s := history.Stored{Party: p}
		if err == nil {
			err = s.Record.UnmarshalBinary(b)
		}
		if err != nil || !ok {
			return nil, fmt.Errorf("the daemon's answer is of another version: %.60q", value)
		}
		all = append(all, s)
	}
	return all, nil
}

// Forgotten reads the answer of whom to forget.
func Forgotten(answer map[string]string) (int, error) {
	n, err := strconv.Atoi(answer["forgotten"])
	if err != nil || n < 0 {
		return 0, fmt.Errorf("the daemon's answer is of another version: %.60q", answer["forgotten"])
	}
	return n, nil
}
