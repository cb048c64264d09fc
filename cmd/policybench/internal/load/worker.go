package load

import (
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// worker drives its share of the connections from one thread. Times are in
// nanoseconds since the run began.
type worker struct {
	*measurement
	id    int
	peers []peer
	idle  queue // of those with no request under way; open loop only

	warm, end, drained int64 // the window; and when all is given up

	issued    uint64 // requests sent, and so the next one's number among ours
	underway  int
	exhausted bool // the source has no more

	begun, ended mark // of the window; the first worker's only

	latency   *hdrhistogram.Histogram // of those meant to be sent within the window
	completed int64                   // within the window
	answered  int64                   // in all
	actions   actions
	errors    [numFailures]int64

	request []byte
	loop
}

// peer is one connection.
type peer struct {
	fd   int
	busy bool  // a request is under way
	idle bool  // it is in the queue
	due  int64 // when the request under way was meant to be sent
	sent int64 // when it was
	got  int   // of its reply, in bytes
	buf  []byte
}

// failure is why a request has no reply, or a connection had to be made anew.
type failure int

const (
	failClosed  failure = iota // the server closed the connection
	failReply                  // what it sent is no reply
	failTimeout                // nothing came in time
	failSend                   // the request could not be written
	failConnect                // no new connection
	numFailures
)

func (f failure) String() string {
	return [numFailures]string{"closed", "no reply", "timeout", "not sent", "not connected"}[f]
}

func (m *measurement) worker(id int) *worker {
	w := &worker{
		measurement: m, id: id,
		warm:    int64(m.Warmup),
		end:     int64(m.Warmup + m.Duration),
		drained: int64(m.Warmup + m.Duration + m.Timeout),
		latency: hdrhistogram.New(1, longest, digits),
		actions: actions{},
		request: make([]byte, 0, 4<<10),
	}
	n := m.Connections / m.Threads
	if id < m.Connections%m.Threads {
		n++
	}
	w.peers = make([]peer, n)
	for i := range w.peers {
		w.peers[i] = peer{fd: -1, buf: make([]byte, maxReply)}
	}
	return w
}

func (w *worker) now() int64 { return int64(time.Since(w.begin)) }

// dueAt is when our request i is meant to be sent, in an open loop. The workers
// take turns.
func (w *worker) dueAt(i uint64) int64 {
	return int64((float64(i)*float64(w.Threads) + float64(w.id)) / w.Rate * float64(time.Second))
}

// next makes the next request.
func (w *worker) next() (ok bool) {
	w.request, ok = w.Source.Append(w.request[:0], w.issued*uint64(w.Threads)+uint64(w.id))
	if !ok {
		w.exhausted = true
		return false
	}
	w.issued++
	return true
}

// over says whether there is nothing left to send or to wait for.
func (w *worker) over(now int64) bool {
	if now >= w.drained || w.stopped.Load() {
		return true
	}
	if w.underway > 0 {
		return false
	}
	return w.exhausted || now >= w.end && (w.Rate == 0 || w.dueAt(w.issued) >= w.end)
}

// unsent is how many requests were meant to be sent and were not.
func (w *worker) unsent() int64 {
	if w.Rate == 0 || w.exhausted {
		return 0
	}
	n := int64(0)
	for i := w.issued; w.dueAt(i) < w.end; i++ {
		n++
	}
	return n
}

// take takes a whole reply.
func (w *worker) take(p *peer, action []byte, now int64) {
	w.answered++
	if w.warm <= now && now < w.end {
		w.completed++
	}
	if w.warm <= p.due && p.due < w.end {
		// What is beyond the histogram is the longest it knows.
		_ = w.latency.RecordValue(min(now-p.due, longest))
		w.actions.add(action)
	}
}

// watch marks the window. It belongs to the loop, so that what is counted and
// what is measured begin and end together, however late a thread is.
func (w *worker) watch(now int64, over bool) {
	if w.id != 0 {
		return
	}
	if w.begun.at == 0 && (now >= w.warm || over) {
		w.begun = w.mark(now)
	}
	if w.ended.at == 0 && (now >= w.end || over) {
		w.ended = w.mark(now)
	}
}

// queue is a ring of connections: who waited longest is taken first, so that all
// have their turn.
type queue struct {
	ring  []int32
	first int
	size  int
}

func (q *queue) push(i int32) {
	q.ring[(q.first+q.size)%len(q.ring)] = i
	q.size++
}

func (q *queue) pop() int32 {
	i := q.ring[q.first]
	q.first = (q.first + 1) % len(q.ring)
	q.size--
	return i
}
