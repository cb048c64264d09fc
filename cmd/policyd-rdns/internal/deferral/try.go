package deferral

import (
	"hash/maphash"
	"net/netip"
	"slices"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// ending is how a message was last answered, the gravest last.
type ending uint8

const (
	passed ending = iota
	deferred
	rejected
)

// maxParties bounds the parties of one client: its address, its /64, its organisation,
// its HELO, and the one that the log names.
const maxParties = 5

// Try is one recipient of a message at one try. Its rule shares the memory of the record.
type Try struct {
	at       int64  // milliseconds since 1970
	instance uint64 // the same for all recipients; 0: not known
	mail     uint64 // the same for one sender's domain and recipient
	parties  [maxParties]uint64
	n        int // of parties
	ending   ending
	waiting  bool // it is deferred by a reject that waits
	rule     string
}

// Deferred reports whether the client was told to come again.
func (t *Try) Deferred() bool { return t.ending == deferred }

// Seed is that of the hashes by which tries are told apart. It may be used by several
// goroutines at once.
type Seed struct{ seed maphash.Seed }

// NewSeed is one that nobody can guess.
func NewSeed() Seed { return Seed{maphash.MakeSeed()} }

// Try makes a try of a decision; ok: it was about a recipient. What the client is
// remembered by is taken from Facts.Parties. It does not allocate, unless what strangers
// wrote is very long.
func (s Seed) Try(r *journal.Record) (t Try, ok bool) {
	q, d := &r.Request, &r.Decision
	if q.Recipient == "" || !q.Client.IsValid() || !q.Messages() {
		return t, false
	}
	t.at, t.rule, t.waiting = q.Time.UnixMilli(), d.Rule, d.Waiting > 0
	switch {
	case d.Action.Permanent():
		t.ending = rejected
	case d.Action.Refuses():
		t.ending = deferred
	}
	if q.Instance != "" {
		t.instance = max(maphash.String(s.seed, q.Instance), 1)
	}
	var buf [600]byte
	t.mail = maphash.Bytes(s.seed, appendLower(append(appendLower(buf[:0], q.SenderDomain()), 0), q.Recipient))
	t.add(maphash.Bytes(s.seed, q.Client.AppendTo(buf[:0])))
	if q.Client.Is6() {
		network := netip.PrefixFrom(q.Client, 64).Masked()
		t.add(maphash.Bytes(s.seed, network.AppendTo(buf[:0])))
	}
	for _, name := range [...]string{r.Facts.Parties.Organisation, r.Facts.Parties.HELO, r.Facts.Past.Party} {
		if name != "" {
			t.add(maphash.Bytes(s.seed, appendLower(buf[:0], name)))
		}
	}
	return t, true
}

func (t *Try) add(party uint64) {
	if !slices.Contains(t.parties[:t.n], party) {
		t.parties[t.n] = party
		t.n++
	}
}

// appendLower appends a text in lower case, of ASCII.
func appendLower(to []byte, text string) []byte {
	for _, c := range []byte(text) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		to = append(to, c)
	}
	return to
}

// Parties are what a client of a log is remembered by, for [Seed.Try]: what rules would
// have remembered of it.
func Parties(rules *policy.Rules, r *journal.Record) policy.Parties {
	p, _ := rules.Parties(&r.Request, &r.Facts)
	return p
}
