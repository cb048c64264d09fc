package resolver

import (
	"strings"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"

	"policyd-rdns/resolver/internal/admission"
)

const (
	// silenceTime is how long a zone is known to be silent after nothing but
	// silence came to a query about it.
	silenceTime = 30 * time.Second
	// maxSilent bounds the zones that are known to be.
	maxSilent = 1000
)

// silence is the zones that were silent a moment ago. A query about one of them
// is sent once and not several times, so that it holds its room for half the time.
type silence struct{ zones *lru.Cache[string, time.Time] }

func newSilence() (silence, error) {
	zones, err := lru.New[string, time.Time](maxSilent)
	return silence{zones}, err
}

// add takes note that a name could not be learnt about.
func (s silence) add(name string) { s.zones.Add(strings.Clone(admission.Zone(name)), time.Now()) }

// has reports whether the zone of a name was silent a moment ago.
func (s silence) has(name string) bool {
	if s.zones.Len() == 0 {
		return false
	}
	zone := admission.Zone(name)
	at, ok := s.zones.Peek(zone)
	if ok && time.Since(at) >= silenceTime {
		s.zones.Remove(zone)
		return false
	}
	return ok
}
