package resolver

import (
	"bytes"
	"fmt"
	"iter"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestReadRefuses: contents that no cache has, though the checksum holds.
func TestReadRefuses(t *testing.T) {
	good := savedAnswer{qtype: 1, host: "a.example.com", ttl: time.Minute, addrs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}}
	long := strings.Repeat("a.", 127) + "example.com"
	for _, test := range []struct {
		name   string
		change func(*savedAnswer)
		ok     bool
	}{
		{"good", func(*savedAnswer) {}, true},
		{"another type", func(a *savedAnswer) { a.qtype = 15 }, false},
		{"no name", func(a *savedAnswer) { a.host = "" }, false},
		{"the root", func(a *savedAnswer) { a.host = "." }, false},
		{"upper case", func(a *savedAnswer) { a.host = "A.example.com" }, false},
		{"final dot", func(a *savedAnswer) { a.host = "a.example.com." }, false},
		{"an unescaped byte", func(a *savedAnswer) { a.host = "a\n.example.com" }, false},
		{"no domain name", func(a *savedAnswer) { a.host = long }, false},
		{"far too long", func(a *savedAnswer) { a.host = strings.Repeat(long, 10) }, false},
		{"too long a TTL", func(a *savedAnswer) { a.ttl = maxPositive + time.Millisecond }, false},
		{"too old", func(a *savedAnswer) { a.age = maxPositive + maxStale + time.Millisecond }, false},
		{"100 records", func(a *savedAnswer) { a.addrs = slices.Repeat(a.addrs, MaxRecords) }, true},
		{"101 records", func(a *savedAnswer) { a.addrs = slices.Repeat(a.addrs, MaxRecords+1) }, false},
		{"a name with an unescaped byte", func(a *savedAnswer) { *a = savedAnswer{qtype: 12, names: []string{"a\nb.example.com"}} }, false},
	} {
		a := good
		test.change(&a)
		var file bytes.Buffer
		if err := writeCache(&file, time.Now(), one(&a)); err != nil {
			t.Fatal(err)
		}
		if err := readAll(file.Bytes()); (err == nil) != test.ok {
			t.Errorf("%s: error %v; want one: %v", test.name, err, !test.ok)
		}
	}
}

// TestEveryByte: no change of a single bit and no cut goes unnoticed.
func TestEveryByte(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := written(t, time.Now())
		for i := range file {
			damaged := slices.Clone(file)
			damaged[i] ^= 1 << (i % 8)
			if readAll(damaged) == nil {
				t.Errorf("byte %d changed: no error", i)
			}
			if readAll(file[:i]) == nil {
				t.Errorf("cut at byte %d: no error", i)
			}
		}
	})
}

// readAll reads a cache file and says what is wrong with it.
func readAll(file []byte) error {
	for _, err := range readCache(bytes.NewReader(file), time.Now()) {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestReadAncient: no time in a file makes answers young.
func TestReadAncient(t *testing.T) {
	a := savedAnswer{qtype: 1, host: "a.example.com", age: time.Minute}
	var file bytes.Buffer
	if err := writeCache(&file, time.UnixMilli(math.MinInt64), one(&a)); err != nil {
		t.Fatal(err)
	}
	for a, err := range readCache(&file, time.Now()) {
		if err != nil || a.age < maxPositive+maxStale {
			t.Errorf("age %v, %v; want %v or more", a.age, err, maxPositive+maxStale)
		}
	}
}

func one(a *savedAnswer) iter.Seq[*savedAnswer] {
	return func(yield func(*savedAnswer) bool) { yield(a) }
}

// FuzzReadCache: what is read is bounded, and can be written and read again.
func FuzzReadCache(f *testing.F) {
	var file bytes.Buffer
	a := savedAnswer{qtype: 28, host: `it\'s.example.com`, ttl: time.Hour, age: time.Second, addrs: []netip.Addr{netip.IPv6Unspecified()}}
	if err := writeCache(&file, time.Unix(1e9, 0), one(&a)); err != nil {
		f.Fatal(err)
	}
	f.Add(file.Bytes())
	f.Fuzz(func(t *testing.T, file []byte) {
		now := time.Unix(2e9, 0)
		for a, err := range readCache(bytes.NewReader(file), now) {
			if err != nil {
				return
			}
			if len(a.names)+len(a.addrs) > MaxRecords || len(a.host) > maxText || a.ttl > maxPositive || a.age < 0 {
				t.Fatalf("read %+v", a)
			}
			a.age = min(a.age, maxPositive+maxStale)
			var again bytes.Buffer
			if err := writeCache(&again, now, one(a)); err != nil {
				t.Fatal(err)
			}
			for b, err := range readCache(&again, now) {
				if err != nil || fmt.Sprint(a) != fmt.Sprint(b) {
					t.Fatalf("%+v, written and read = %+v, %v", a, b, err)
				}
			}
		}
	})
}
