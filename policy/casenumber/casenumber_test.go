package casenumber

import (
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy/address"
)

const line1, line2 = "key-1-0123456789abcdef", "key-2-0123456789abcdef"

func keys(t testing.TB, lines ...string) *Keys {
	t.Helper()
	k, err := ParseKeys(strings.Join(lines, "\n"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

var now = time.Date(2026, time.November, 28, 12, 34, 56, 0, time.UTC)

var addresses = []string{
	"192.0.2.1", "203.0.113.255", "0.0.0.0", "255.255.255.255",
	"2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", "::",
}

// Each case is read as it was made, in either letter case and however it was copied.
func TestMakeAndRead(t *testing.T) {
	k := keys(t, line1)
	seen := map[string]Case{}
	for _, cause := range Causes() {
		for _, client := range addresses {
			for _, ago := range []time.Duration{0, time.Hour, Valid - time.Minute, -skew} {
				want := Case{Cause: cause, At: now.Add(-ago).Truncate(time.Minute), Client: netip.MustParseAddr(client)}
				text := k.Make(Case{Cause: cause, At: now.Add(-ago), Client: want.Client})
				if length := map[bool]int{true: Length4, false: Length6}[want.Client.Is4()]; len(text) != length {
					t.Errorf("Make(%v) = %s, of %d characters; want %d", want, text, len(text), length)
				}
				if earlier, twice := seen[text]; twice {
					t.Errorf("%v and %v have one number %s", earlier, want, text)
				}
				seen[text] = want
				if text != strings.ToLower(text) || strings.ContainsAny(text, "ilou") {
					t.Errorf("Make(%v) = %s; want lower case without i, l, o, u", want, text)
				}
				for _, copied := range []string{text, strings.ToUpper(text), strings.NewReplacer("0", "O", "1", "l").Replace(text), strings.NewReplacer("0", "o", "1", "I").Replace(text)} {
					if got, err := k.Read(copied, now); err != nil || got != want {
						t.Errorf("Read(%s) = %v, %v; want %v", copied, got, err, want)
					}
					if got, ok := Unverified(copied, now); !ok || got != want {
						t.Errorf("Unverified(%s) = %v, %v; want %v", copied, got, ok, want)
					}
				}
			}
		}
	}
}

// An IPv4 address that IPv6 carries is that address; a zone is left out.
func TestMakeAddress(t *testing.T) {
	k := keys(t, line1)
	for in, want := range map[string]string{"::ffff:192.0.2.1": "192.0.2.1", "64:ff9b::c000:201": "192.0.2.1", "fe80::1%eth0": "fe80::1"} {
		got, err := k.Read(k.Make(Case{At: now, Client: netip.MustParseAddr(in)}), now)
		if err != nil || got.Client != netip.MustParseAddr(want) {
			t.Errorf("case of %s reads %v, %v; want %s", in, got.Client, err, want)
		}
	}
	for _, none := range []*Keys{nil, {}} {
		if got := none.Make(Case{At: now, Client: netip.MustParseAddr("192.0.2.1")}); got != "" {
			t.Errorf("without a key the case number is %q; want none", got)
		}
		if _, err := none.Read(k.Make(Case{At: now, Client: netip.MustParseAddr("192.0.2.1")}), now); !errors.Is(err, ErrForeign) {
			t.Errorf("without a key reading says %v; want %v", err, ErrForeign)
		}
	}
	if got := k.Make(Case{At: now}); got != "" {
		t.Errorf("without an address the case number is %q; want none", got)
	}
}

// What stands in numbers that are out in the world does not change.
func TestStable(t *testing.T) {
	k := keys(t, line1)
	for _, tt := range []struct {
		c    Case
		want string
	}{
		{Case{NoPTR, now, netip.MustParseAddr("192.0.2.1")}, "474bd4p000103yjg3t0n60yc60"},
		{Case{Undetermined, now, netip.MustParseAddr("2001:db8::25")}, "634bd4h0046vg0000000000000000015ekcs3b3aqfjs6"},
	} {
		if got := k.Make(tt.c); got != tt.want {
			t.Errorf("Make(%v) = %s; want %s", tt.c, got, tt.want)
		}
	}
}

func TestAge(t *testing.T) {
	k := keys(t, line1)
	made := now.Truncate(time.Minute)
	text := k.Make(Case{NoPTR, made, netip.MustParseAddr("192.0.2.1")})
	for _, tt := range []struct {
		after time.Duration
		want  error
	}{
		{0, nil},
		{Valid, nil},
		{Valid + time.Second, ErrOld},
		{5 * 365 * 24 * time.Hour, ErrOld},
		{-skew, nil},
		{-skew - time.Second, ErrOld},
		{minutes * time.Minute, nil}, // once in 32 years a number is valid again
	} {
		c, err := k.Read(text, made.Add(tt.after))
		if !errors.Is(err, tt.want) || (tt.want == nil) != (err == nil) {
			t.Errorf("%s after it was made: %v; want %v", tt.after, err, tt.want)
		}
		if c.Client.String() != "192.0.2.1" || c.Cause != NoPTR {
			t.Errorf("%s after it was made it tells %v; want the case", tt.after, c)
		}
		if tt.after < minutes/2*time.Minute && !c.At.Equal(made) {
			t.Errorf("%s after it was made it is of %s; want %s", tt.after, c.At, made)
		}
	}
}

func TestMalformed(t *testing.T) {
	k := keys(t, line1)
	good := k.Make(Case{NoPTR, now, netip.MustParseAddr("192.0.2.1")})
	zero := func(n int) string { return strings.Repeat("0", n) }
	for _, text := range []string{
		"", good[1:], good + "0", good[:25] + "u", good[:25] + "-", good[:25] + "\n", good[:24] + "\r\n", good[:24] + "é", " " + good[1:],
		zero(Length4), zero(Length6), // version 0
		"7w" + good[2:],                            // a cause that there is not yet
		good[:25] + string(good[25]+1),             // bits are left over that are not zero
		"40000000000000000000fffg0000000000000000", // of neither length
	} {
		if c, err := k.Read(text, now); !errors.Is(err, ErrMalformed) || c != (Case{}) {
			t.Errorf("Read(%q) = %v, %v; want %v", text, c, err, ErrMalformed)
		}
		if c, ok := Unverified(text, now); ok || c != (Case{}) {
			t.Errorf("Unverified(%q) = %v, %v; want none", text, c, ok)
		}
	}
	// An IPv4 address has one number, not one of each length.
	mapped := netip.MustParseAddr("::ffff:192.0.2.1").As16()
	p := append([]byte{version<<causeBits | byte(NoPTR), 0, 0, 0}, mapped[:]...)
	p = binary.BigEndian.AppendUint64(p, k.list[0].mac(p))
	if _, err := k.Read(encoding.EncodeToString(p), now); !errors.Is(err, ErrMalformed) {
		t.Errorf("an IPv4 address in IPv6 form: %v; want %v", err, ErrMalformed)
	}
}

// Several MX read each other's numbers if they share a key, and no others.
func TestSharedKeys(t *testing.T) {
	one, both, other := keys(t, line1), keys(t, line2, "# the old one", line1), keys(t, line2)
	c := Case{Generic, now.Truncate(time.Minute), netip.MustParseAddr("2001:db8::1")}
	for _, tt := range []struct {
		name         string
		maker, reads *Keys
		want         error
	}{
		{"the key that was there before", one, both, nil},
		{"the new one, by who has both", both, other, nil},
		{"the new one, by who has the old one", both, one, ErrForeign},
		{"changed", one, other, ErrForeign},
	} {
		if got, err := tt.reads.Read(tt.maker.Make(c), now); !errors.Is(err, tt.want) || (err == nil) != (got == c) {
			t.Errorf("%s: %v, %v; want %v", tt.name, got, err, tt.want)
		}
	}
}

func TestParseKeys(t *testing.T) {
	long := strings.Repeat("k", maxKeySize)
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(long[:minKeySize] + string(rune('a'+i)) + "\n")
		}
		return b.String()
	}
	for _, tt := range []struct {
		text string
		want int // keys
		err  string
	}{
		{line1, 1, ""},
		{"# signs\r\n" + line1 + "\r\n\r\n  " + line2 + "  \r\n", 2, ""},
		{long, 1, ""},
		{many(maxKeys), maxKeys, ""},
		{NewKey(), 1, ""},
		{"", 0, `no key: want one a line, such as of "openssl rand -hex 16"`},
		{"# none\n", 0, `no key: want one a line, such as of "openssl rand -hex 16"`},
		{line1 + "\nsecret", 0, `line 2: a key of 6 bytes: want at least 20 that nobody can guess, such as of "openssl rand -hex 16"`},
		{"\n" + long + "k", 0, "line 2: a key of 257 bytes: want at most 256"},
		{line1 + "\n" + line1, 0, "line 2: the key of line 1 again"},
		{"a key of several words it is", 0, "line 1: a key has printable ASCII characters only, and no space"},
		{"schlüssel-0123456789abcdef", 0, "line 1: a key has printable ASCII characters only, and no space"},
		{many(maxKeys + 1), 0, "line 17: want at most 16 keys"},
		{"x\n" + line1 + "y z", 0, "line 1: a key of 1 bytes: want at least 20 that nobody can guess, such as of \"openssl rand -hex 16\"\nline 2: a key has printable ASCII characters only, and no space"},
	} {
		k, err := ParseKeys(tt.text)
		got := ""
		if err != nil {
			got = err.Error()
		}
		if got != tt.err || tt.err == "" && len(k.list) != tt.want || tt.err != "" && k != nil {
			t.Errorf("ParseKeys(%.60q) = %v, %q; want %d keys, %q", tt.text, k, got, tt.want, tt.err)
		}
	}
	if a, b := NewKey(), NewKey(); a == b || len(a) < minKeySize {
		t.Errorf("new keys are %s and %s; want two of 128 bits", a, b)
	}
}

func TestCauses(t *testing.T) {
	if NumCauses > 1<<causeBits {
		t.Fatalf("%d causes; want at most %d", NumCauses, 1<<causeBits)
	}
	seen := map[string]bool{}
	for _, c := range Causes() {
		word := c.String()
		if word == "" || len(word) > 15 || seen[word] || strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") != "" {
			t.Errorf("cause %d is %q; want a word of its own, of lower-case letters and hyphens, at most 15", c, word)
		}
		seen[word] = true
		if back, ok := CauseByWord(word); !ok || back != c {
			t.Errorf("CauseByWord(%s) = %v, %v; want %v", word, back, ok, c)
		}
	}
	if _, ok := CauseByWord("nonsense"); ok || NumCauses.String() != "other" {
		t.Error("a cause that there is not is one")
	}
}

// tries is how many forged numbers of each kind are tried.
func tries() int {
	switch {
	case os.Getenv("POLICYD_RDNS_LONG") != "":
		return 1 << 20
	case testing.Short():
		return 1 << 12
	}
	return 1 << 16
}

// Whoever has a number, or many, makes no other one of it.
func TestForged(t *testing.T) {
	k := keys(t, line1, line2)
	foreign := keys(t, "key-3-0123456789abcdef")
	random := rand.New(rand.NewPCG(1, 2))
	some := func() Case {
		var a [16]byte
		for i := range a {
			a[i] = byte(random.Uint32())
		}
		c := Case{Cause: Cause(random.IntN(int(NumCauses))), At: now.Add(-time.Duration(random.Int64N(int64(Valid))))}
		if c.Client = netip.AddrFrom16(a); random.IntN(2) == 0 {
			c.Client = netip.AddrFrom4([4]byte(a[:4]))
		}
		return c
	}
	// of takes a number apart and together again.
	of := func(text string, change func(p []byte)) string {
		p, err := encoding.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		change(p)
		return encoding.EncodeToString(p)
	}
	const letters = "0123456789abcdefghjkmnpqrstvwxyz"
	kinds := []struct {
		name  string
		forge func(good string) string
	}{
		{"one bit", func(good string) string {
			return of(good, func(p []byte) { p[random.IntN(len(p))] ^= 1 << random.IntN(8) })
		}},
		{"one character", func(good string) string {
			i := random.IntN(len(good))
			return good[:i] + string(letters[random.IntN(32)]) + good[i+1:]
		}},
		{"two characters change places", func(good string) string {
			b := []byte(good)
			i, j := random.IntN(len(b)), random.IntN(len(b))
			b[i], b[j] = b[j], b[i]
			return string(b)
		}},
		{"another cause", func(good string) string {
			return of(good, func(p []byte) { p[0] = version<<causeBits | byte(random.IntN(int(NumCauses))) })
		}},
		{"another minute", func(good string) string {
			return of(good, func(p []byte) { p[3] += byte(1 + random.IntN(255)) })
		}},
		{"the address next to it", func(good string) string {
			return of(good, func(p []byte) { p[len(p)-macSize-1] += byte(1 + random.IntN(255)) })
		}},
		{"any address", func(good string) string {
			return of(good, func(p []byte) {
				for i := headSize; i < len(p)-macSize; i++ {
					p[i] = byte(random.Uint32())
				}
			})
		}},
		{"any code", func(good string) string {
			return of(good, func(p []byte) { binary.BigEndian.PutUint64(p[len(p)-macSize:], random.Uint64()) })
		}},
		{"the code of another case", func(good string) string {
			other, _ := encoding.DecodeString(k.Make(some()))
			return of(good, func(p []byte) { copy(p[len(p)-macSize:], other[len(other)-macSize:]) })
		}},
		{"another key", func(string) string { return foreign.Make(some()) }},
		{"all of it", func(good string) string {
			b := []byte(good)
			for i := range b {
				b[i] = letters[random.IntN(32)]
			}
			return string(b)
		}},
	}
	for _, kind := range kinds {
		reached := 0
		for range tries() {
			good := k.Make(some())
			text := kind.forge(good)
			if text == good {
				continue
			}
			c, err := k.Read(text, now)
			if err == nil || errors.Is(err, ErrOld) {
				t.Fatalf("%s: of %s was made %s, which reads %v, %v", kind.name, good, text, c, err)
			}
			if errors.Is(err, ErrForeign) {
				reached++
			}
		}
		least := tries() / 2
		if kind.name == "all of it" {
			least = tries() / 100 // the version, the cause, and no bits left over
		}
		if reached < least {
			t.Errorf("%s: of %d only %d have the form of a case number", kind.name, tries(), reached)
		}
	}
}

// Whatever is read is what was made: with the right code in its place, it is read, and
// made again it is the same.
func FuzzRead(f *testing.F) {
	k := keys(f, line1, line2)
	for _, client := range addresses {
		for _, cause := range []Cause{Other, NoPTR, Undetermined} {
			text := k.Make(Case{cause, now, netip.MustParseAddr(client)})
			f.Add(text)
			f.Add(strings.ToUpper(text))
			f.Add(text[:len(text)-1])
		}
	}
	f.Add("")
	f.Add(strings.Repeat("z", Length4))
	f.Add(strings.Repeat("z", Length6))
	f.Add(strings.Repeat("\n", Length4))
	f.Fuzz(func(t *testing.T, text string) {
		read, err := k.Read(text, now)
		c, ok := Unverified(text, now)
		switch {
		case ok == errors.Is(err, ErrMalformed):
			t.Fatalf("%q: without a key %v, with it %v", text, ok, err)
		case err == nil && read != c:
			t.Fatalf("%q: without a key %v, with it %v", text, c, read)
		case !ok:
			return
		}
		if c.Cause >= NumCauses || !c.Client.IsValid() || c.Client != address.Plain(c.Client) || c.At.Before(now.AddDate(-17, 0, 0)) || c.At.After(now.AddDate(17, 0, 0)) {
			t.Fatalf("%q tells %v", text, c)
		}
		again := k.Make(c)
		if got, ok := Unverified(again, now); !ok || got != c {
			t.Fatalf("%q tells %v, and made again %v, %v", text, c, got, ok)
		}
		if size := len(text) * 5 / 8; again[:(size-macSize)*8/5] != plain(text)[:(size-macSize)*8/5] {
			t.Fatalf("%q and %q tell the same case %v", text, again, c)
		}
	})
}

// plain is a well-formed text as it was made.
func plain(text string) string {
	return strings.NewReplacer("o", "0", "i", "1", "l", "1").Replace(strings.ToLower(text))
}

var sink int

func BenchmarkMake(b *testing.B) {
	k := keys(b, line1, line2)
	for _, client := range []string{"192.0.2.1", "2001:db8::1"} {
		b.Run(client, func(b *testing.B) {
			c := Case{NoPTR, now, netip.MustParseAddr(client)}
			buffer := make([]byte, 0, Length6)
			b.ReportAllocs()
			for b.Loop() {
				sink += len(k.Append(buffer, c))
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	k := keys(b, line2, line1)
	text := keys(b, line1).Make(Case{NoPTR, now, netip.MustParseAddr("2001:db8::1")})
	b.ReportAllocs()
	for b.Loop() {
		if _, err := k.Read(text, now); err != nil {
			b.Fatal(err)
		}
	}
}
