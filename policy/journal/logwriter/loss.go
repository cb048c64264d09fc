package logwriter

import (
	"errors"
	"time"
)

// Loss tells of lines that a Writer could not write.
type Loss struct {
	// Lines that were lost since writing last worked, those told before
	// included.
	Lines int
	// Err is the reason for the last of them.
	Err error
	// Over: writing works again.
	Over bool
}

// errTooMany is why a line is dropped while others wait.
var errTooMany = errors.New("the log takes lines more slowly than they come")

// lossTold is the time between two messages about one trouble.
const lossTold = time.Minute

// lossState is what a Writer knows of the lines it is losing.
type lossState struct {
	lines int
	err   error
	told  time.Time // the last message; zero: none since writing last worked
	known int       // lines that the last message told of
}

// lose counts lines that are lost, and tells of them if it is time.
func (w *Writer) lose(lines int, err error) {
	if lines == 0 {
		return
	}
	w.mu.Lock()
	s := &w.loss
	s.lines += lines
	w.lost += uint64(lines)
	s.err = err
	now := time.Now()
	due := s.told.IsZero() || now.Sub(s.told) >= lossTold
	if due {
		s.told, s.known = now, s.lines
	}
	loss := Loss{Lines: s.lines, Err: s.err}
	w.mu.Unlock()
	if due && w.onLoss != nil {
		w.onLoss(loss)
	}
}

// endLoss reports that writing works again, or that it has ended with lines lost
// that nobody has been told of.
func (w *Writer) endLoss(well bool) {
	w.mu.Lock()
	s := w.loss
	w.loss = lossState{}
	w.mu.Unlock()
	if s.lines > 0 && (well || s.lines > s.known) && w.onLoss != nil {
		w.onLoss(Loss{Lines: s.lines, Err: s.err, Over: well})
	}
}

// Stats is what became of a [Writer]'s lines.
type Stats struct {
	Lost    uint64 // lines, ever
	Losing  bool   // lines were lost since writing last worked
	Pending int    // bytes that wait to be written
}

// Stats may be called at any time.
func (w *Writer) Stats() Stats {
	w.mu.Lock()
	defer w.mu.Unlock()
	return Stats{Lost: w.lost, Losing: w.loss.lines > 0, Pending: len(w.pending)}
}
