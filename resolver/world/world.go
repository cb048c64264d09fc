package world

import (
	"fmt"
	"strings"
	"sync"

	"github.com/miekg/dns"
)

// World is a DNS. It may be used by any number of goroutines.
type World struct {
	mu      sync.Mutex
	zone    *zone // never modified, only replaced
	queries []string
}

// Parse makes a World from text. Errors name the line.
func Parse(text string) (*World, error) {
	z, err := parseZone(text)
	if err != nil {
		return nil, err
	}
	return &World{zone: z}, nil
}

// Set replaces the text while the World runs: somebody has repaired a zone. On
// an error nothing changes.
func (w *World) Set(text string) error {
	z, err := parseZone(text)
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.zone = z
	return nil
}

// Queries are those that came so far, in order, each as "PTR
// 10.113.0.203.in-addr.arpa": lower case, without the final dot. One that was
// put over UDP and over TCP is there twice.
func (w *World) Queries() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return append([]string(nil), w.queries...)
}

// Forget has Queries begin anew.
func (w *World) Forget() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queries = nil
}

// respond answers a message. What is no query gets no reply.
func (w *World) respond(packet []byte, stream bool) sending {
	var query dns.Msg
	if err := query.Unpack(packet); err != nil || query.Response || len(query.Question) != 1 {
		return sending{}
	}
	q := query.Question[0]
	w.mu.Lock()
	w.queries = append(w.queries, fmt.Sprintf("%v %s", dns.Type(q.Qtype), strings.TrimSuffix(fold(q.Name), ".")))
	z := w.zone
	w.mu.Unlock()
	return z.respond(&query, stream)
}

// fold brings a name into the form that names are compared in.
func fold(name string) string { return dns.CanonicalName(name) }
