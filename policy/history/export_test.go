package history

import "context"

// Tick does what Run does every second.
func (h *History) Tick(ctx context.Context) {
	if h.store != nil {
		h.Probe(ctx)
		h.flush(ctx)
	}
}

// Dirty is how many hashes of parties are kept that are to be written.
func (h *History) Dirty() int { return len(h.dirty) }
