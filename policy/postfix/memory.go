package postfix

import "sync/atomic"

// Memory is the bound on what unfinished requests take over all connections:
// on the buffers of the [Reader]s that share it, but for the first 4 KiB of
// each, which hold an ordinary request and are bounded by the number of
// connections. A nil *Memory bounds nothing. It is safe for concurrent use.
type Memory struct {
	limit int64 // bytes
	used  atomic.Int64
}

// NewMemory returns a Memory of limit bytes. With 0 or less no request may
// exceed 4 KiB.
func NewMemory(limit int64) *Memory {
	return &Memory{limit: limit}
}

// take charges n bytes, unless that would exceed the bound.
func (m *Memory) take(n int) bool {
	if m == nil {
		return true
	}
	if m.used.Add(int64(n)) > m.limit {
		m.used.Add(int64(-n))
		return false
	}
	return true
}

// give returns n bytes that were taken.
func (m *Memory) give(n int) {
	if m != nil {
		m.used.Add(int64(-n))
	}
}
