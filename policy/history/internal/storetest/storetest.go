// Package storetest is what the tests of all stores call a store with. What has to go well
// ends the test if it does not.
package storetest

import (
	"context"
	"fmt"
	"testing"
	"time"

	"policyd-rdns/policy/history"
)

// Bounded is a context that no healthy call needs all of.
func Bounded(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// Key is the key of a store.
func Key(t testing.TB, s history.Store) history.Key {
	t.Helper()
	key, err := s.Key(Bounded(t))
	if err != nil {
		t.Fatalf("Key: %v", err)
	}
	return key
}

// Save saves records.
func Save(t testing.TB, s history.Store, records ...history.Stored) {
	t.Helper()
	if err := s.Save(Bounded(t), records); err != nil {
		t.Fatalf("Save: %v", err)
	}
}

// Load are the records of parties, in their order.
func Load(t testing.TB, s history.Store, parties ...history.Party) []history.Record {
	t.Helper()
	records, err := s.Load(Bounded(t), parties)
	if err != nil || len(records) != len(parties) {
		t.Fatalf("Load: %v, %v", records, err)
	}
	return records
}

// Stranger is a party that came once.
func Stranger(party history.Party, first history.Moment) history.Stored {
	return history.Stored{Party: party, Record: history.Record{FirstContact: first, LastContact: first}}
}

// Known is a party that passed on two days.
func Known(party history.Party, last history.Moment) history.Stored {
	return history.Stored{Party: party, Record: history.Record{FirstContact: last - 86400, LastContact: last, FirstPass: last - 86400, LastPass: last}}
}

// Number is one of many parties.
func Number(i int) history.Party {
	return history.MakeParty(history.KindOrganisation, fmt.Sprintf("n%06d.example", i))
}

// Whole is a record that has all that a record can have.
func Whole(now history.Moment) history.Record {
	whole := history.Record{
		FirstContact: now - 900, LastContact: now, FirstPass: now - 800, LastPass: now - 700, Returned: now - 750, Objected: now - 500,
		LastObjection: now - 400,
	}
	for i := range history.MaxDeferrals {
		whole.Deferrals = append(whole.Deferrals, history.Deferral{Hash: 0xfffffff0 + uint32(i), At: now - 300 + history.Moment(i)})
	}
	return whole
}
