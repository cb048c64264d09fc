package replay

import (
	"fmt"
	"io"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
)

// mailCounts is what is told of Postfix's logs beside the decisions.
type mailCounts struct {
	accepted   int // recipients
	refused    int
	deferred   int
	unfinished int
	forwarded  int
	noHELO     int // accepted, HELO not logged
	noRcpt     int // accepted, recipient not logged
	unlearnt   int // accepted, DNS could not say
	queried    int // clients
	news       news
}

// add counts an attempt.
func (c *mailCounts) add(a *maillog.Attempt) {
	switch {
	case a.Forwarded:
		c.forwarded++
	case a.Outcome == maillog.Refused:
		c.refused++
	case a.Outcome == maillog.Deferred:
		c.deferred++
	case a.Outcome == maillog.Unfinished:
		c.unfinished++
	default:
		c.accepted++
		if !a.HELO.Known {
			c.noHELO++
		}
		if !a.Recipient.Known {
			c.noRcpt++
		}
	}
}

// print writes what the logs held, and what they did not.
func (c *mailCounts) print(w io.Writer) {
	fmt.Fprintf(w, "recipients: %d accepted, %d refused, %d deferred by Postfix\n", c.accepted, c.refused, c.deferred)
	fmt.Fprintf(w, "left out:   %d of messages that came to no end, %d that came back from a content filter\n", c.unfinished, c.forwarded)
	fmt.Fprintf(w, "not logged: the HELO for %d, the recipient for %d of those accepted\n", c.noHELO, c.noRcpt)
	fmt.Fprintf(w, "DNS:        %s looked up as they are today", plain.Plural(c.queried, "client"))
	if c.unlearnt > 0 {
		fmt.Fprintf(w, "; for %s the DNS could not say, and nothing is held against them", plain.Plural(c.unlearnt, "recipient"))
	}
	fmt.Fprintf(w, "\n\n")
}

func (c *mailCounts) jsonValue() any {
	return map[string]any{
		"accepted": c.accepted, "refused": c.refused, "deferred": c.deferred, "unfinished": c.unfinished,
		"forwarded": c.forwarded, "no_helo": c.noHELO, "no_recipient": c.noRcpt, "not_learnt": c.unlearnt, "clients": c.queried,
		"accepted_clients": c.news.jsonValue(),
	}
}

// whenText is the time of the first or the last decision.
func whenText(t time.Time, place *time.Location) string {
	if t.IsZero() {
		return "?"
	}
	return t.In(place).Format(minute)
}
