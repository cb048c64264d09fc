package resolver

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// keeping is the text of a zone with answers of all kinds.
const keeping = `
a.example.com. 3600 A 192.0.2.1
a.example.com. 3600 A 192.0.2.2
a.example.com. 3600 AAAA 2001:db8::1
mapped.example.com. 3600 AAAA ::ffff:192.0.2.1
it\'s\@home.example. 3600 A 192.0.2.3
short.example.com. 60 A 192.0.2.4
1.2.0.192.in-addr.arpa. 3600 PTR mail.example.com.
2.2.0.192.in-addr.arpa. 3600 PTR a\010b\.c\255.example.com.
3.2.0.192.in-addr.arpa. 3600 PTR .
1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa. 3600 PTR six.example.com.
$GENERATE 1-150 many.example.com. 3600 A 198.51.100.$
!servfail broken.example.com
`

// kept are the questions about keeping, with the answers after a restart.
var kept = []struct{ question, want string }{
	{"A a.example.com", "cached: found 192.0.2.1 192.0.2.2"},
	{"AAAA a.example.com", "cached: found 2001:db8::1"},
	{"AAAA mapped.example.com", "cached: found ::ffff:192.0.2.1"},
	{`A it\'s\@home.example`, "cached: found 192.0.2.3"},
	{"A short.example.com", "cached: found 192.0.2.4"},
	{"PTR 192.0.2.1", "cached: found mail.example.com"},
	{"PTR 192.0.2.2", `cached: found a\010b\.c\255.example.com`},
	{"PTR 192.0.2.3", "cached: found ."},
	{"PTR 2001:db8::1", "cached: found six.example.com"},
	{"PTR 192.0.2.9", "cached: none"},
	{"A nothing.example.com", "cached: none"},
	{"A broken.example.com", "not asked"},
}

// TestSaveAndLoad: after a restart answers are as old as they are, and are given
// for as long as they would have been.
func TestSaveAndLoad(t *testing.T) {
	for _, test := range []struct {
		name        string
		stale       time.Duration
		before, off time.Duration // between the answers, SaveCache and LoadCache
		loaded      int
		change      map[string]string // of the answers
	}{
		{"at once", 0, 0, 0, 12, nil},
		{"not quite a minute", 0, 30 * time.Second, 29 * time.Second, 12, nil},
		{"a minute", 0, 30 * time.Second, 30 * time.Second, 9, map[string]string{
			"A short.example.com": "not asked", "PTR 192.0.2.9": "not asked", "A nothing.example.com": "not asked",
		}},
		{"a minute before", 0, time.Minute, 0, 9, map[string]string{
			"A short.example.com": "not asked", "PTR 192.0.2.9": "not asked", "A nothing.example.com": "not asked",
		}},
		{"an hour", 0, 0, time.Hour, 0, nil},
		{"a century", time.Hour, 0, 100 * 365 * 24 * time.Hour, 0, nil},
	} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "cache")
			first := configured(t, Config{Stale: test.stale}, keeping)
			for _, k := range kept {
				first.lookup(k.question, Options{})
			}
			first.lookup("A many.example.com", Options{})
			told := time.Now()
			time.Sleep(test.before)
			if err := first.SaveCache(path); err != nil {
				t.Fatal(err)
			}
			time.Sleep(test.off)
			b := configured(t, Config{Stale: test.stale}, "")
			if n, err := b.LoadCache(path); n != test.loaded || err != nil {
				t.Errorf("%s: LoadCache() = %d, %v; want %d", test.name, n, err, test.loaded)
			}
			for _, k := range kept {
				want := k.want
				if w, ok := test.change[k.question]; ok {
					want = w
				}
				if test.loaded == 0 {
					want = "not asked"
				}
				a := b.lookup(k.question, Options{CacheOnly: true})
				if got := words(a); got != want || a.Cached && a.Age != time.Since(told) {
					t.Errorf("%s: %s = %s, of %v; want %s, of %v", test.name, k.question, got, a.Age, want, time.Since(told))
				}
			}
			if a := b.lookup("A many.example.com", Options{CacheOnly: true}); test.loaded > 0 && (len(a.Addrs) != MaxRecords || !a.More) {
				t.Errorf("%s: many addresses = %s", test.name, words(a))
			}
			if got := b.hosts.cache.many.Len(); test.loaded > 0 && got != 1 {
				t.Errorf("%s: %d large answers; want 1", test.name, got)
			}
		})
	}
}

// TestSaveStale: what is past its TTL is kept as well, if it may be given, and
// goes on to grow old.
func TestSaveStale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cache")
		day := Config{Stale: 24 * time.Hour}
		b := configured(t, day, "a.example.com. 3600 A 192.0.2.1")
		b.lookup("A a.example.com", Options{})
		time.Sleep(24 * time.Hour)
		if err := b.SaveCache(path); err != nil {
			t.Fatal(err)
		}
		for _, step := range []struct {
			after time.Duration
			want  string
		}{
			{0, "stale: found 192.0.2.1"},
			{time.Hour - time.Millisecond, "stale: found 192.0.2.1"},
			{time.Millisecond, "temperror: SERVFAIL from 192.0.2.53:53"},
		} {
			time.Sleep(step.after)
			b := configured(t, day, "!servfail *")
			if _, err := b.LoadCache(path); err != nil {
				t.Fatal(err)
			}
			if got := b.say("A a.example.com", Options{}); got != step.want {
				t.Errorf("%v later = %s; want %s", step.after, got, step.want)
			}
		}
	})
}

// TestLoadKeepsNewer: what has been asked since the start is newer than the file.
func TestLoadKeepsNewer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cache")
		b := newBed(t, "a.example.com. A 192.0.2.1\nb.example.com. A 192.0.2.1")
		b.lookup("A a.example.com", Options{})
		b.lookup("A b.example.com", Options{})
		if err := b.SaveCache(path); err != nil {
			t.Fatal(err)
		}
		b = newBed(t, "a.example.com. A 192.0.2.2")
		b.lookup("A a.example.com", Options{})
		if n, err := b.LoadCache(path); n != 1 || err != nil {
			t.Errorf("LoadCache() = %d, %v; want 1", n, err)
		}
		if got, want := b.say("A a.example.com", Options{}), "cached: found 192.0.2.2"; got != want {
			t.Errorf("= %s; want %s", got, want)
		}
	})
}

// TestLoadIntoSmaller: those used last are kept.
func TestLoadIntoSmaller(t *testing.T) {
	path := filepath.Join(t.TempDir(), "cache")
	now := time.Now()
	large := filled(t, 100, func() time.Time { return now })
	defer large.Close()
	now = now.Add(2 * time.Second)
	for i := range 10 {
		ip, name := client(i)
		large.LookupPTR(t.Context(), ip, Options{})
		large.LookupAddrs(t.Context(), "ip4", name, Options{})
	}
	if err := large.SaveCache(path); err != nil {
		t.Fatal(err)
	}
	small := filled(t, 2, nil)
	defer small.Close()
	small.Resize(20)
	if _, err := small.LoadCache(path); err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		ip, name := client(i)
		ptr := small.LookupPTR(t.Context(), ip, Options{CacheOnly: true})
		a := small.LookupAddrs(t.Context(), "ip4", name, Options{CacheOnly: true})
		if ptr.Outcome != Found || a.Outcome != Found {
			t.Errorf("client %d, used last: %s, %s; want both found", i, words(ptr), words(a))
		}
	}
	if n := small.Stats().Entries; n != 20 {
		t.Errorf("%d answers kept; want 20", n)
	}
}

// TestLoadRefuses: a file that is not just as it was written is an error, and
// nothing of it is taken.
func TestLoadRefuses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "cache")
		b := newBed(t, "")
		refused := func(what string, file []byte, why string) {
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			n, err := b.LoadCache(path)
			if err == nil || why != "" && err.Error() != path+": "+why {
				t.Errorf("%s: LoadCache() = %v; want %q", what, err, why)
			}
			if n != 0 || b.Stats().Entries != 0 {
				t.Errorf("%s: LoadCache() = %d, %d answers kept; want none", what, n, b.Stats().Entries)
			}
		}
		file := written(t, time.Now())
		last := len(file) - 1
		refused("nothing", nil, "damaged: EOF")
		refused("the last byte changed", append(slices.Clone(file[:last]), file[last]^1), "damaged")
		refused("the last byte missing", file[:last], "damaged: unexpected EOF")
		refused("something after it", append(slices.Clone(file), 0), "damaged")
		refused("twice", append(slices.Clone(file), file...), "damaged")
		refused("text", []byte("# a configuration\nmode = \"enforce\"\n"), "no cache file of this version")
		refused("another version", bytes.Replace(file, []byte("cache 1"), []byte("cache 2"), 1), "no cache file of this version")
		refused("from the future", written(t, time.Now().Add(time.Second)), "written in the future, at 2000-01-01T00:00:01Z")
	})
}

// written is a cache file with answers of all kinds, saved at a time.
func written(t *testing.T, at time.Time) []byte {
	t.Helper()
	b := newBed(t, keeping)
	for _, k := range kept {
		b.lookup(k.question, Options{})
	}
	var file bytes.Buffer
	if err := writeCache(&file, at, b.saved()); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

// TestSaveAtomic: the old file is there until the new one is whole, nothing else
// is left, and nobody else may read it.
func TestSaveAtomic(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "cache")
	r := filled(t, 100, nil)
	defer r.Close()
	if err := os.WriteFile(path, []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	// Left behind by one that was killed.
	if err := os.WriteFile(path+".new", []byte("half"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.SaveCache(path); err != nil {
		t.Fatal(err)
	}
	if s, err := os.Stat(path); err != nil || s.Mode().Perm() != 0o600 {
		t.Errorf("the file has mode %v, %v; want 0600", s.Mode(), err)
	}
	if n, err := r.LoadCache(path); n != 0 || err != nil {
		t.Errorf("LoadCache() = %d, %v; want 0, as all is there", n, err)
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "folder", "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{filepath.Join(dir, "folder"), filepath.Join(dir, "nowhere", "cache")} {
		if err := r.SaveCache(bad); err == nil {
			t.Errorf("SaveCache(%s) = nil; want an error", bad)
		}
	}
	if left, want := names(t, dir), []string{"cache", "folder"}; !slices.Equal(left, want) {
		t.Errorf("left in the folder: %q; want %q", left, want)
	}
}

func names(t *testing.T, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func TestLoadNoFile(t *testing.T) {
	r := filled(t, 2, nil)
	defer r.Close()
	dir := t.TempDir()
	if n, err := r.LoadCache(filepath.Join(dir, "cache")); n != 0 || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("LoadCache of no file = %d, %v; want fs.ErrNotExist", n, err)
	}
	if n, err := r.LoadCache(dir); n != 0 || err == nil {
		t.Errorf("LoadCache of a folder = %d, %v; want an error", n, err)
	}
}
