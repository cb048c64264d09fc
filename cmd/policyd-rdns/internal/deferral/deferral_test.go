package deferral

import (
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

var begin = time.Date(2026, 11, 16, 0, 0, 0, 0, time.UTC)

// try reads a try as tests write it: when since begin, the client and, behind a slash, its
// organisation; sender and recipient; the action, and with it the rule and the instance. A
// try without an instance has one of its own; "-" is none.
func try(t testing.TB, seed Seed, n int, line string) (Try, bool) {
	t.Helper()
	f := strings.Fields(line)
	at, err := time.ParseDuration(f[0])
	if err != nil || len(f) < 5 {
		t.Fatalf("%q: %v", line, err)
	}
	client, org, _ := strings.Cut(f[1], "/")
	r := journal.Record{Request: policy.Request{
		Time: begin.Add(at), Client: netip.MustParseAddr(client), State: "RCPT", Sender: f[2], Recipient: f[3], Instance: fmt.Sprint("own ", n),
	}}
	r.Facts.Parties.Organisation = org
	for _, word := range f[5:] {
		switch name, value, _ := strings.Cut(word, "="); name {
		case "rule":
			r.Decision.Rule = value
		case "instance":
			r.Request.Instance = strings.Trim(value, "-")
		case "party":
			r.Facts.Past.Party = value
		case "waiting":
			r.Decision.Waiting = 60
		case "state":
			r.Request.State = value
		}
	}
	r.Decision.Action = map[string]policy.Action{"defer": policy.Defer, "reject": policy.Reject, "dunno": policy.DUNNO, "tag": policy.Tag}[f[4]]
	return seed.Try(&r)
}

func figuresOf(t testing.TB, m *Messages, lines string) (Figures, []Figures) {
	t.Helper()
	seed, n := NewSeed(), 0
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		n++
		if one, ok := try(t, seed, n, line); ok {
			m.Add(&one)
		}
	}
	return m.Figures()
}

// TestFigures: what messages come to, by their tries.
func TestFigures(t *testing.T) {
	for _, test := range []struct{ name, tries, want string }{
		{"nothing", "", ""},
		{"what passes at once is nobody's", "0s 192.0.2.1 a@example.org u@example.com dunno", ""},
		{"nor what is rejected at once", "0s 192.0.2.1 a@example.org u@example.com reject", ""},
		{"never again", "0s 192.0.2.1 a@example.org u@example.com defer", "deferred 1 never 1 recent 1 open 1"},
		{"nor late", `
			0s    192.0.2.1 a@example.org u@example.com defer
			5h    192.0.2.2 a@example.net u@example.com dunno`, "deferred 1 never 1 open 1"},
		{"again, and it passed", `
			0s    192.0.2.1 a@example.org u@example.com defer
			4m    192.0.2.1 b@EXAMPLE.org U@example.com dunno`, "deferred 1 again 1 after 240 240 passed 1 after 240 240"},
		{"too late for a login code", `
			0s    192.0.2.1 a@example.org u@example.com defer
			4m    192.0.2.1 a@example.org u@example.com defer
			20m   192.0.2.1 a@example.org u@example.com tag`, "deferred 1 again 1 after 240 240 passed 1 slow 1 after 1207 1207"},
		{"rejected in the end", `
			0s    192.0.2.1 a@example.org u@example.com defer waiting
			1h    192.0.2.1 a@example.org u@example.com defer waiting
			5h    192.0.2.1 a@example.org u@example.com reject`, "deferred 1 waiting 1 again 1 after 3615 3615 rejected 1"},
		{"rejected, then mended", `
			0s    192.0.2.1 a@example.org u@example.com defer
			1m    192.0.2.1 a@example.org u@example.com reject
			2m    192.0.2.1 a@example.org u@example.com dunno`, "deferred 1 again 1 after 60 60 passed 1 after 120 120"},
		{"another recipient is other mail", `
			0s    192.0.2.1 a@example.org u@example.com defer
			4m    192.0.2.1 a@example.org v@example.com dunno`, "deferred 1 other 1 recent 1 open 1"},
		{"and another sender", `
			0s    192.0.2.1 a@example.org u@example.com defer
			4m    192.0.2.1 a@example.net u@example.com defer`, "deferred 2 other 1 never 1 recent 2 open 2"},
		{"another client is none", `
			0s    192.0.2.1 a@example.org u@example.com defer
			4m    192.0.2.2 a@example.org u@example.com dunno`, "deferred 1 never 1 recent 1 open 1"},
		{"one of the /64", `
			0s    2001:db8::1 a@example.org u@example.com defer
			4m    2001:db8::2 a@example.org u@example.com dunno
			5m    2001:db8:0:1::2 a@example.org u@example.com dunno`, "deferred 1 again 1 after 240 240 passed 1 after 240 240"},
		{"a pool of the organisation", `
			0s    192.0.2.1/example.org a@example.org u@example.com defer
			4m    192.0.2.2/example.org a@example.org u@example.com defer
			5m    192.0.2.3/example.org a@example.org u@example.com dunno`, "deferred 1 again 1 after 240 240 passed 1 after 301 301"},
		{"one that lost its name is found by its address", `
			0s    192.0.2.1/example.org a@example.org u@example.com defer
			4m    192.0.2.2/example.org a@example.org u@example.com defer
			5m    192.0.2.2 a@example.org u@example.com dunno`, "deferred 1 again 1 after 240 240 passed 1 after 301 301"},
		{"the party of the log", `
			0s    192.0.2.1 a@example.org u@example.com defer party=example.org
			4m    192.0.2.2 a@example.org u@example.com dunno party=example.org`, "deferred 1 again 1 after 240 240 passed 1 after 240 240"},
		{"which may be the address", `
			0s    192.0.2.1 a@example.org u@example.com defer party=192.0.2.1
			4m    192.0.2.1 a@example.org u@example.com dunno party=192.0.2.1`, "deferred 1 again 1 after 240 240 passed 1 after 240 240"},
		{"recipients of one message are several", `
			0s    192.0.2.1 a@example.org u@example.com defer instance=1
			0.1s  192.0.2.1 a@example.org v@example.com defer instance=1
			4m    192.0.2.1 a@example.org u@example.com dunno instance=2
			4.1m  192.0.2.1 a@example.org v@example.com dunno instance=2`, "deferred 2 again 2 after 240 246 passed 2 after 240 246"},
		{"nor are they other mail", `
			0s    192.0.2.1 a@example.org u@example.com defer instance=1
			0.1s  192.0.2.1 a@example.org v@example.com dunno instance=1`, "deferred 1 never 1 recent 1 open 1"},
		{"stages of one try", `
			0s    192.0.2.1 a@example.org u@example.com defer instance=1
			0.1s  192.0.2.1 a@example.org u@example.com dunno instance=1
			4m    192.0.2.1 a@example.org u@example.com dunno instance=2
			4.1m  192.0.2.1 a@example.org u@example.com defer instance=2 state=DATA
			9m    192.0.2.1 a@example.org u@example.com dunno instance=3
			9.1m  192.0.2.1 a@example.org u@example.com reject instance=3 state=END-OF-MESSAGE`, "deferred 1 again 1 after 240 240 rejected 1"},
		{"tries without an instance", `
			0s    192.0.2.1 a@example.org u@example.com defer instance=-
			1s    192.0.2.1 a@example.org v@example.com defer instance=-
			4m    192.0.2.1 a@example.org u@example.com dunno instance=-`, "deferred 2 again 1 after 240 240 other 1 recent 1 passed 1 after 240 240 open 1"},
		{"what passed and is deferred again is another message", `
			0s    192.0.2.1 a@example.org u@example.com defer
			4m    192.0.2.1 a@example.org u@example.com dunno
			10m   192.0.2.1 a@example.org u@example.com dunno
			20m   192.0.2.1 a@example.org u@example.com defer`, "deferred 2 again 1 after 240 240 never 1 recent 1 passed 1 after 240 240 open 1"},
		{"and so is what comes after a week", `
			0s    192.0.2.1 a@example.org u@example.com defer
			168h  192.0.2.1 a@example.org u@example.com defer`, "deferred 2 other 1 never 1 recent 1 open 2"},
		{"before RCPT there is no message", "0s 192.0.2.1 a@example.org u@example.com defer state=MAIL", ""},
	} {
		all, byRule := figuresOf(t, New(100), test.tries)
		if got := shown(&all); got != test.want {
			t.Errorf("%s: %s; want %s", test.name, got, test.want)
		}
		if len(byRule) > 1 || len(byRule) == 1 && byRule[0] != all {
			t.Errorf("%s: by rule %+v; want %+v", test.name, byRule, all)
		}
	}
}

// shown shows figures that are not 0.
func shown(f *Figures) string {
	var words []string
	add := func(what string, n ...int) {
		if n[0] == 0 {
			return
		}
		for _, n := range n {
			what += fmt.Sprint(" ", n)
		}
		words = append(words, what)
	}
	add("deferred", f.Deferred)
	add("waiting", f.Waiting)
	add("again", f.Again)
	add("after", f.AgainAfter.Median, f.AgainAfter.P90)
	add("other", f.Other)
	add("never", f.Never)
	add("recent", f.Recent)
	add("cut", f.Cut)
	add("passed", f.Passed)
	add("slow", f.Slow)
	add("after", f.PassedAfter.Median, f.PassedAfter.P90)
	add("rejected", f.Rejected)
	add("open", f.Open)
	return strings.Join(words, " ")
}

// TestRules: each message is counted for the rule that deferred it first, the most first.
func TestRules(t *testing.T) {
	all, byRule := figuresOf(t, New(100), `
		0s  192.0.2.1 a@example.org u@example.com defer rule=new
		1s  192.0.2.2 a@example.org u@example.com defer rule=nameless waiting
		2s  192.0.2.3 a@example.org u@example.com defer rule=nameless waiting
		10m 192.0.2.1 a@example.org u@example.com defer rule=nameless waiting
		20m 192.0.2.1 a@example.org u@example.com dunno
		30m 192.0.2.2 a@example.org u@example.com reject rule=nameless`)
	got := shown(&all)
	for i := range byRule {
		got += "; " + byRule[i].Rule + ": " + shown(&byRule[i])
	}
	const want = "deferred 3 waiting 2 again 2 after 603 1799 never 1 recent 1 passed 1 slow 1 after 1207 1207 rejected 1 open 1; " +
		"nameless: deferred 2 waiting 2 again 1 after 1799 1799 never 1 recent 1 rejected 1 open 1; " +
		"new: deferred 1 again 1 after 603 603 passed 1 slow 1 after 1207 1207"
	if got != want {
		t.Errorf("%s; want %s", got, want)
	}
}

// TestForget: what was deferred before is followed on, and not counted: its next try is no
// other message.
func TestForget(t *testing.T) {
	m := New(100)
	seed := NewSeed()
	add := func(n int, line string) {
		one, _ := try(t, seed, n, line)
		m.Add(&one)
	}
	add(1, "0s 192.0.2.1 a@example.org u@example.com defer")
	m.Forget()
	add(2, "10m 192.0.2.1 a@example.org u@example.com defer")
	add(3, "11m 192.0.2.2 a@example.org u@example.com defer")
	all, _ := m.Figures()
	if got := shown(&all); got != "deferred 1 never 1 recent 1 open 1" {
		t.Errorf("%s; want the one of afterwards", got)
	}
}

// TestBounds: whatever comes, no more is kept, and no message is lost from the sums.
func TestBounds(t *testing.T) {
	const most, tries = 1000, 20_000
	m, seed := New(most), NewSeed()
	for n := range tries {
		one, _ := try(t, seed, n, fmt.Sprintf("%ds 2001:db8:0:%x::1/%d.example a@example.org u@example.com defer rule=%d party=helo.%d.example", n*60, n%5000, n, n%200, n))
		m.Add(&one)
	}
	if len(m.entries) != most || cap(m.entries) > 2*most || len(m.byKey) > most*entryParties || len(m.seen) > most*entryParties || len(m.rules) > maxRules+1 {
		t.Errorf("%d messages (%d), %d keys, %d parties, %d rules are kept; want %d", len(m.entries), cap(m.entries), len(m.byKey), len(m.seen), len(m.rules), most)
	}
	all, byRule := m.Figures()
	if all.Again+all.Other+all.Never+all.Cut != all.Deferred || all.Passed+all.Rejected+all.Open != all.Deferred || all.Cut == 0 {
		t.Errorf("%s: the parts are not the whole", shown(&all))
	}
	if len(byRule) != maxRules+1 || byRule[0].Rule != "other rules" {
		t.Errorf("%d rules, the first %q", len(byRule), byRule[0].Rule)
	}
	// Who was let go leaves nothing behind.
	keys := map[uint64]bool{}
	for i := range m.entries {
		for _, party := range m.entries[i].parties[:m.entries[i].n] {
			keys[party] = true
		}
	}
	if len(keys) != len(m.seen) {
		t.Errorf("%d parties are known; want the %d of messages", len(m.seen), len(keys))
	}
}

// TestMemory: messages take what is said at most.
func TestMemory(t *testing.T) {
	const most = 20_000
	seed := NewSeed()
	tries := make([]Try, 3*most)
	for n := range tries {
		tries[n], _ = try(t, seed, n, fmt.Sprintf("%ds 2001:db8:%x:%x::1/%d.example a@example.org u@example.com defer", n, n>>16, n&0xffff, n))
	}
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	m := New(most)
	for n := range tries {
		m.Add(&tries[n])
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if took := int(after.HeapAlloc) - int(before.HeapAlloc); took > most*MessageBytes+RuleBytes {
		t.Errorf("%d messages take %d bytes, %d each; want %d at most", most, took, took/most, most*MessageBytes+RuleBytes)
	}
	runtime.KeepAlive(m)
	runtime.KeepAlive(tries)
}

// TestTryAllocatesNothing: a decision that is no deferral costs a few hashes.
func TestTryAllocatesNothing(t *testing.T) {
	m, seed := New(100), NewSeed()
	r := journal.Record{Request: policy.Request{
		Time: begin, Client: netip.MustParseAddr("2001:db8::1"), State: "RCPT", Sender: "a@example.org", Recipient: "u@example.com", Instance: "1.2.3",
	}}
	r.Facts.Parties.Organisation = "example.org"
	got := testing.AllocsPerRun(100, func() {
		one, _ := seed.Try(&r)
		m.Add(&one)
	})
	if got != 0 {
		t.Errorf("%v allocations; want none", got)
	}
}

func BenchmarkAdd(b *testing.B) {
	m, seed := New(1000), NewSeed()
	r := journal.Record{Request: policy.Request{
		Time: begin, Client: netip.MustParseAddr("192.0.2.1"), State: "RCPT", Sender: "a@example.org", Recipient: "u@example.com", Instance: "1.2.3",
	}}
	b.ReportAllocs()
	for b.Loop() {
		one, _ := seed.Try(&r)
		m.Add(&one)
	}
}
