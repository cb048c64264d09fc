package report

import "time"

// mail is one sender's mail to one recipient, that is tried again.
type mail struct {
	key         uint64
	tries       int
	first, last time.Time
	begin, gap  time.Duration // the first interval, and the last one
	shrank      bool          // an interval was much shorter than the one before
}

const (
	// patience is the least interval of a mail queue: Postfix has
	// minimal_backoff_time = 300s, and others are slower (RFC 5321 section
	// 4.5.4.1: 30 minutes).
	patience = 4 * time.Minute
	// persistence is how long a queue has tried before that counts.
	persistence = time.Hour
)

// again notes a try.
func (m *mail) again(at time.Time) {
	gap := at.Sub(m.last)
	if gap <= 0 {
		return
	}
	m.tries++
	m.last = at
	m.shrank = m.shrank || gap < patience || gap < m.gap/2
	if m.tries == 2 {
		m.begin = gap
	}
	m.gap = gap
}

// queued reports whether it was tried as a mail queue does: for hours, at intervals
// that grow.
func (m *mail) queued() bool {
	return m.tries >= 3 && !m.shrank && m.last.Sub(m.first) >= persistence && m.gap >= m.begin*3/2
}

// try notes a try of a mail.
func (c *candidate) try(key uint64, at time.Time) {
	for i := range c.mails {
		if c.mails[i].key == key {
			c.mails[i].again(at)
			return
		}
	}
	if len(c.mails) < maxMails {
		c.mails = append(c.mails, mail{key: key, tries: 1, first: at, last: at})
	}
}
