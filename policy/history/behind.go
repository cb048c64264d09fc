package history

import (
	"context"
	"net/netip"
	"slices"
	"time"

	"policyd-rdns/policy"
)

// openTime is how long a start waits for the store.
const openTime = 500 * time.Millisecond

// Open asks the store for the first time, so that who comes first is known. It takes
// openTime at most: a store that needs longer is asked by Run.
func (h *History) Open(ctx context.Context) {
	if h.store == nil {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		h.Probe(ctx)
	}()
	select {
	case <-done:
	case <-time.After(openTime):
	}
}

// Run writes what is new to the store, until ctx ends; then the rest, for probeTime at
// most. Without a store it only waits.
func (h *History) Run(ctx context.Context) {
	if h.store == nil {
		<-ctx.Done()
		return
	}
	tick := time.NewTicker(flushTime)
	defer tick.Stop()
	for {
		h.Probe(ctx)
		h.flush(ctx)
		select {
		case <-ctx.Done():
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), probeTime)
			defer cancel()
			h.flush(ctx)
			return
		case <-tick.C:
		}
	}
}

// Probe sees whether the store is well, if it was not, as Run does by itself.
func (h *History) Probe(ctx context.Context) {
	if h.well.Load() {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	key, err := h.store.Key(ctx)
	if err != nil {
		h.fail(err)
		return
	}
	h.key.Store(&key)
	h.well.Store(true)
	h.telling.Lock()
	defer h.telling.Unlock()
	if h.told.Swap(false) {
		h.log.Info("history: the store answers again", "after", h.lastError)
	}
}

// fail notes that the store is not well, and tells once. Of what follows the last is told
// when it is well again: that a file was set aside, mostly after something else had told
// that it is damaged.
func (h *History) fail(err error) {
	h.well.Store(false)
	h.telling.Lock()
	defer h.telling.Unlock()
	h.lastError = err
	if now := time.Now(); !h.told.Load() && (h.toldAt.IsZero() || now.Sub(h.toldAt) >= tellTime) {
		h.told.Store(true)
		h.toldAt = now
		h.log.Warn("history: the store does not answer, and is done without until it does: what is remembered is in memory alone", "error", err)
	}
}

// flush writes what is new, in batches. What comes while the last one is written is for the
// next flush.
func (h *History) flush(ctx context.Context) {
	h.saving.Lock()
	defer h.saving.Unlock()
	for h.well.Load() {
		records := h.take()
		if len(records) == 0 {
			return
		}
		timed, cancel := context.WithTimeout(ctx, probeTime)
		err := h.store.Save(timed, records)
		cancel()
		if err != nil {
			h.putBack(records)
			if ctx.Err() == nil {
				h.fail(err)
			}
			return
		}
		if !h.shared {
			h.complete(ctx, records)
		}
		if len(records) < batch {
			return
		}
	}
}

// complete reads what the store had before of parties that were written just now.
func (h *History) complete(ctx context.Context, records []Stored) {
	var parties []Party
	h.mu.Lock()
	for _, s := range records {
		hash, _ := h.memory.hashParty(s.Party)
		if i := h.memory.find(hash); i != nobody && h.memory.at(i).partial {
			parties = append(parties, s.Party)
		}
	}
	h.mu.Unlock()
	if len(parties) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	had, err := h.store.Load(ctx, parties)
	if err != nil || len(had) != len(parties) {
		return // they are read when they are needed
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for n := range had {
		hash, _ := h.memory.hashParty(parties[n])
		if i := h.memory.find(hash); i != nobody {
			h.merge(i, &had[n])
		}
	}
}

// take takes a batch of what is to be written.
func (h *History) take() (records []Stored) {
	h.mu.Lock()
	defer h.mu.Unlock()
	records, h.lost = h.lost, nil
	n := min(len(h.dirty), max(batch-len(records), 0))
	for _, hash := range h.dirty[:n] {
		if i := h.memory.find(hash); i != nobody && h.memory.at(i).dirty {
			e := h.memory.at(i)
			e.dirty = false
			records = append(records, Stored{e.party, e.Record})
		}
	}
	h.dirty = h.dirty[:copy(h.dirty, h.dirty[n:])]
	return records
}

// putBack has a batch be written later.
func (h *History) putBack(records []Stored) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, s := range records {
		hash, _ := h.memory.hashParty(s.Party)
		if i := h.memory.find(hash); i != nobody {
			h.mark(h.memory.at(i))
		} else if len(h.lost) < maxLost {
			h.lost = append(h.lost, s)
		}
	}
}

// evicted keeps what memory forgets before it was written.
func (h *History) evicted(e *entry) {
	if e.party.Kind() == KindCorrespondent {
		h.correspondents.Add(-1)
	}
	if e.dirty && len(h.lost) < maxLost {
		h.lost = append(h.lost, Stored{e.party, e.Record})
	}
}

// load reads a client's parties from the store, and reports whether it answered.
func (h *History) load(client netip.Addr, p *policy.Parties, a *asked) bool {
	var parties []Party
	var which []int
	for i, hash := range a.hash {
		if hash != 0 {
			parties, which = append(parties, party(i, client, p)), append(which, i)
		}
	}
	records := h.ofStore(parties)
	if records == nil {
		return false
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for n, i := range which {
		hash := a.hash[i]
		at := h.memory.find(hash)
		if at == nobody {
			if records[n].Empty() {
				continue
			}
			if at = h.add(i, hash, client, p, a); at == nobody {
				continue
			}
		}
		h.merge(at, &records[n])
	}
	return true
}

// ofStore is what the store has of parties; nil: it did not say in time.
func (h *History) ofStore(parties []Party) []Record {
	begun := h.clock()
	ctx, cancel := context.WithTimeout(context.Background(), h.patience)
	defer cancel()
	records, err := h.store.Load(ctx, parties)
	if err != nil || len(records) != len(parties) {
		h.slow(err, begun)
		return nil
	}
	h.late.Store(0)
	return records
}

// merge adds to a party what the store has of it.
func (h *History) merge(i uint32, r *Record) {
	e := h.memory.at(i)
	e.Merge(r, h.settings.Load())
	e.partial = false
	h.memory.classify(i, e.worthKeeping())
}

// slow notes that the store did not answer in the time that a decision has. If it does not
// answer at all the next batch tells.
//
// One who began to wait before another had waited in vain did so for the same stall, such
// as that of a disk, and does not count: of a busy daemon many are.
func (h *History) slow(err error, begun time.Time) {
	last := h.lateAt.Load()
	if err == nil || begun.UnixNano() < last || !h.lateAt.CompareAndSwap(last, h.clock().UnixNano()) {
		return
	}
	if h.late.Add(1) >= mostLate {
		h.late.Store(0)
		h.fail(err)
	}
}

// Show is what is remembered of a party, and false if nothing is.
func (h *History) Show(ctx context.Context, p Party) (r Record, ok bool) {
	s, now := h.settings.Load(), h.now()
	hash, ok := h.memory.hashParty(p)
	if !ok {
		return r, false
	}
	if h.store != nil && h.well.Load() {
		if records, err := h.store.Load(ctx, []Party{p}); err == nil && len(records) == 1 {
			r = records[0]
		}
	}
	h.mu.Lock()
	if i := h.memory.find(hash); i != nobody {
		r.Merge(&h.memory.at(i).Record, s)
	}
	h.mu.Unlock()
	r = r.At(now, s)
	return r, !r.Empty()
}

// Forget forgets parties, in the store too, and tells how many were remembered.
func (h *History) Forget(ctx context.Context, parties []Party) (n int, err error) {
	for _, p := range parties {
		if _, ok := h.Show(ctx, p); ok {
			n++
		}
	}
	h.saving.Lock() // no batch has them under way
	defer h.saving.Unlock()
	h.mu.Lock()
	for _, p := range parties {
		hash, ok := h.memory.hashParty(p)
		if i := h.memory.find(hash); ok && i != nobody {
			if p.Kind() == KindCorrespondent {
				h.correspondents.Add(-1)
			}
			h.memory.remove(i)
		}
	}
	h.lost = slices.DeleteFunc(h.lost, func(s Stored) bool { return slices.Contains(parties, s.Party) })
	h.mu.Unlock()
	if h.store == nil {
		return n, nil
	}
	return n, h.store.Delete(ctx, parties)
}

// State is how a history does.
type State struct {
	Parties    int // in memory
	MaxParties int // that there may be
	// Store reports whether there is a store beside the memory, StoreAnswers whether it
	// did when it was last asked.
	Store        bool
	StoreAnswers bool
}

// State tells how it does.
func (h *History) State() State {
	h.mu.Lock()
	defer h.mu.Unlock()
	return State{h.memory.len(), h.memory.most, h.store != nil, h.well.Load()}
}

// Each calls each for all parties that are remembered: those of the store if it lists
// them, or else those in memory. They may be over.
func (h *History) Each(ctx context.Context, each func(Party, *Record)) error {
	if l, ok := h.store.(interface {
		Each(context.Context, func(Party, *Record)) error
	}); ok && h.well.Load() {
		h.flush(ctx)
		return l.Each(ctx, each)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, i := range h.memory.index {
		e := h.memory.at(i)
		each(e.party, &e.Record)
	}
	return nil
}

// Close ends the store. Run has returned before.
func (h *History) Close() {
	if h.store != nil {
		_ = h.store.Close() // what could not be written is lost
	}
}
