package sqlite

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/storetest"
)

const now = history.Moment(1_800_000_000)

var settings = history.Settings{Delay: 3 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}

func options() Options {
	return Options{Settings: settings, Now: func() time.Time { return now.Time() }}
}

// aFile is a path in a folder of its own.
func aFile(t testing.TB) string { return filepath.Join(t.TempDir(), "history #1?.db") }

// opened is a store that a test ends.
func opened(t testing.TB, path string, o Options) *Store {
	t.Helper()
	s := Open(path, o)
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return s
}

// TestStore: what was saved is there, merged, in the order asked for, also after the
// file was closed; the key stays.
func TestStore(t *testing.T) {
	path := aFile(t)
	s := opened(t, path, options())
	key := storetest.Key(t, s)
	if key == (history.Key{}) {
		t.Error("the key is empty")
	}
	whole := storetest.Whole(now)
	const address, network, helo = "a:192.0.2.1", "n:2001:db8:0:1::/64", "h:mx.example.com"
	storetest.Save(t, s, history.Stored{Party: address, Record: whole}, storetest.Stranger(network, now))
	storetest.Save(t, s, history.Stored{Party: network, Record: history.Record{LastContact: now + 5, FirstPass: now + 5, LastPass: now + 5}})
	want := []history.Record{
		{},
		{FirstContact: now, LastContact: now + 5, FirstPass: now + 5, LastPass: now + 5},
		whole,
	}
	for _, after := range []string{"saved", "opened again"} {
		if got := storetest.Load(t, s, helo, network, address); !reflect.DeepEqual(got, want) {
			t.Errorf("Load when %s = %+v; want %+v", after, got, want)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		s = opened(t, path, options())
	}
	if again := storetest.Key(t, s); again != key {
		t.Errorf("Key = %x when opened again; want %x", again, key)
	}
	if err := s.Delete(storetest.Bounded(t), []history.Party{address, helo}); err != nil {
		t.Fatal(err)
	}
	want[2] = history.Record{}
	if got := storetest.Load(t, s, helo, network, address); !reflect.DeepEqual(got, want) {
		t.Errorf("Load after Delete = %+v; want %+v", got, want)
	}
	many := make([]history.Stored, 3*most+1)
	parties := make([]history.Party, len(many))
	for i := range many {
		many[i] = storetest.Stranger(storetest.Number(i), now)
		parties[len(many)-1-i] = many[i].Party
	}
	storetest.Save(t, s, many...)
	for i, r := range storetest.Load(t, s, parties...) {
		if r.Empty() {
			t.Errorf("%s is not there", parties[i])
		}
	}
}

// TestModes: the file and what is beside it is its owner's, and the latter goes.
func TestModes(t *testing.T) {
	path := aFile(t)
	s := opened(t, path, options())
	storetest.Save(t, s, storetest.Stranger("a:192.0.2.1", now))
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		info, err := os.Stat(name)
		if err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v; want mode 0600", name, info.Mode(), err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if left := files(t, path); len(left) != 1 {
		t.Errorf("after Close there are %q", left)
	}
	if _, err := s.Load(storetest.Bounded(t), []history.Party{"a:192.0.2.1"}); err == nil {
		t.Error("Load works after Close")
	}
}

// files are the names beside a file, with its own.
func files(t testing.TB, path string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// TestOver: who is forgotten goes with later batches, a few at a time.
func TestOver(t *testing.T) {
	o := options()
	at := now
	o.Now = func() time.Time { return at.Time() }
	s := opened(t, aFile(t), o)
	const n = 3 * atOnce
	var batch []history.Stored
	for i := range n {
		batch = append(batch, storetest.Stranger(storetest.Number(i), now), storetest.Known(storetest.Number(n+i), now))
	}
	storetest.Save(t, s, batch...)
	for _, c := range []struct {
		after history.Moment
		saves int
		want  int64
	}{
		{0, 1, 2*n + 1},
		{1 * 86400, 3, 2*n + 2},
		{3 * 86400, 1, 2*n + 3 - (atOnce + 2)}, // one batch lets no more go
		{3 * 86400, 5, n + 2},
		{40 * 86400, 9, 1},
	} {
		at = now + c.after
		for range c.saves {
			storetest.Save(t, s, storetest.Stranger(history.Party(fmt.Sprintf("h:%d.example", c.after)), at))
		}
		if got := counted(t, s); got != c.want {
			t.Errorf("after %d s there are %d parties; want %d", c.after, got, c.want)
		}
	}
}

// counted is how many parties there are, by the file's own count, which is right.
func counted(t *testing.T, s *Store) int64 {
	t.Helper()
	count, err := s.w.values(storetest.Bounded(t), "SELECT (SELECT count(*) FROM party), parties FROM meta")
	if err != nil || len(count) != 2 || count[0] != count[1] {
		t.Fatalf("parties: there are %v, counted; %v", count, err)
	}
	return count[0].(int64)
}

// TestLimit: beyond the limit strangers go first, the oldest first; then who passed
// longest ago.
func TestLimit(t *testing.T) {
	o := options()
	o.Limit = 300
	s := opened(t, aFile(t), o)
	var batch []history.Stored
	for i := range 200 {
		batch = append(batch, storetest.Stranger(storetest.Number(i), now-history.Moment(i)*600), storetest.Known(storetest.Number(200+i), now-history.Moment(i)*3600))
	}
	storetest.Save(t, s, batch...)
	if got := counted(t, s); got != 300 {
		t.Errorf("there are %d parties; want the limit", got)
	}
	for i, r := range storetest.Load(t, s, storetest.Number(0), storetest.Number(90), storetest.Number(110), storetest.Number(199), storetest.Number(200), storetest.Number(399)) {
		if want := i == 2 || i == 3; r.Empty() != want {
			t.Errorf("%d is gone: %v; want %v", i, r.Empty(), want)
		}
	}
	batch = nil
	for i := range 300 {
		batch = append(batch, storetest.Known(storetest.Number(1000+i), now))
	}
	storetest.Save(t, s, batch...)
	if got := counted(t, s); got != 300 {
		t.Errorf("there are %d parties; want the limit", got)
	}
	for i, r := range storetest.Load(t, s, storetest.Number(0), storetest.Number(399), storetest.Number(1299)) {
		if want := i < 2; r.Empty() != want {
			t.Errorf("%d is gone: %v; want %v", i, r.Empty(), want)
		}
	}
}

// TestDeletedByHand: the count of the parties is put right before any goes for it.
func TestDeletedByHand(t *testing.T) {
	o := options()
	o.Limit = 100
	s := opened(t, aFile(t), o)
	batch := make([]history.Stored, 90)
	for i := range batch {
		batch[i] = storetest.Stranger(storetest.Number(i), now)
	}
	storetest.Save(t, s, batch...)
	if err := s.w.exec(storetest.Bounded(t), "DELETE FROM party WHERE party < 'o:n000060'"); err != nil {
		t.Fatal(err)
	}
	for i := range batch {
		batch[i].Party = storetest.Number(100 + i)
	}
	storetest.Save(t, s, batch[:50]...)
	if got := counted(t, s); got != 80 {
		t.Errorf("there are %d parties; want 80", got)
	}
}

// TestForeignRows: what was put into the file by hand is no record, and is written over.
func TestForeignRows(t *testing.T) {
	s := opened(t, aFile(t), options())
	storetest.Key(t, s)
	parties := []history.Party{"a:192.0.2.1", "a:192.0.2.2", "a:192.0.2.3", "a:192.0.2.4", "a:192.0.2.5"}
	for i, values := range []string{
		"-1, 0, 0, 0, 0, 0, 0, NULL",
		"4294967296, 0, 0, 0, 0, 0, 0, NULL",
		"1, 0, 0, 0, 0, 0, 0, x'01'",
		"1, 0, 0, 0, 0, 0, 0, zeroblob(72)",
		"1, 0, 0, 0, 0, 0, 0, zeroblob(100000)",
	} {
		err := s.w.exec(storetest.Bounded(t), "INSERT INTO party VALUES ('"+string(parties[i])+"', "+values+", 7)")
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, r := range storetest.Load(t, s, parties...) {
		if !reflect.DeepEqual(r, history.Record{}) {
			t.Errorf("%s = %+v; want nothing", parties[i], r)
		}
	}
	var batch []history.Stored
	for _, p := range parties {
		batch = append(batch, storetest.Known(p, now))
	}
	storetest.Save(t, s, batch...)
	for i, r := range storetest.Load(t, s, parties...) {
		if r.LastPass != now {
			t.Errorf("%s = %+v after Save", parties[i], r)
		}
	}
	for _, row := range []string{"rank", "length(deferrals)"} {
		got, err := s.w.values(storetest.Bounded(t), "SELECT min("+row+"), max("+row+") FROM party")
		if err != nil || got[0] != got[1] {
			t.Errorf("%s = %v, %v; want it written anew", row, got, err)
		}
	}
}

// TestContext: a call whose time is over returns, and what it wanted has not happened.
func TestContext(t *testing.T) {
	s := opened(t, aFile(t), options())
	storetest.Key(t, s)
	over, cancel := context.WithCancel(context.Background())
	cancel()
	for name, err := range map[string]error{
		"Save":   s.Save(over, []history.Stored{storetest.Known("a:192.0.2.1", now)}),
		"Delete": s.Delete(over, []history.Party{"a:192.0.2.1"}),
		"Key":    func() error { _, err := s.Key(over); return err }(),
		"Load":   func() error { _, err := s.Load(over, []history.Party{"a:192.0.2.1"}); return err }(),
	} {
		if err == nil {
			t.Errorf("%s works without time", name)
		}
	}
	// The disk hangs: another call does not come back.
	s.reading <- struct{}{}
	s.writing <- struct{}{}
	short, cancel := context.WithTimeout(context.Background(), 5*time.Millisecond)
	defer cancel()
	if _, err := s.Load(short, []history.Party{"a:192.0.2.1"}); err == nil || !strings.Contains(err.Error(), "deadline") {
		t.Errorf("Load while the disk hangs: %v", err)
	}
	if err := s.Save(short, []history.Stored{storetest.Known("a:192.0.2.1", now)}); err == nil {
		t.Error("Save works while the disk hangs")
	}
	<-s.reading
	<-s.writing
	storetest.Save(t, s, storetest.Known("a:192.0.2.1", now))
}
