package trial

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/net/dns/dnsmessage"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/zone"
)

// worldKind is a DNS that a daemon of the run is pointed to.
type worldKind struct {
	mix   crowd.Mix
	delay time.Duration
}

// world is one that runs.
type world struct {
	*program
	crowd crowd.Crowd
}

// seed is that of the whole run.
const seed = 1

// world starts a DNS, or gives the one that runs.
func (t *trial) world(ctx context.Context, kind worldKind) (*world, error) {
	if w := t.worlds[kind]; w != nil {
		return w, nil
	}
	p, err := startProgram(ctx, "world", nil, t.options.Bench, "world",
		"--mix", kind.mix.String(), "--delay", kind.delay.String(), "--seed", fmt.Sprint(seed))
	if err != nil {
		return nil, err
	}
	w := &world{p, crowd.Crowd{Seed: seed, Mix: kind.mix}}
	t.worlds[kind] = w
	return w, nil
}

// counts asks what the DNS was sent so far.
func (w *world) counts(ctx context.Context) (zone.Counts, error) {
	m := dnsmessage.Message{
		Header:    dnsmessage.Header{ID: 1, RecursionDesired: true},
		Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName(zone.StatsName), Type: dnsmessage.TypeTXT, Class: dnsmessage.ClassINET}},
	}
	query, err := m.Pack()
	if err != nil {
		return zone.Counts{}, err
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", w.address)
	if err != nil {
		return zone.Counts{}, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return zone.Counts{}, err
	}
	if _, err := conn.Write(query); err != nil {
		return zone.Counts{}, err
	}
	buf := make([]byte, 1232)
	n, err := conn.Read(buf)
	if err != nil {
		return zone.Counts{}, err
	}
	return readCounts(buf[:n])
}

// readCounts reads the counts from a reply.
func readCounts(reply []byte) (zone.Counts, error) {
	var m dnsmessage.Message
	if err := m.Unpack(reply); err != nil {
		return zone.Counts{}, err
	}
	for _, a := range m.Answers {
		if txt, ok := a.Body.(*dnsmessage.TXTResource); ok && len(txt.TXT) > 0 {
			return zone.ParseCounts(txt.TXT[0])
		}
	}
	return zone.Counts{}, fmt.Errorf("no TXT record of %s", zone.StatsName)
}
