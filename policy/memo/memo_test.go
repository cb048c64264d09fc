package memo_test

import (
	"sync"
	"testing"

	"policyd-rdns/policy/memo"
)

// TestTable: what is found of a key is what was kept of it last, however many others came
// meanwhile; most of as many as there is room for are found.
func TestTable(t *testing.T) {
	table := new(memo.Table[int, int])
	for value := range 3 {
		for key := range 100_000 {
			table.Keep(key, key+value)
			if got := table.Find(key); got == nil || *got != key+value {
				t.Fatalf("%d: found %v right after %d was kept", key, got, key+value)
			}
		}
		found := 0
		for key := range 100_000 {
			got := table.Find(key)
			if got == nil {
				continue
			}
			if found++; *got != key+value {
				t.Fatalf("%d: found %d; want %d, which was kept last", key, *got, key+value)
			}
		}
		if found > 1<<14 || found < 1<<14*9/10 {
			t.Errorf("%d keys are remembered; want nearly 16,384", found)
		}
	}
}

// TestTableFew: ten thousand keys that come in turn are nearly all remembered.
func TestTableFew(t *testing.T) {
	const keys = 10_000
	table, found := new(memo.Table[int, string]), 0
	for range 3 {
		found = 0
		for key := range keys {
			if table.Find(key) != nil {
				found++
			} else {
				table.Keep(key, "")
			}
		}
	}
	if found < keys*8/10 {
		t.Errorf("%d of %d keys are remembered when they come again", found, keys)
	}
}

// TestTableShared: many keep and find at once, and nobody finds what is another key's.
func TestTableShared(t *testing.T) {
	table := new(memo.Table[int, int])
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for key := range 20_000 {
				table.Keep(key, 2*key)
				if got := table.Find(key / 2); got != nil && *got != key/2*2 {
					t.Errorf("%d: found %d", key/2, *got)
				}
			}
		})
	}
	wg.Wait()
}
