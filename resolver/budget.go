package resolver

import (
	"fmt"
	"sync/atomic"
)

// Budget bounds what one decision may cost others: the queries sent for it,
// each message counted, retries and TCP included. Who owns a client's zones
// chooses how many names and aliases there are to follow. It may be used by
// several lookups at once. The nil Budget has no bound.
type Budget struct {
	left atomic.Int64
	size int64
}

// NewBudget allows n queries.
func NewBudget(n int) *Budget {
	b := &Budget{size: int64(n)}
	b.left.Store(int64(n))
	return b
}

// Sent is how many queries the budget has paid for so far.
func (b *Budget) Sent() int {
	if b == nil {
		return 0
	}
	return int(b.size - max(b.left.Load(), 0))
}

// spend takes one query from the budget, or is an error if there is none left.
func (b *Budget) spend() error {
	if b == nil || b.left.Add(-1) >= 0 {
		return nil
	}
	return &budgetError{b.size}
}

// budgetError is the trouble of one caller alone: it says nothing about the
// name, so it is neither cached nor handed to others with the same query.
type budgetError struct{ size int64 }

func (e *budgetError) Error() string {
	return fmt.Sprintf("more than %d queries for one decision", e.size)
}
