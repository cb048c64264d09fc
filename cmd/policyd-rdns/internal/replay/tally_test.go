package replay

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/recent"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
)

// TestReplayedIsBounded counts more groups, senders and messages than are kept.
func TestReplayedIsBounded(t *testing.T) {
	p := newTally()
	const n = 2*recent.Max + maxGroups
	for i := range n {
		for range 2 { // recipients
			p.add(&judged{
				at: week.Begins.Add(time.Duration(i) * time.Second), message: uint64(i + 1), change: newlyRejected,
				after: ruling{policy.Reject, "r"}, clients: fmt.Sprint(i), sender: fmt.Sprint(i),
			})
		}
	}
	c := p.changes[newlyRejected]
	if p.messages != n || c.messages != n || c.decisions != 2*n {
		t.Errorf("%d messages, %d of the change with %d decisions; want %d, %d, %d", p.messages, c.messages, c.decisions, n, n, 2*n)
	}
	if len(c.groups) != maxGroups || c.others == nil || c.others.messages != n-maxGroups || len(c.others.senders) != maxSenders || !c.others.more {
		t.Errorf("%d groups and others %+v; want %d, and the rest", len(c.groups), c.others, maxGroups)
	}
	if got := c.others.sendersText(); strings.Count(got, ",") != 3 || !strings.HasSuffix(got, ", ...") {
		t.Errorf("senders %q; want three and more", got)
	}
}
