package status

import (
	"bytes"
	"time"

	"policyd-rdns/policy/journal"
)

// Recall takes the decisions of the end of a decision log, as if they were made now, those
// of the last day: so the page survives a restart. It is called before the first Keep. What
// is no decision, or is damaged, is passed over.
func (p *Page) Recall(text []byte) (decisions int) {
	if p == nil {
		return 0
	}
	since := p.now().Add(-dayMinutes * time.Minute)
	for line := range bytes.Lines(text) {
		r, err := journal.Parse(line)
		if err != nil || r.ID == "" || r.Request.Time.Before(since) || r.Request.Time.After(p.now()) {
			continue
		}
		p.Keep(&r, line)
		decisions++
		if p.since.IsZero() || r.Request.Time.Before(p.since) {
			p.since = r.Request.Time
		}
	}
	return decisions
}
