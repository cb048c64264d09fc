package gather_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/gather"
	"policyd-rdns/policy/internal/cases"
	"policyd-rdns/policy/spf"
	"policyd-rdns/resolver"
)

// A fakeDNS answers from a table, each question in a second. Lines are
//
//	PTR 203.0.113.10 = mail.example.com other.example.com
//	A mail.example.com = 203.0.113.10
//	A other.example.com = none
//	SPF example.com = own
//
// An answer may be none, temperror, or silence until the deadline. Before it
// can be "cached AGE" or "cached AGE stale", with the answer of the DNS itself
// behind "then"; behind it "and more".
type fakeDNS struct {
	begin time.Time

	mu    sync.Mutex
	lines map[string]string
	asked []string // "1s A mail.example.com"
}

func newFakeDNS(t *testing.T, lines []string) *fakeDNS {
	t.Helper()
	d := &fakeDNS{begin: time.Now(), lines: map[string]string{}}
	for _, line := range lines {
		question, answer, ok := strings.Cut(line, " = ")
		if !ok {
			t.Fatalf("%q: want QUESTION = ANSWER", line)
		}
		d.lines[question] = answer
	}
	return d
}

func (d *fakeDNS) BeginPTR(ctx context.Context, addr netip.Addr, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	return d.begins(ctx, "PTR "+addr.String(), o)
}

func (d *fakeDNS) BeginAddrs(ctx context.Context, network, name string, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	return d.begins(ctx, map[string]string{"ip4": "A ", "ip6": "AAAA "}[network]+name, o)
}

// begins asks at once, whenever the answer is wanted.
func (d *fakeDNS) begins(ctx context.Context, question string, o resolver.Options) (resolver.Answer, func(context.Context) resolver.Answer) {
	cached := o
	cached.CacheOnly = true
	if a := d.lookup(ctx, question, cached); a.Outcome != resolver.NotQueried || o.CacheOnly {
		return a, nil
	}
	answered := make(chan resolver.Answer, 1)
	go func() { answered <- d.lookup(ctx, question, o) }()
	return resolver.Answer{}, func(ctx context.Context) resolver.Answer {
		select {
		case a := <-answered:
			return a
		case <-ctx.Done():
			synctest.Wait() // what has been answered by now is an answer
		}
		select {
		case a := <-answered:
			return a
		default:
			return resolver.Answer{Outcome: resolver.TempError, Err: errors.New("deadline")}
		}
	}
}

// spfOf has the domains of a fakeDNS say what it says of them.
type spfOf struct{ *fakeDNS }

func (d spfOf) Begin(q spf.Query, nearby bool) (spf.Result, func(context.Context) spf.Result) {
	ask := func(ctx context.Context, nearby bool) spf.Result {
		a := d.lookup(ctx, "SPF "+q.Domain(), resolver.Options{MaxAge: q.MaxAge, CacheOnly: nearby})
		r := spf.Result{Cached: a.Cached, Stale: a.Stale, Age: a.Age}
		switch {
		case a.Outcome == resolver.TempError:
			r.Code, r.Errors = spf.TempError, []resolver.LookupError{{About: q.Domain(), Reason: a.Err.Error()}}
		case a.Outcome == resolver.None:
			r.Code = spf.None
		case len(a.Names) == 1:
			for code := spf.Own; code <= spf.TempError; code++ {
				if code.String() == a.Names[0] {
					r.Code = code
				}
			}
		}
		return r
	}
	if r := ask(context.Background(), true); r.Code != spf.NotChecked || nearby {
		return r, nil
	}
	return spf.Result{}, func(ctx context.Context) spf.Result { return ask(ctx, false) }
}

func (d *fakeDNS) lookup(ctx context.Context, question string, o resolver.Options) resolver.Answer {
	d.mu.Lock()
	defer d.mu.Unlock()
	text, known := d.lines[question]
	if rest, ok := strings.CutPrefix(text, "cached "); ok {
		ageText, rest, _ := strings.Cut(rest, " ")
		old, now, again := strings.Cut(rest, " then ")
		age, err := time.ParseDuration(ageText)
		if err != nil {
			panic(err)
		}
		old, stale := strings.CutPrefix(old, "stale ")
		if o.MaxAge == 0 || age <= o.MaxAge && !stale {
			a := readAnswer(question, old)
			a.Cached, a.Stale, a.Age = true, stale, age+time.Since(d.begin)
			return a
		}
		if text = old; again {
			text = now
		}
	}
	if o.CacheOnly {
		return resolver.Answer{}
	}
	d.asked = append(d.asked, fmt.Sprintf("%v %s", time.Since(d.begin), question))
	d.mu.Unlock()
	answered := time.After(time.Second)
	if text == "silence" {
		answered = nil
	}
	var a resolver.Answer
	select {
	case <-answered:
		a = readAnswer(question, text)
	case <-ctx.Done():
		a = resolver.Answer{Outcome: resolver.TempError, Err: errors.New("deadline")}
	}
	d.mu.Lock()
	switch {
	case !known:
		return resolver.Answer{Outcome: resolver.TempError, Err: errors.New("not in the table of the test")}
	case a.Outcome != resolver.TempError:
		d.lines[question] = "cached 0s " + text
	}
	return a
}

func readAnswer(question, text string) resolver.Answer {
	switch text {
	case "none":
		return resolver.Answer{Outcome: resolver.None}
	case "temperror":
		return resolver.Answer{Outcome: resolver.TempError, Err: errors.New("SERVFAIL")}
	}
	a := resolver.Answer{Outcome: resolver.Found}
	text, a.More = strings.CutSuffix(text, " and more")
	if strings.HasPrefix(question, "PTR ") || strings.HasPrefix(question, "SPF ") {
		a.Names = strings.Fields(text)
		return a
	}
	for s := range strings.FieldsSeq(text) {
		a.Addrs = append(a.Addrs, netip.MustParseAddr(s))
	}
	return a
}

// questions are those that were sent, by time and then by name.
func (d *fakeDNS) questions() string {
	slices.Sort(d.asked)
	return strings.Join(d.asked, ", ")
}

// A gatherCase is one client before a DNS.
type gatherCase struct {
	name     string
	rules    []string // lines of a table; the built-in ones, if none
	dns      []string
	complete bool
	client   string

	asked string // with the times
	facts string
	want  string // decision, and how long it took
}

// readGather reads gather.txt: a block of lines for each case.
func readGather(t *testing.T) []gatherCase {
	t.Helper()
	text, err := os.ReadFile("testdata/gather.txt")
	if err != nil {
		t.Fatal(err)
	}
	var cases []gatherCase
	for block := range strings.SplitSeq(string(text), "\n\n") {
		var c gatherCase
		for line := range strings.Lines(block) {
			line = strings.TrimSuffix(line, "\n")
			key, value, _ := strings.Cut(line, ": ")
			switch {
			case strings.HasPrefix(line, "# "):
				c.name = strings.TrimPrefix(line, "# ")
			case key == "client":
				c.client = value
			case key == "asked":
				c.asked = value
			case key == "facts":
				c.facts = value
			case key == "decision":
				c.want = value
			case line == "complete":
				c.complete = true
			case strings.Contains(line, " = "):
				c.dns = append(c.dns, line)
			default:
				c.rules = append(c.rules, line)
			}
		}
		if c.client != "" {
			cases = append(cases, c)
		}
	}
	return cases
}

func (tt *gatherCase) run(t *testing.T) {
	t.Helper()
	if tt.rules == nil {
		tt.rules = []string{"builtin"}
	}
	rules := &policy.Rules{OnDoubt: policy.Defer}
	for _, line := range tt.rules {
		if err := cases.Setting(rules, line); err != nil {
			t.Fatal(err)
		}
	}
	e, err := cases.Client(tt.client)
	if err != nil {
		t.Fatal(err)
	}
	e.Req.Time = time.Now()
	dns := newFakeDNS(t, tt.dns)
	g := gather.Gatherer{
		DNS: dns, Deadline: 5 * time.Second, Complete: tt.complete,
		HostAddrs: []netip.Addr{netip.MustParseAddr("203.0.113.25")}, HostNames: []string{"mx.example.org"},
	}
	if strings.Contains(strings.Join(tt.dns, "\n"), "SPF ") {
		g.SPF = spfOf{dns}
	}
	var facts policy.Facts
	d := g.Decide(t.Context(), &e.Req, rules, &facts)
	took := time.Since(dns.begin)
	if got := dns.questions(); got != tt.asked {
		t.Errorf("asked: %s; want %s", got, tt.asked)
	}
	if got := cases.Show(&e.Req, &facts); got != tt.facts {
		t.Errorf("facts: %s; want %s", got, tt.facts)
	}
	got := cases.Told(d)
	if again := cases.Told(rules.Judge(&e.Req, &facts)); again != got {
		t.Errorf("decision: %s; judged again %s", got, again)
	}
	if took > 0 {
		got += " in " + took.String()
	}
	if got != tt.want {
		t.Errorf("decision: %s; want %s", got, tt.want)
	}
}

func TestGather(t *testing.T) {
	for _, tt := range readGather(t) {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, tt.run)
		})
	}
}
