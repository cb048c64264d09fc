// Package history remembers who came before, by parties: the address of a client, its
// /64, the organisation of its confirmed names, its HELO. What helps a client is noted of
// all its parties and found in any; what harms, a series of objections, is of its address
// alone. It is judged by package policy, whose Past is what a History tells.
//
// Memory is in front; a [Store], if there is one, is written behind, in batches. What the
// store cannot tell in time the memory tells: a store that is down, slow, full or damaged
// costs at most one more deferral.
package history

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dchest/siphash"

	"policyd-rdns/policy"
)

const (
	// loadTime is how long a decision waits for the store, and probeTime how long the
	// store has to answer what nobody waits for.
	loadTime  = 50 * time.Millisecond
	probeTime = 2 * time.Second
	// flushTime is how often what is new is written, and at most so many parties at
	// once.
	flushTime = time.Second
	batch     = 1000
	// maxLost bounds the parties that memory had to forget before they were written.
	maxLost = 10_000
	// mostLate is how many decisions may wait in vain before the store counts as one that
	// does not answer: for each a client may be told to come again.
	mostLate = 3
	// tellTime is how often it is told that the store does not answer.
	tellTime = time.Minute
)

// Options are what a history is made of.
type Options struct {
	Settings
	Entries int   // parties in memory, at most
	Store   Store // nil: memory alone
	// Patience is how long a decision waits for the store; 0: 50 ms.
	Patience time.Duration
	Log      *slog.Logger
}

// History remembers parties. It is safe for concurrent use. Nil: nothing is remembered.
type History struct {
	store    Store
	patience time.Duration
	shared   bool
	log      *slog.Logger
	clock    func() time.Time

	settings atomic.Pointer[Settings]
	key      atomic.Pointer[Key]
	well     atomic.Bool // the store answered when it was last asked
	told     atomic.Bool // that it does not
	toldAt   time.Time
	late     atomic.Int32 // decisions that did not wait for it any more, one after the other
	lateAt   atomic.Int64 // when the last of them gave up, in nanoseconds of the clock

	enforced atomic.Uint32 // when it was last told that rules are enforced from now on

	mu             sync.Mutex
	memory         *memory
	dirty          []uint64 // hashes of what is to be written
	lost           []Stored // was dirty when it had to go
	correspondents atomic.Int64

	saving    sync.Mutex // one batch at a time
	telling   sync.Mutex
	lastError error // of the store; held by telling
}

// New makes a history. Run writes behind.
func New(o Options) *History {
	h := &History{store: o.Store, patience: cmp.Or(o.Patience, loadTime), log: o.Log, clock: Clock(), memory: newMemory(max(o.Entries, 16))}
	h.settings.Store(&o.Settings)
	var key Key
	_, _ = rand.Read(key[:]) // never fails
	h.key.Store(&key)
	h.memory.evicted = h.evicted
	if h.store != nil {
		h.shared = h.store.Shared()
	}
	return h
}

// Set has another delay hold from now on, and another bound of the memory. How long what is
// remembered counts is the store's matter too, and stays.
func (h *History) Set(delay time.Duration, entries int) {
	s := *h.settings.Load()
	s.Delay = delay
	h.settings.Store(&s)
	h.mu.Lock()
	defer h.mu.Unlock()
	h.memory.most = max(entries, 16)
	for h.memory.len() > h.memory.most {
		h.memory.evict()
	}
	h.memory.leaveRoom()
}

// Enforced notes that rules are enforced from now on, which were only observed: series of
// objections from before begin anew.
func (h *History) Enforced() { h.enforced.Store(uint32(h.now())) }

// Clock is the time that history and its stores go by: the wall clock as it is now, and
// as much as has passed since. A wall clock that jumps makes nobody known or new.
func Clock() func() time.Time {
	begun := time.Now() // with a monotonic reading
	return func() time.Time { return begun.Add(time.Since(begun)) }
}

func (h *History) now() Moment { return MomentOf(h.clock()) }

// asked are the parties of one client, by their hashes in memory; 0: there is none.
type asked struct {
	hash [numParties]uint64
	wide uint64 // hash of the network that bounds them
}

// The parties of a client, by what they help with: the best comes first.
const (
	ofAddress = iota
	ofNetwork
	ofOrganisation
	ofHELO
	numParties
)

func (h *History) ask(client netip.Addr, p *policy.Parties) (a asked) {
	m := h.memory
	wide, narrow := networks(client)
	a.hash[ofAddress] = m.hashAddr(KindAddress, client)
	a.wide = m.hashAddr(0, wide.Addr())
	if narrow.IsValid() {
		a.hash[ofNetwork] = m.hashAddr(KindNetwork, narrow.Addr())
	}
	if p.Organisation != "" {
		a.hash[ofOrganisation] = m.hashName(KindOrganisation, p.Organisation)
	}
	if p.HELO != "" {
		a.hash[ofHELO] = m.hashName(KindHELO, p.HELO)
	}
	return a
}

// party is the text of one of a client's parties.
func party(which int, client netip.Addr, p *policy.Parties) Party {
	switch which {
	case ofAddress:
		return MakeParty(KindAddress, client.String())
	case ofNetwork:
		_, narrow := networks(client)
		return MakeParty(KindNetwork, narrow.String())
	case ofOrganisation:
		return MakeParty(KindOrganisation, p.Organisation)
	}
	return MakeParty(KindHELO, p.HELO)
}

// Begin is policy/gather's History.
func (h *History) Begin(req *policy.Request, p *policy.Parties, nearby bool) (past policy.Past, wait func(context.Context) policy.Past) {
	a := h.ask(req.Client, p)
	past, whole := h.recall(req, &a)
	switch {
	case whole:
		return past, nil
	case !h.well.Load():
		past.Unsure = true
		return past, nil
	case nearby:
		return policy.Past{}, nil
	}
	return policy.Past{}, h.wait(*req, *p, a)
}

// wait asks the store, and gives how to wait for it.
func (h *History) wait(req policy.Request, parties policy.Parties, a asked) func(context.Context) policy.Past {
	loaded := make(chan bool, 1)
	go func() { loaded <- h.load(req.Client, &parties, &a) }()
	return func(ctx context.Context) policy.Past {
		sure := answered(ctx, loaded)
		past, whole := h.recall(&req, &a)
		past.Unsure = !sure && !whole
		return past
	}
}

// answered waits for the store, and reports whether it answered.
func answered(ctx context.Context, loaded <-chan bool) bool {
	select {
	case ok := <-loaded:
		return ok
	case <-ctx.Done():
		return false
	}
}

// recall is what memory has of a client's parties together. whole: the store has no more
// that matters.
func (h *History) recall(req *policy.Request, a *asked) (past policy.Past, whole bool) {
	now := h.now()
	all := h.together(req, a, now)
	past.Asked = true
	if all.by == "" {
		return past, all.whole
	}
	this := req.Time.Truncate(time.Second)
	ago := func(m Moment) time.Time {
		if m == 0 {
			return time.Time{}
		}
		return this.Add(-now.after(m))
	}
	past.Party = all.by.Name()
	past.FirstContact, past.LastContact = ago(all.first), ago(all.last)
	past.LastPass, past.Returned = ago(all.best.LastPass), ago(all.best.Returned)
	if all.best.LastPass != 0 {
		past.PassDays = 1 + int(all.best.LastPass.after(all.best.FirstPass)/passGap)
	}
	if all.lastPass < all.objected {
		past.Objected = ago(max(all.objected, Moment(h.enforced.Load())))
	}
	// Nothing could be better, unless a series is on: another server may have seen its end.
	return past, all.whole || worthOf(&all.best) == known && past.Objected.IsZero()
}

// merged is what memory has of the parties of one client.
type merged struct {
	best                  Record // of the party that tells most
	by                    Party  // which that is; empty: none is remembered
	first, last, lastPass Moment // contacts and pass, of any
	objected              Moment // begin of the series of the address itself
	whole                 bool   // the store has no more
}

// together puts together what memory has of a client's parties at a moment.
func (h *History) together(req *policy.Request, a *asked, now Moment) (all merged) {
	s, message := h.settings.Load(), uint32(0)
	all.whole = h.store == nil || !h.shared
	h.mu.Lock()
	defer h.mu.Unlock()
	for i, hash := range a.hash {
		if hash == 0 {
			continue
		}
		at := h.memory.find(hash)
		if at == nobody {
			all.whole = all.whole && h.store == nil
			continue
		}
		e := h.memory.at(at)
		all.whole = all.whole && !e.partial
		one := &e.Record
		if !one.stands(now, s) {
			counts := one.At(now, s)
			if one = &counts; one.Empty() {
				continue
			}
		}
		if len(one.Deferrals) > 0 && message == 0 {
			message = h.message(req)
		}
		if returns(one, message, now, s) {
			one.comeBack(now) // one that stands has no deferrals: memory is not touched
		}
		if i == ofAddress {
			all.objected = one.Objected
		}
		all.first, all.last, all.lastPass = earlier(all.first, one.FirstContact), max(all.last, one.LastContact), max(all.lastPass, one.LastPass)
		if all.by == "" || worthOf(one) > worthOf(&all.best) {
			all.by, all.best = e.party, *one
		}
	}
	return all
}

// worth is what a party tells for a client.
type worth int8

const (
	strange worth = iota
	oncePassed
	cameBack
	known
)

func worthOf(r *Record) worth {
	switch {
	case r.Known():
		return known
	case r.Returned != 0:
		return cameBack
	case r.LastPass != 0:
		return oncePassed
	}
	return strange
}

// returns reports whether a message is one that a party was deferred for, not too short
// and not too long ago.
func returns(r *Record, message uint32, now Moment, s *Settings) bool {
	for _, d := range r.Deferrals {
		if d.Hash == message && now.after(d.At) >= s.Delay && now.after(d.At) <= s.Window {
			return true
		}
	}
	return false
}

// message is the keyed hash of what a deferral was about; never 0.
func (h *History) message(req *policy.Request) uint32 {
	var buf [600]byte
	text := append(append(append(buf[:0], 'm'), req.SenderDomain()...), 0)
	for _, c := range []byte(req.Recipient) {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		text = append(text, c)
	}
	return uint32(h.hash(text)) | 1
}

func (h *History) hash(text []byte) uint64 {
	key := h.key.Load()
	return siphash.Hash(binary.LittleEndian.Uint64(key[:8]), binary.LittleEndian.Uint64(key[8:]), text)
}
