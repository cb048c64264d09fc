package resolver

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/miekg/dns"
)

// TestAnyTrouble mixes faults at random.
func TestAnyTrouble(t *testing.T) {
	n := uint64(100)
	if testing.Short() {
		n = 30
	}
	for seed := range n {
		trouble(t, seed)
	}
}

func FuzzAnyTrouble(f *testing.F) {
	for seed := range uint64(3) {
		f.Add(1000 + seed)
	}
	f.Fuzz(trouble)
}

// wellSetUp are queries with their only answers, under any faults that are not
// lies of the server itself.
var wellSetUp = []struct{ query, record, want string }{
	{"A a.example.com", "a.example.com. %d A 192.0.2.1", "[] [192.0.2.1] []"},
	{"A mail.example.net", "mail.example.net. %d A 192.0.2.2", "[] [192.0.2.2] []"},
	{"AAAA mail.example.org", "mail.example.org. %d AAAA 2001:db8::1", "[] [2001:db8::1] []"},
	{"TXT a.example.com", `a.example.com. %d TXT "v=spf1 " "-all"`, "[] [] [v=spf1 -all]"},
	{"MX example.net", "example.net. %d MX 10 mail.example.net.", "[mail.example.net] [] []"},
	{"A alias.example.com", "alias.example.com. %d CNAME a.example.com.", "[] [192.0.2.1] []"},
	{"PTR 192.0.2.1", "1.2.0.192.in-addr.arpa. %d PTR a.example.com.", "[a.example.com] [] []"},
	{"PTR 198.51.100.7", "7.100.51.198.in-addr.arpa. %d PTR mail.example.net.", "[mail.example.net] [] []"},
}

// trouble has servers fail in ways that change every few seconds or hours, while
// callers of all kinds ask. Whatever happens, an answer that is given is the
// right one, in time and of the right age, and in the end all is well again and
// nothing is left of it.
func trouble(t *testing.T, seed uint64) {
	synctest.Test(t, func(t *testing.T) {
		m := &mishap{t: t, seed: seed, rand: rand.New(rand.NewPCG(seed, 1)), stale: time.Duration(seed%2) * time.Hour}
		m.bed = configured(t, Config{Stale: m.stale, MaxInFlight: 30, OnOutage: m.told}, make([]string, 1+seed%3)...)
		m.bed.reroute(m.dial)
		for range 30 {
			m.change()
			var wg sync.WaitGroup
			for range m.rand.IntN(20) {
				m.ask(&wg)
			}
			wg.Wait()
			if m.rand.IntN(20) == 0 {
				time.Sleep(time.Duration(m.rand.IntN(4000)) * time.Second)
			}
			time.Sleep(time.Duration(m.rand.IntN(3000)) * time.Millisecond)
		}
		m.end()
	})
}

// mishap is one run of trouble.
type mishap struct {
	*bed
	t     *testing.T
	seed  uint64
	rand  *rand.Rand // for the test's goroutine only
	stale time.Duration

	mu      sync.Mutex
	network error // what every connection fails with, if not nil
	panics  bool  // or that it does
	outages []Outage
}

func (m *mishap) told(o Outage) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.outages = append(m.outages, o)
}

func (m *mishap) dial(context.Context, string, int, time.Duration) (net.Conn, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.panics {
		panic("no connection")
	}
	return nil, m.network
}

// change gives every server other faults.
func (m *mishap) change() {
	faults := []string{
		"servfail", "refused", "rcode %s 4", "rcode %s 9", "rcode %s 16", "drop", "drop", "drop", "flap %s 200ms", "delay %s 300ms", "delay %s 2500ms",
		"truncate", "truncateall", "droptcp", "drip %s 10ms", "drip %s 1s", "wrongid", "wrongquestion", "mangle", "cut", "spoof", "double", "fold", "foreign", "empty", "referral", "nochase", "noedns",
	}
	about := []string{"*", "*.example.com", "*.example.net", "*.arpa", "a.example.com", "."}
	for i := range m.worlds {
		text := m.zone()
		for range m.rand.IntN(4) {
			fault, name := faults[m.rand.IntN(len(faults))], about[m.rand.IntN(len(about))]
			if !strings.Contains(fault, "%s") {
				fault += " %s"
			}
			text += "!" + fmt.Sprintf(fault, name) + "\n"
		}
		m.setServer(i, text)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.network = map[int]error{0: syscall.EMFILE, 1: syscall.ECONNREFUSED, 2: syscall.ENETUNREACH}[m.rand.IntN(20)]
	m.panics = m.rand.IntN(20) == 0
}

func (m *mishap) zone() string {
	var s strings.Builder
	for _, w := range wellSetUp {
		fmt.Fprintf(&s, w.record+"\n", m.rand.IntN(4000))
	}
	return s.String()
}

// ask has a caller ask in its own way.
func (m *mishap) ask(wg *sync.WaitGroup) {
	w := wellSetUp[m.rand.IntN(len(wellSetUp))]
	o := Options{Budget: NewBudget(m.rand.IntN(20)), Client: v4(m.rand.IntN(1000)), CacheOnly: m.rand.IntN(5) == 0}
	if m.rand.IntN(3) == 0 {
		o.MaxAge = time.Minute
	}
	patience := time.Duration(1+m.rand.IntN(5000)) * time.Millisecond
	wg.Go(func() {
		ctx, cancel := context.WithTimeout(m.t.Context(), patience)
		defer cancel()
		begin := time.Now()
		a := m.lookupContext(ctx, w.query, o)
		if why := m.wrong(&a, w.want, o, time.Since(begin) > patience); why != "" {
			m.t.Errorf("seed %d: %s with %+v = %s of %v: %s", m.seed, w.query, o, words(a), a.Age, why)
		}
	})
}

// wrong is what is wrong with an answer, if anything is.
func (m *mishap) wrong(a *Answer, want string, o Options, late bool) string {
	switch {
	case late:
		return "late"
	case a.Outcome == None:
		return "not so"
	case a.Outcome == NotQueried && !o.CacheOnly:
		return "not queried"
	case a.Outcome == Found && fmt.Sprint(a.Names, a.Addrs, a.Texts) != want:
		return "want " + want
	case a.Outcome == TempError && a.Err == nil:
		return "no reason"
	case a.Stale && (o.MaxAge > 0 || m.stale == 0 || a.Outcome != Found || a.Age > m.stale+4000*time.Second):
		return "too old"
	case a.Outcome == Found && o.MaxAge > 0 && a.Age > o.MaxAge+5*time.Second:
		return "older than it may be"
	}
	return ""
}

// end has all be well again, and looks whether it is.
func (m *mishap) end() {
	for i := range m.worlds {
		m.setServer(i, m.zone())
	}
	m.mu.Lock()
	m.network, m.panics = nil, false
	m.mu.Unlock()
	time.Sleep(flightTime + refreshPause) // what runs on behind may fail last
	for _, w := range wellSetUp {
		if a := m.lookup(w.query, Options{MaxAge: 30 * time.Second}); a.Outcome != Found {
			m.t.Errorf("seed %d: %s in the end = %s", m.seed, w.query, words(a))
		}
	}
	time.Sleep(30 * time.Second)
	m.Close()
	s := m.Stats()
	if s.Outage || s.InFlight != 0 || m.charged() != 0 || m.health.prober.cancel != nil {
		m.t.Errorf("seed %d: in the end %+v, %d networks charged, a prober at work: %v", m.seed, s, m.charged(), m.health.prober.cancel != nil)
	}
	for i, o := range m.outages {
		if o.End.IsZero() != (i%2 == 0) || i%2 == 1 && o.Begin != m.outages[i-1].Begin || len(m.outages)%2 != 0 {
			m.t.Errorf("seed %d: outages %+v; want a beginning and an end each", m.seed, m.outages)
		}
	}
}

// asking is a reply to a question of another type.
func asking(qtype uint16, m *dns.Msg) *dns.Msg {
	m.Question[0].Qtype = qtype
	return m
}

// FuzzServer: replies that the fuzzer made go through the whole resolver, over
// UDP and TCP. A "no" is always what the reply says.
func FuzzServer(f *testing.F) {
	for _, m := range []*dns.Msg{
		replyOf(f, "ra", []string{"a.example.com. A 192.0.2.1"}, nil),
		replyOf(f, "ra", []string{"a.example.com. CNAME b.example.com.", "b.example.com. A 192.0.2.1"}, nil),
		replyOf(f, "ra", []string{"a.example.com. CNAME b.example.com."}, nil),
		replyOf(f, "ra NXDOMAIN", nil, []string{"example.com. 300 SOA ns.example.com. h.example.com. 1 1 1 1 300"}),
		replyOf(f, "SERVFAIL", nil, nil),
		asking(dns.TypeTXT, replyOf(f, "ra", []string{`a.example.com. TXT "v=spf1 " "\255\254 -all"`}, nil)),
		asking(dns.TypeMX, replyOf(f, "ra", []string{"a.example.com. MX 0 .", "a.example.com. MX 10 a.example.com."}, nil)),
		replyOf(f, "", nil, []string{"example.com. NS ns.example.com."}),
	} {
		for _, m.Truncated = range []bool{false, true} {
			packet, err := m.Pack()
			if err != nil {
				f.Fatal(err)
			}
			f.Add(packet)
		}
	}
	f.Fuzz(func(t *testing.T, packet []byte) {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, "")
			b.reroute(func(_ context.Context, network string, _ int, _ time.Duration) (net.Conn, error) {
				return script(func(c net.Conn) { replay(c, network, packet) }), nil
			})
			var m dns.Msg
			bad := m.Unpack(packet) != nil || m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError || m.Truncated
			for _, question := range []string{"A a.example.com", "TXT a.example.com", "MX a.example.com"} {
				begin := time.Now()
				a := b.lookup(question, Options{Budget: NewBudget(20)})
				if a.Outcome == NotQueried || a.Outcome == None && bad || len(a.Addrs)+len(a.Names)+len(a.Texts) > MaxRecords || time.Since(begin) > 20*time.Second {
					t.Errorf("%s with reply %x: %s, after %v", question, packet, words(a), time.Since(begin))
				}
			}
			b.Close()
			time.Sleep(time.Second)
		})
	})
}

// replay answers every query with the same packet, under the query's ID.
func replay(c net.Conn, network string, packet []byte) {
	buf := make([]byte, 1024)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		id, reply := buf[:n], packet
		if network == "tcp" {
			id = id[min(n, 2):]
		}
		if len(id) >= 2 && len(packet) >= 2 {
			reply = append(append([]byte{}, id[:2]...), packet[2:]...)
		}
		if network == "tcp" {
			reply = append([]byte{byte(len(reply) >> 8), byte(len(reply))}, reply...)
		}
		if _, err := c.Write(reply); err != nil {
			return
		}
	}
}
