package postfix

import (
	"strconv"
	"strings"
	"testing"
	"time"
)

// More connections than file descriptors: those that have one are answered,
// the others are when there are descriptors again, and the server does not
// spend the time between in trying.
func TestServeDescriptors(t *testing.T) {
	onEngines(t, func(t *testing.T, on engineKind) {
		if testing.Short() {
			t.Skip("takes seconds")
		}
		const limit, clients, failures = 128, 300, 8
		p := startProcess(t, settings{Engines: on, Files: limit})
		kept := p.dial()
		kept.wantAnswer("kept")

		before, begun := p.account(), time.Now()
		var waiting []*client
		for i := range clients {
			c := p.dial()
			defer c.Close()
			c.patiently()
			c.send(helo(strconv.Itoa(i)))
			waiting = append(waiting, c)
		}
		after := p.account()
		for tick := time.Tick(20 * time.Millisecond); after.Stats.AcceptFailures < failures; after = p.account() {
			<-tick
			kept.wantAnswer("kept")
		}
		elapsed := time.Since(begun)
		if got := after.Stats.Open; got < limit/2 || got > limit {
			t.Errorf("%d connections are open; want most of %d", got, limit)
		}
		if want := 635 * time.Millisecond; elapsed < want { // seven pauses between, of 5 ms, 10 ms, 20 ms …
			t.Errorf("%d tries to accept in %v; want pauses of %v", after.Stats.AcceptFailures, elapsed, want)
		}
		if got := after.CPU - before.CPU; got > elapsed/2 {
			t.Errorf("%v of processor time were spent in %v; want next to nothing", got, elapsed)
		}
		t.Logf("%d connections open, %d tries and %v of processor time in %v",
			after.Stats.Open, after.Stats.AcceptFailures, after.CPU-before.CPU, elapsed)

		for i, c := range waiting { // in the order in which they came
			c.patiently()
			c.want("INFO " + strconv.Itoa(i))
			c.Close()
		}
		kept.wantAnswer("kept")
		p.stop()
		if n := strings.Count(p.log.String(), "too many open files"); n != 1 {
			t.Errorf("the log has %d lines of too many open files; want 1: %s", n, p.tail())
		}
	})
}
