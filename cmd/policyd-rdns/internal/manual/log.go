package manual

import (
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/reply"
	"policyd-rdns/resolver"
)

// logbook is what policyd-rdns-log(5) is about.
type logbook struct {
	MaxLine      int    // bytes
	Logfmt, JSON string // an example, folded
	Keys         []entry
}

// decisionLog is made from the table of keys.
func decisionLog() logbook {
	r := exampleRecord()
	log := logbook{
		MaxLine: journal.MaxLine,
		Logfmt:  folded(string(journal.Logfmt.Append(nil, &r))),
		JSON:    folded(string(journal.JSON.Append(nil, &r))),
	}
	for _, key := range journal.Manual() {
		e := entry{Key: key.Name, Text: "(" + key.Kind + ") " + key.Doc}
		if c, ok := policy.CheckByName(key.Name); ok {
			e.Results = outcomes(c)
		}
		log.Keys = append(log.Keys, e)
	}
	return log
}

// exampleRecord is a decision by the built-in rules about a client whose name resolves
// to another address.
func exampleRecord() journal.Record {
	client, server := netip.MustParseAddr("203.0.113.14"), netip.MustParseAddr("198.51.100.7")
	r := journal.Record{
		ID: "3jy1foo8k683h", Config: "09388c781a7e", Host: "mx.example.com", Elapsed: 1204 * time.Microsecond,
		Request: policy.Request{
			Time: time.Date(2026, 11, 23, 9, 0, 0, 0, time.UTC), Client: client, HELO: "mail.example.org",
			Sender: "a@example.org", Recipient: "b@example.com", Instance: "1a.2b.0", State: "RCPT",
		},
	}
	elsewhere := resolver.Forward{Outcome: resolver.Found, Addrs: []netip.Addr{server}}
	name := policy.NewName("mail.example.org", client)
	name.Forward = elsewhere
	r.Facts = policy.NewFacts(&r.Request)
	r.Facts.Past.Asked, r.Facts.Past.DomainAsked = true, true
	r.Facts.PTR, r.Facts.Names, r.Facts.Queries = resolver.Found, []policy.Name{name}, 2
	r.Facts.HELO.Forward = elsewhere
	rules := policy.Rules{List: builtin.Rules(), OnDoubt: policy.Defer}
	r.Decision = rules.Judge(&r.Request, &r.Facts)
	r.Reply = reply.Plain(&r.Request, &r.Facts, &r.Decision)
	return r
}

// foldedWidth is the most that a line of an example has, in bytes.
const foldedWidth = 70

// folded is a line of the log in several, broken behind spaces and commas.
func folded(line string) string {
	var b strings.Builder
	begin, last := 0, 0 // of the line that is written, and of its last part
	line = strings.TrimSpace(line)
	for i := range len(line) {
		if i+1-begin > foldedWidth && last > begin {
			b.WriteString(line[begin:last] + "\n")
			begin = last
		}
		if line[i] == ' ' || line[i] == ',' {
			last = i + 1
		}
	}
	return b.String() + line[begin:]
}
