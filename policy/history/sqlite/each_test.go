package sqlite_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/sqlite"
)

// TestEach: all that was saved is listed, by the store and by one who only looks.
func TestEach(t *testing.T) {
	path := filepath.Join(t.TempDir(), "history.sqlite")
	s := sqlite.Open(path, sqlite.Options{Settings: history.Settings{Delay: 1e9, Window: 48 * 3600e9, Keep: 35 * 24 * 3600e9}})
	defer s.Close()
	if _, err := s.Key(t.Context()); err != nil {
		t.Fatal(err)
	}
	now := history.MomentOf(time.Now())
	want := map[history.Party]history.Record{
		"a:203.0.113.10": {FirstContact: now, LastContact: now}, "o:example.com": {FirstContact: now, LastContact: now, FirstPass: now, LastPass: now},
	}
	var batch []history.Stored
	for p, r := range want {
		batch = append(batch, history.Stored{Party: p, Record: r})
	}
	if err := s.Save(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	got := map[history.Party]history.Record{}
	if err := s.Each(t.Context(), func(p history.Party, r *history.Record) { got[p] = *r }); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
}
