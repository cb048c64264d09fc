package sqlite

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/internal/storetest"
)

// million is how many parties the benchmarks have in their file. Half of them passed, as
// in a year's history of a small site; the others are as a bot net leaves them.
const million = 1_000_000

// benchFolder has the file of the benchmarks, if there is one.
var benchFolder string

// aMillion is the file with so many, made once.
var aMillion = sync.OnceValues(func() (string, error) {
	folder, err := os.MkdirTemp("", "policyd-rdns-bench-")
	if err != nil {
		return "", err
	}
	benchFolder = folder
	path := filepath.Join(folder, "history.db")
	s := Open(path, options())
	defer s.Close()
	order := rand.New(rand.NewPCG(1, 2)).Perm(million)
	for from := 0; from < million; from += 10_000 {
		batch := make([]history.Stored, 0, 10_000)
		for _, i := range order[from : from+10_000] {
			batch = append(batch, typical(i))
		}
		if err := s.Save(context.Background(), batch); err != nil {
			return "", err
		}
	}
	return path, nil
})

// party is one of a million: half of them addresses, the others names and networks.
func party(i int) history.Party {
	switch i % 8 {
	case 0, 1, 2, 3:
		return history.MakeParty(history.KindAddress, fmt.Sprintf("203.%d.%d.%d", i>>16&255, i>>8&255, i&255))
	case 4:
		return history.MakeParty(history.KindNetwork, fmt.Sprintf("2001:db8:%x:%x::/64", i>>8, i&255))
	case 5:
		return history.MakeParty(history.KindOrganisation, fmt.Sprintf("company%d.example", i))
	case 6:
		return history.MakeParty(history.KindCorrespondent, fmt.Sprintf("%016x", uint64(i)*0x9e3779b97f4a7c15))
	}
	return history.MakeParty(history.KindHELO, fmt.Sprintf("mx%d.company%d.example", i%10, i))
}

// typical is a party with its record: every second one passed, of the others some came
// back.
func typical(i int) history.Stored {
	r := history.Record{FirstContact: now - history.Moment(i%160_000), LastContact: now - history.Moment(i%80_000)}
	switch i / 8 % 2 {
	case 0:
		r.FirstContact, r.FirstPass, r.LastPass = now-30*86400+history.Moment(i%86400), now-20*86400+history.Moment(i%86400), r.LastContact
	default:
		r.Objected, r.LastObjection = r.FirstContact, r.LastContact
		for d := range 1 + i%3 {
			r.Deferrals = append(r.Deferrals, history.Deferral{Hash: uint32(i * 2654435761), At: r.FirstContact + history.Moment(d)})
		}
	}
	return history.Stored{Party: party(i), Record: r}
}

// ofMillion is a store with the million, and how large its file is.
func ofMillion(b *testing.B) *Store {
	b.Helper()
	path, err := aMillion()
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if info, err := os.Stat(path); err == nil {
			b.ReportMetric(float64(info.Size())/million, "bytes/party")
		}
	})
	s := Open(path, options())
	b.Cleanup(func() { s.Close() })
	storetest.Key(b, s)
	return s
}

// BenchmarkSave writes batches of a second into a file of a million parties: of those
// that are there, and of new ones.
func BenchmarkSave(b *testing.B) {
	for _, size := range []int{100, 1000, 20_000} {
		for _, what := range []string{"there", "new"} {
			b.Run(fmt.Sprintf("%d %s", size, what), func(b *testing.B) {
				s := ofMillion(b)
				n := 0
				for b.Loop() {
					batch := make([]history.Stored, size)
					for i := range batch {
						if what == "there" {
							batch[i] = typical(rand.IntN(million))
							batch[i].Record.LastContact = now + history.Moment(n%1000)
						} else {
							batch[i] = storetest.Stranger(history.MakeParty(history.KindHELO, fmt.Sprintf("new%d.example", rand.Int64())), now)
						}
						n++
					}
					storetest.Save(b, s, batch...)
				}
				b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// BenchmarkLoad reads the parties of one decision out of a million.
func BenchmarkLoad(b *testing.B) {
	s := ofMillion(b)
	for b.Loop() {
		i := rand.IntN(million)
		storetest.Load(b, s, party(i), party((i+7919)%million), party((i+104729)%million), "o:unknown.example")
	}
}

// BenchmarkOpen opens a file of a million parties, learns the key and reads the first
// parties.
func BenchmarkOpen(b *testing.B) {
	ofMillion(b).Close()
	path, _ := aMillion()
	for b.Loop() {
		s := Open(path, options())
		storetest.Key(b, s)
		storetest.Load(b, s, party(rand.IntN(million)))
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
	}
}
