package journal

// Stats is what became of a [Writer]'s lines.
type Stats struct {
	Lost    uint64 // lines, ever
	Pending int    // bytes that wait to be written
}

// Stats may be called at any time.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Stats{Lost: w.lost, Pending: len(w.pending)}
}
