package zone

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"golang.org/x/net/dns/dnsmessage"
)

// Counts is what a Zone was sent and what it did. Queries are counted once
// for each message, repeated ones too.
type Counts struct {
	UDP, TCP              uint64 // messages
	PTR, A, AAAA, Other   uint64 // queries, by type
	Lost                  uint64 // datagrams that got no reply
	Servfail, Truncated   uint64 // replies
	WorstLateMicroseconds uint64 // of a reply, beyond the delay
}

const countsFormat = "udp=%d tcp=%d ptr=%d a=%d aaaa=%d other=%d lost=%d servfail=%d truncated=%d worst_late_us=%d"

// String is the counts as key=value.
func (c Counts) String() string {
	return fmt.Sprintf(countsFormat, c.UDP, c.TCP, c.PTR, c.A, c.AAAA, c.Other, c.Lost, c.Servfail, c.Truncated, c.WorstLateMicroseconds)
}

// ParseCounts reads what String writes.
func ParseCounts(text string) (Counts, error) {
	var c Counts
	_, err := fmt.Fscanf(strings.NewReader(text), countsFormat,
		&c.UDP, &c.TCP, &c.PTR, &c.A, &c.AAAA, &c.Other, &c.Lost, &c.Servfail, &c.Truncated, &c.WorstLateMicroseconds)
	if err != nil {
		return Counts{}, fmt.Errorf("counts %.60q: %w", text, err)
	}
	return c, nil
}

// Queries are all of them.
func (c Counts) Queries() uint64 { return c.PTR + c.A + c.AAAA + c.Other }

// counts are Counts as they grow.
type counts struct {
	udp, tcp, ptr, a, aaaa, other, lost, servfail, truncated, late atomic.Uint64
}

func (c *counts) query(t dnsmessage.Type, stream bool) {
	if stream {
		c.tcp.Add(1)
	} else {
		c.udp.Add(1)
	}
	switch t {
	case dnsmessage.TypePTR:
		c.ptr.Add(1)
	case dnsmessage.TypeA:
		c.a.Add(1)
	case dnsmessage.TypeAAAA:
		c.aaaa.Add(1)
	default:
		c.other.Add(1)
	}
}

// Counts are those from the beginning until now.
func (z *Zone) Counts() Counts {
	c := &z.counts
	return Counts{
		UDP: c.udp.Load(), TCP: c.tcp.Load(), PTR: c.ptr.Load(), A: c.a.Load(), AAAA: c.aaaa.Load(), Other: c.other.Load(),
		Lost: c.lost.Load(), Servfail: c.servfail.Load(), Truncated: c.truncated.Load(), WorstLateMicroseconds: c.late.Load(),
	}
}

func (z *Zone) statsReply(reply []byte, head dnsmessage.Header, q dnsmessage.Question) ([]byte, error) {
	b := dnsmessage.NewBuilder(reply, head)
	if err := question(&b, q); err != nil {
		return nil, err
	}
	r := dnsmessage.ResourceHeader{Name: q.Name, Class: q.Class}
	return finish(&b, errors.Join(b.StartAnswers(), b.TXTResource(r, dnsmessage.TXTResource{TXT: []string{z.Counts().String()}})))
}
