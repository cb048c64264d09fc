package history_test

import (
	"bytes"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"policyd-rdns/policy/history"
)

// aRecord is a record as events may have made it.
func aRecord(random *rand.Rand) (r history.Record) {
	now := history.Moment(1_700_000_000)
	when := func() history.Moment { return now + history.Moment(random.IntN(60*24*3600)) }
	r.FirstContact = when()
	r.LastContact = r.FirstContact + history.Moment(random.IntN(5*24*3600))
	if random.IntN(2) == 0 {
		r.FirstPass = when()
		r.LastPass = r.FirstPass + history.Moment(random.IntN(5*24*3600))
	}
	if random.IntN(2) == 0 {
		r.Objected = when()
		r.LastObjection = r.Objected + history.Moment(random.IntN(3*24*3600))
	}
	if random.IntN(3) == 0 {
		r.Returned = when()
	}
	for i := range random.IntN(5) {
		r.Deferrals = append(r.Deferrals, history.Deferral{Hash: uint32(10*i + random.IntN(4)), At: when()})
	}
	slices.SortFunc(r.Deferrals, func(a, b history.Deferral) int { return int(a.At) - int(b.At) })
	return r
}

// TestMerge: in either order the same, and the same again changes nothing.
func TestMerge(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20_000 {
		a, b := aRecord(random), aRecord(random)
		ab, ba := a, b
		ab.Merge(&b, &settings)
		ba.Merge(&a, &settings)
		again := ab
		again.Merge(&b, &settings)
		again.Merge(&a, &settings)
		now := max(a.LastContact, b.LastContact, a.LastPass, b.LastPass, a.LastObjection, b.LastObjection) + 3600
		x, y, z := ab.At(now, &settings), ba.At(now, &settings), again.At(now, &settings)
		for _, r := range []*history.Record{&x, &y, &z} {
			r.Deferrals = slices.Clone(r.Deferrals)
			slices.SortFunc(r.Deferrals, func(a, b history.Deferral) int { return int(int64(a.Hash) - int64(b.Hash)) })
			if len(r.Deferrals) == 0 || len(a.Deferrals)+len(b.Deferrals) > history.MaxDeferrals {
				r.Deferrals = nil // of more than there is room for it is the first that stay, and which of those at the same time is all the same
			}
		}
		if !reflect.DeepEqual(x, y) || !reflect.DeepEqual(x, z) {
			t.Fatalf("%+v\nand %+v\nmerge to\n%+v\nand the other way\n%+v\nand again\n%+v", a, b, x, y, z)
		}
	}
}

// TestAt: what is over does not count, and what lies in the future is of now.
func TestAt(t *testing.T) {
	const day = 24 * 3600
	now := history.Moment(1_790_000_000)
	for _, tt := range []struct {
		name     string
		in, want history.Record
	}{
		{"a contact of yesterday", history.Record{FirstContact: now - day, LastContact: now - day}, history.Record{FirstContact: now - day, LastContact: now - day}},
		{"a contact of three days ago", history.Record{FirstContact: now - 3*day, LastContact: now - day}, history.Record{}},
		{"with a pass", history.Record{FirstContact: now - 3*day, LastContact: now - day, FirstPass: now - day, LastPass: now - day}, history.Record{FirstContact: now - 3*day, LastContact: now - day, FirstPass: now - day, LastPass: now - day}},
		{"with a pass long ago", history.Record{FirstContact: now - 40*day, LastContact: now - day, FirstPass: now - 40*day, LastPass: now - 36*day}, history.Record{}},
		{"objected to, and then a pass", history.Record{FirstContact: now - day, LastContact: now, Objected: now - day, LastObjection: now - day, FirstPass: now - 10, LastPass: now - 10}, history.Record{FirstContact: now - day, LastContact: now, FirstPass: now - 10, LastPass: now - 10}},
		{"objected to until three days ago", history.Record{Objected: now - 5*day, LastObjection: now - 3*day}, history.Record{}},
		{"objected to for a week", history.Record{FirstContact: now - 7*day, LastContact: now, Objected: now - 7*day, LastObjection: now - day}, history.Record{Objected: now - 7*day, LastObjection: now - day}},
		{"the future", history.Record{FirstContact: now + day, LastContact: now + day, FirstPass: now + day, LastPass: now + 2*day}, history.Record{FirstContact: now, LastContact: now, FirstPass: now, LastPass: now}},
		{"a return without a pass", history.Record{FirstContact: now - day, LastContact: now, Returned: now - day}, history.Record{FirstContact: now - day, LastContact: now, Returned: now - day}},
		{"a return without a pass, long ago", history.Record{Returned: now - 3*day}, history.Record{}},
		{"deferrals", history.Record{Deferrals: []history.Deferral{{1, now - 3*day}, {3, now - day}}}, history.Record{Deferrals: []history.Deferral{{3, now - day}}}},
	} {
		if got := tt.in.At(now, &settings); !reflect.DeepEqual(got, tt.want) && !(got.Empty() && tt.want.Empty()) {
			t.Errorf("%s: %+v; want %+v", tt.name, got, tt.want)
		}
	}
}

func FuzzRecord(f *testing.F) {
	random := rand.New(rand.NewPCG(3, 4))
	for range 20 {
		r := aRecord(random)
		b, _ := r.AppendBinary(nil)
		f.Add(b)
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 29))
	f.Add(bytes.Repeat([]byte{1}, 29+9))
	f.Fuzz(func(t *testing.T, b []byte) {
		var r history.Record
		if err := r.UnmarshalBinary(b); err != nil {
			if !r.Empty() {
				t.Errorf("%x: %v, and %+v", b, err, r)
			}
			return
		}
		again, _ := r.AppendBinary(nil)
		if !bytes.Equal(again, b) {
			t.Errorf("%x is written again as %x", b, again)
		}
		_ = r.At(history.MomentOf(time.Date(2026, 11, 27, 0, 0, 0, 0, time.UTC)), &settings)
		var other history.Record
		other.Merge(&r, &settings)
	})
}

func TestParties(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []history.Party
	}{
		{"203.0.113.10", []history.Party{"a:203.0.113.10"}},
		{"2001:db8::25", []history.Party{"a:2001:db8::25", "n:2001:db8::/64"}},
		{"2001:db8::/64", []history.Party{"n:2001:db8::/64"}},
		{"Mail.Example.COM.", []history.Party{"o:mail.example.com", "h:mail.example.com", "s:mail.example.com"}},
	} {
		if got := history.PartiesOf(tt.text); !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q; want %q", tt.text, got, tt.want)
		}
	}
	for _, p := range []history.Party{"", "a", "a:", "x:y", "ab:c"} {
		if p.Kind() != 0 {
			t.Errorf("%q is of kind %c", p, p.Kind())
		}
	}
}
