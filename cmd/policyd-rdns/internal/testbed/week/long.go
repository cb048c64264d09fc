package week

import (
	"bufio"
	"fmt"
	"io"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
	"policyd-rdns/resolver"
)

// WriteLong writes a log of many decisions, about the clients of [Clients] as
// if the DNS were well, under [Config].
func WriteLong(t testing.TB, out io.Writer, format journal.Format, lines int) {
	t.Helper()
	conf, err := config.Parse("", []byte(Config))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(3, 5))
	all, _ := Clients()
	w := bufio.NewWriterSize(out, 1<<20)
	var line []byte
	at := Begins
	for i := 0; i < lines; {
		r := longLogRecord(random, &all[random.IntN(len(all))])
		at = at.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
		r.Request.Time, r.Config = at, conf.Hash
		r.Request.Instance = fmt.Sprintf("%x.%x.0", 4000+i%97, i)
		for n := 1 + random.IntN(3); n > 0 && i < lines; n-- { // recipients
			i++
			r.ID = fmt.Sprintf("e13w%x", i)
			r.Request.Recipient = Pick(random, []string{"user", "anna", "postmaster", "sales"}) + "@example.com"
			r.Decision = conf.Rules.Judge(&r.Request, &r.Facts)
			r.Reply = ""
			if r.Decision.Action != policy.DUNNO {
				r.Reply = reply.Plain(&r.Request, &r.Facts, &r.Decision)
			}
			line = format.Append(line[:0], &r)
			if _, err := w.Write(line); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}

// longLogRecord is a decision about a client, but for time and recipient.
func longLogRecord(random *rand.Rand, c *Client) journal.Record {
	r := journal.Record{Request: RandomRequest(random, c), Elapsed: 1204 * time.Microsecond}
	q, f := &r.Request, &r.Facts
	q.Server = netip.MustParseAddr("192.0.2.25")
	q.ClientName, q.ReverseClientName = "unknown", "unknown"
	*f = policy.NewFacts(q)
	f.Past.Asked, f.Past.DomainAsked, f.SPF.Result = true, true, policy.None
	back := resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{c.Addr}}
	f.PTR = resolver.None
	for _, name := range c.Names {
		f.PTR = resolver.Found
		n := policy.NewName(name, c.Addr)
		n.Forward = map[string]resolver.Forward{
			"back": back, "nowhere": {Outcome: resolver.None},
			"other": {Outcome: resolver.Found, Addrs: []netip.Addr{netip.MustParseAddr("192.0.2.98")}},
		}[c.Forwards]
		f.Names = append(f.Names, n)
	}
	f.HELO.Forward = resolver.Forward{Outcome: resolver.None}
	if c.match && q.HELO == c.HELOs[0] {
		f.HELO.Forward = back
	}
	if c.Forwards == "back" {
		q.ClientName, q.ReverseClientName = c.Names[0], c.Names[0]
	}
	f.Queries = 2
	return r
}
