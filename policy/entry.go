package policy

import (
	"fmt"
	"sync"
	"time"
)

// Attributes is a set of keys of a request that entries of rules look at.
type Attributes uint8

// The keys of a request.
const (
	AttrHELO Attributes = 1 << iota
	AttrSender
	AttrRecipient
	AttrAuthenticated
	AttrEncrypted
	AttrContext
	AttrTime
	AttrPast // what is remembered of the client
)

// Standing is what an exemption is worth that rests on an entry.
type Standing uint8

// The standings. The zero value is that of most entries.
const (
	// Proven: it tells who the client is, by its address or the DNS.
	Proven Standing = iota
	// Silent: it tells nothing of the client, as a date does.
	Silent
	// Claimed: it rests on nothing but what the client says of itself.
	Claimed
)

// kind is all that one key of an entry is.
type kind struct {
	key     string
	values  string // that it takes, for the documentation
	example string // one of them
	needs   Attributes
	// standing is what an exemption is worth that rests on it.
	standing Standing
	// ofNames: it is about the client's names in the DNS.
	ofNames bool
	// bare: TOML writes its values without quotes.
	bare bool
	// make makes a condition that has no value yet.
	make func() condition

	// What follows is for those who look for mistakes in rules; each may be nil.

	// implies are the results of a check of which one comes with the values.
	implies func(values []string) (Check, Results)
	// misread says of a value what it does not mean, though it seems to; empty: nothing.
	misread func(value string) string
	// wide says why strangers are among those for whom values hold; empty: they are not.
	wide func(values []string) string
	// end is when a value does not hold any more.
	end func(value string) (time.Time, error)
}

// allKinds are the keys of entries, those that ask for a check first.
var allKinds = sync.OnceValue(func() (all []*kind) {
	for c := range checks {
		all = append(all, checks[c].kind(Check(c)))
	}
	for i := range kinds {
		all = append(all, &kinds[i])
	}
	return all
})

// kindOf is what there is to know about a key; nothing but the key if there is no such.
func kindOf(key string) (k *kind, ok bool) {
	for _, k := range allKinds() {
		if k.key == key {
			return k, true
		}
	}
	return &kind{key: key}, false
}

// An Entry is one line of a rule's table: a key and the values of which one
// has to hold.
type Entry struct {
	Key     string
	Written []string // the values as the administrator wrote them
	values  []string // those that lists in files stand for included
	cond    condition
	want    *wanted // cond, if it is that: most are, and are asked of each request
	kind    *kind
}

// condition is what an entry asks for.
type condition interface {
	// add takes one of its values, or says what is wrong with it.
	add(value string) error
	holds(e *evaluation) holding
}

// holds is how true the entry is of a request.
func (e *Entry) holds(ev *evaluation) holding {
	if ev.req.Unknown|ev.early != 0 { // hardly ever where the daemon is asked
		switch {
		case e.kind.needs&ev.req.Unknown != 0:
			return holds(ev.guess)
		case e.kind.needs&ev.early != 0:
			return holding{truth: Unknown, early: true}
		}
	}
	if e.want != nil {
		return e.want.holds(ev)
	}
	return e.cond.holds(ev)
}

// Needs are the keys of the request that the entry looks at.
func (e *Entry) Needs() Attributes { return e.kind.needs }

// Standing is what an exemption is worth that rests on the entry.
func (e *Entry) Standing() Standing { return e.kind.standing }

// Bare reports whether TOML writes the entry's values without quotes: truth values
// and dates.
func (e *Entry) Bare() bool { return e.kind.bare }

// Implies are the results of a check without one of which the entry does not hold, and
// false if it says nothing of the checks.
func (e *Entry) Implies() (c Check, results Results, ok bool) {
	k := e.kind
	if k.implies == nil {
		return 0, 0, false
	}
	c, results = k.implies(e.values)
	return c, results, true
}

// Misread says of a value that the entry takes what it does not mean, though it seems
// to, and what to write; empty: nothing.
func (e *Entry) Misread(value string) string {
	if e.kind.misread == nil {
		return ""
	}
	return e.kind.misread(value)
}

// Wide says why strangers are among those for whom the entry holds, by the million;
// empty: they are not.
func (e *Entry) Wide() string {
	if e.kind.wide == nil {
		return ""
	}
	return e.kind.wide(e.values)
}

// Dated reports whether the entry asks for nothing but a time.
func (e *Entry) Dated() bool { return e.kind.needs == AttrTime }

// End is when an entry that asks for a time does not hold any more; ok: it is one.
func (e *Entry) End() (last time.Time, ok bool) {
	if e.kind.end == nil {
		return last, false
	}
	for _, v := range e.values {
		if end, err := e.kind.end(v); err == nil && end.After(last) {
			last = end
		}
	}
	return last, true
}

// A ValueError says what is wrong with one value of an entry.
type ValueError struct {
	Index int // of the value
	Err   error
}

// Error is the text of the error alone: it names the value itself.
func (e ValueError) Error() string { return e.Err.Error() }

// EntryKeys lists the keys that an entry may have.
func EntryKeys() []string {
	var keys []string
	for _, k := range allKinds() {
		keys = append(keys, k.key)
	}
	return keys
}

// EntryValues says in words which values an entry of a key takes.
func EntryValues(key string) string {
	k, _ := kindOf(key)
	return k.values
}

// EntryExample is one value that an entry of a key takes.
func EntryExample(key string) string {
	k, _ := kindOf(key)
	return k.example
}

// NewEntry makes an entry of a key and its values, every one of them checked:
// truth values are "true" or "false", dates "2027-03-31". The values of key
// "@file" lists must have been read already; Written is what they were read
// for. An unknown key is the caller's to report: see [EntryKeys].
func NewEntry(key string, values, written []string) (Entry, []ValueError) {
	k, ok := kindOf(key)
	if !ok {
		return Entry{Key: key, Written: written, kind: k}, []ValueError{{0, fmt.Errorf("unknown key %.60q", key)}}
	}
	e := Entry{Key: key, Written: written, values: values, cond: k.make(), kind: k}
	e.want, _ = e.cond.(*wanted)
	var errs []ValueError
	for i, v := range values {
		if err := e.cond.add(v); err != nil {
			errs = append(errs, ValueError{i, err})
		}
	}
	return e, errs
}
