package resolver

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// txt is a record of one text, in strings of at most 255 bytes.
func txt(name, text string) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s 300 TXT", name)
	for len(text) > 0 {
		n := min(len(text), 255)
		fmt.Fprintf(&s, " %q", text[:n])
		text = text[n:]
	}
	return s.String() + "\n"
}

// TestTexts: what a domain publishes, through aliases and over TCP like every lookup; a
// "no" is not a "don't know"; the second time it is from the cache.
func TestTexts(t *testing.T) {
	const silence = "temperror: no reply from 192.0.2.53:53 in 2s"
	text := `
example.com.        TXT "v=spf1 a " "mx" " -all"
example.com.        TXT "other"
example.com.        TXT "oth" "er"
bytes.example.com.  TXT "\255\000\"\\"
void.example.com.   TXT "x" ""
void.example.com.   TXT ""
alias.example.com.  CNAME example.com.
loop.example.com.   CNAME pool.example.com.
pool.example.com.   CNAME loop.example.com.
example.com.        MX 20 MX1.example.com.
example.com.        MX 10 mx2.example.net.
example.com.        MX 30 mx1.example.com.
null.example.com.   MX 0 .
host.example.com.   A 192.0.2.1
$GENERATE 1-300 many.example.com. TXT "text $"
$GENERATE 1-300 many.example.com. MX 10 mx$.example.com.
long.example.com.   TXT "v=spf1 -all"
long.example.com.   MX 10 mx.example.org.
others.example.com. A 192.0.2.1
huge.example.com.   TXT x
!servfail broken.example.com
!drop silent.example.com
!truncate long.example.com
!foreign others.example.com
!huge huge.example.com
` + txt("large.example.com.", strings.Repeat("ip4:192.0.2.1 ", 1000)) + txt("larger.example.com.", strings.Repeat("x", 40000)) +
		"larger.example.com. TXT small\n" + txt("largest.example.com.", strings.Repeat("x", 40000))
	for _, test := range []struct{ query, want string }{
		{"TXT example.com", `found "v=spf1 a mx -all" "other"`},
		{"TXT Example.COM.", `found "v=spf1 a mx -all" "other"`},
		{"TXT alias.example.com", `found "v=spf1 a mx -all" "other"`},
		{"TXT bytes.example.com", `found "\xff\x00\"\\"`},
		{"TXT void.example.com", `found "x" ""`},
		{"TXT loop.example.com", `temperror: CNAME loop at "loop.example.com."`},
		{"TXT host.example.com", "none"},
		{"TXT missing.example.com", "none"},
		{"TXT broken.example.com", "temperror: SERVFAIL from 192.0.2.53:53"},
		{"TXT silent.example.com", silence},
		{"TXT long.example.com", `found "v=spf1 -all"`},
		{"TXT others.example.com", "none"},
		{"TXT many.example.com", "some and more"},
		{"TXT huge.example.com", "some and more"},
		{"TXT large.example.com", fmt.Sprintf("found %q", strings.Repeat("ip4:192.0.2.1 ", 1000))},
		{"TXT largest.example.com", "temperror: records that are too large to be kept"},
		{"TXT a..b", `temperror: "a..b" is no domain name`},
		{"MX example.com", "found mx1.example.com mx2.example.net mx1.example.com"},
		{"MX alias.example.com", "found mx1.example.com mx2.example.net mx1.example.com"},
		{"MX null.example.com", "found ."},
		{"MX long.example.com", "found mx.example.org"},
		{"MX host.example.com", "none"},
		{"MX missing.example.com", "none"},
		{"MX loop.example.com", `temperror: CNAME loop at "loop.example.com."`},
		{"MX others.example.com", "none"},
		{"MX many.example.com", "some and more"},
		{"MX huge.example.com", "some and more"},
		{"MX broken.example.com", "temperror: SERVFAIL from 192.0.2.53:53"},
		{"MX " + strings.Repeat("a", 64) + ".example.com", `temperror: "` + strings.Repeat("a", 60) + `" is no domain name`},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := newBed(t, text)
			tell := func(a Answer) string {
				if n := len(strings.Join(append(a.Texts, a.Names...), "")); a.Outcome == Found && a.More && n < 16<<10 {
					return "some and more"
				}
				return words(a)
			}
			if got := tell(b.lookup(test.query, Options{})); got != test.want {
				t.Errorf("%s = %.200s; want %.200s", test.query, got, test.want)
			}
			queried := b.queried()
			again := b.lookup(test.query, Options{})
			name := errors.Is(again.Err, ErrName)
			if got := strings.TrimPrefix(tell(again), "cached: "); got != test.want || again.Cached == name || b.queried() != queried {
				t.Errorf("%s again = %.200s, cached %v, %d more queries; want %.200s, from the cache", test.query, got, again.Cached, b.queried()-queried, test.want)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		b := newBed(t, text)
		// Which of both came first, nobody knows.
		if a := b.lookup("TXT larger.example.com", Options{}); !a.More && a.Outcome != TempError {
			t.Errorf("a text that is too large, and a small one = %s; want it known that there is more", words(a))
		}
	})
}

// TestTextsKept: how old an answer may be, how long it holds, and what a server that
// fails does to it.
func TestTextsKept(t *testing.T) {
	const failed = "temperror: SERVFAIL from 192.0.2.53:53"
	for _, kind := range []struct{ query, zone, found string }{
		{"TXT example.com", "example.com. 3600 TXT text\n", `found "text"`},
		{"MX example.com", "example.com. 3600 MX 10 mx.example.com.\n", "found mx.example.com"},
	} {
		synctest.Test(t, func(t *testing.T) {
			b := configured(t, Config{Stale: 24 * time.Hour}, kind.zone)
			for i, s := range []struct {
				after time.Duration
				text  string // empty: as before
				o     Options
				want  string
				ttl   time.Duration
			}{
				{0, "", Options{CacheOnly: true}, "not queried", 0},
				{0, "", Options{}, kind.found, time.Hour},
				{0, "", Options{CacheOnly: true}, "cached: " + kind.found, time.Hour},
				{time.Minute, "!servfail *", Options{MaxAge: time.Minute}, "cached: " + kind.found, 59 * time.Minute},
				{time.Second, "", Options{MaxAge: time.Minute, CacheOnly: true}, "not queried", 0},
				{0, "", Options{MaxAge: time.Minute}, failed, 0},
				{0, "", Options{}, "cached: " + kind.found, 59*time.Minute - time.Second},
				{time.Minute, kind.zone, Options{MaxAge: time.Minute}, kind.found, time.Hour},
				{time.Hour, "!drop *", Options{}, "stale: " + kind.found, 0},
				{2 * time.Minute, "!servfail *", Options{MaxAge: time.Minute}, failed, 0}, // nothing stale for a reject
				{time.Minute, "example.com. A 192.0.2.1", Options{}, "none", time.Minute},
			} {
				time.Sleep(s.after)
				if s.text != "" {
					b.set(s.text)
				}
				a := b.lookup(kind.query, s.o)
				if got := words(a); got != s.want || a.TTL != s.ttl {
					t.Errorf("%s: step %d = %s, for %v; want %s, for %v", kind.query, i, got, a.TTL, s.want, s.ttl)
				}
			}
		})
	}
}

// TestTextsBounds: a budget, a share, the room as a whole and the deadline hold for
// texts as for addresses, and several callers send one query.
func TestTextsBounds(t *testing.T) {
	for _, query := range []string{"TXT", "MX"} {
		synctest.Test(t, func(t *testing.T) {
			b := configured(t, Config{MaxInFlight: 24}, slowZone+"!drop *.silent.example\n")
			if got, want := b.say(query+" a.example.com", Options{Budget: NewBudget(0)}), "temperror: more than 0 queries for one decision"; got != want {
				t.Errorf("%s without a budget = %s; want %s", query, got, want)
			}
			var callers sync.WaitGroup
			for range 3 {
				callers.Go(func() {
					if got := b.say(query+" a.example.com", Options{}); got != "none" {
						t.Errorf("%s = %s; want none", query, got)
					}
				})
			}
			callers.Wait()
			if s := b.Stats(); b.queried() != 1 || s.Coalesced != 2 {
				t.Errorf("%s of three callers: %d queries, %d coalesced; want 1, 2", query, b.queried(), s.Coalesced)
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			var shared int
			var mu sync.Mutex
			for i := range 20 {
				callers.Go(func() {
					a := b.lookupContext(ctx, fmt.Sprintf("%s a%d.silent.example", query, i), Options{HELO: true, Client: v4(256 * i)})
					mu.Lock()
					defer mu.Unlock()
					if errors.Is(a.Err, ErrShare) {
						shared++
					}
				})
			}
			callers.Wait()
			if shared != 8 {
				t.Errorf("%s: %d of 20 lookups of one silent zone were over its share; want 8", query, shared)
			}
			if got, want := words(b.lookupContext(ctx, query+" b.example.com", Options{})), "temperror: deadline"; got != want {
				t.Errorf("%s after the deadline = %s; want %s", query, got, want)
			}
			b.Close()
			if got, want := b.say(query+" c.example.com", Options{}), "temperror: the resolver is closed"; got != want {
				t.Errorf("%s of a closed resolver = %s; want %s", query, got, want)
			}
			if n := b.Stats().InFlight; n != 0 || b.charged() != 0 {
				t.Errorf("%s: %d under way in the end, %d charged; want none", query, n, b.charged())
			}
		})
	}
}

// TestTextsPlace: whoever sends from many domains takes no place from answers about
// addresses, and those who publish much take none from those who do not.
func TestTextsPlace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var text strings.Builder
		text.WriteString("a.example.com. 3600 A 192.0.2.1\na.example.com. 3600 TXT small\n")
		for i := range 300 {
			text.WriteString(txt(fmt.Sprintf("l%d.example.com.", i), strings.Repeat("x", 2000)))
		}
		b := newBed(t, text.String())
		b.lookup("A a.example.com", Options{})
		b.lookup("TXT a.example.com", Options{})
		for i := range 300 {
			b.lookup(fmt.Sprintf("TXT l%d.example.com", i), Options{})
		}
		for query, want := range map[string]string{"A a.example.com": "cached: found 192.0.2.1", "TXT a.example.com": `cached: found "small"`} {
			if got := b.say(query, Options{CacheOnly: true}); got != want {
				t.Errorf("%s = %s; want %s", query, got, want)
			}
		}
		for i := range 300 {
			b.lookup(fmt.Sprintf("TXT s%d.example.com", i), Options{})
		}
		if few, many := b.texts.cache.few.Len(), b.texts.cache.many.Len(); few != 1000/textShare || many != 1000/textShare/manyShare {
			t.Errorf("%d texts are kept, %d large ones; want %d, %d", few, many, 1000/textShare, 1000/textShare/manyShare)
		}
	})
}
