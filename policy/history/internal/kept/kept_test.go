package kept

import (
	"reflect"
	"testing"
	"time"

	"policyd-rdns/policy/history"
)

const (
	now = history.Moment(1_800_000_000)
	day = history.Moment(86400)
)

func TestMerged(t *testing.T) {
	s := &history.Settings{Delay: 3 * time.Minute, Window: 48 * time.Hour, Keep: 35 * 24 * time.Hour}
	deferred := func(at ...history.Moment) (all []history.Deferral) {
		for i, m := range at {
			all = append(all, history.Deferral{Hash: uint32(m) + uint32(i), At: m})
		}
		return all
	}
	const old = now - 10*day
	for name, c := range map[string]struct {
		now             history.Moment
		old, more, want history.Record
	}{
		"a stranger who is forgotten begins anew": {
			now,
			history.Record{FirstContact: old, LastContact: old},
			history.Record{FirstContact: now, LastContact: now},
			history.Record{FirstContact: now, LastContact: now},
		},
		"deferrals that are over leave room": {
			now,
			history.Record{FirstContact: old, LastContact: old, FirstPass: old, LastPass: old, Deferrals: deferred(old, old+1)},
			history.Record{FirstContact: now, LastContact: now, Deferrals: deferred(now)},
			history.Record{FirstContact: old, LastContact: now, FirstPass: old, LastPass: old, Deferrals: deferred(now)},
		},
		// The clock of this machine stands in 1970: what is there is not cut to it.
		"a clock that is slow harms nothing": {
			100,
			history.Record{FirstContact: now, LastContact: now, FirstPass: now, LastPass: now},
			history.Record{LastContact: 100},
			history.Record{FirstContact: now, LastContact: now, FirstPass: now, LastPass: now},
		},
	} {
		got := Merged(&c.old, &c.more, c.now, s)
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: Merged = %+v; want %+v", name, got, c.want)
		}
		if again := Merged(&got, &c.more, c.now, s); !reflect.DeepEqual(again, got) {
			t.Errorf("%s: Merged again = %+v; want %+v", name, again, got)
		}
	}
}

func TestLife(t *testing.T) {
	s := &history.Settings{Window: 2 * time.Hour, Keep: 3 * time.Hour}
	if got := Life(&history.Record{FirstContact: now}, s); got != s.Window {
		t.Errorf("Life of a stranger = %v; want %v", got, s.Window)
	}
	if got := Life(&history.Record{FirstContact: now, LastPass: now}, s); got != s.Keep {
		t.Errorf("Life of one that passed = %v; want %v", got, s.Keep)
	}
}
