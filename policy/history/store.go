package history

import (
	"context"
	"net/netip"
	"strings"
)

// Party is one that clients are remembered by, as stores have it: a letter for its kind,
// a colon, and the address, network or name in its usual form, such as
// "a:203.0.113.10", "n:2001:db8:0:1::/64", "o:example.com", "h:mx.example.com",
// "s:example.com". Of a correspondent it has 16 hexadecimal digits of a keyed hash: "c:0123456789abcdef".
type Party string

// The kinds of parties.
const (
	KindAddress       byte = 'a'
	KindNetwork       byte = 'n' // of IPv6, a /64
	KindOrganisation  byte = 'o'
	KindHELO          byte = 'h'
	KindSender        byte = 's' // a domain of MAIL FROM
	KindCorrespondent byte = 'c'
)

// MakeParty is the party of a kind and a name.
func MakeParty(kind byte, name string) Party { return Party(string(kind) + ":" + name) }

// Kind is the kind of the party; 0: it is none.
func (p Party) Kind() byte {
	if len(p) < 3 || p[1] != ':' || !strings.ContainsRune("anohsc", rune(p[0])) {
		return 0
	}
	return p[0]
}

// Name is its address, network or name, for people.
func (p Party) Name() string {
	_, name, _ := strings.Cut(string(p), ":")
	return name
}

// PartiesOf are those that an address or a domain stands for, as people write it.
func PartiesOf(text string) []Party {
	if addr, err := netip.ParseAddr(text); err == nil {
		parties := []Party{MakeParty(KindAddress, addr.String())}
		if _, narrow := networks(addr); narrow.IsValid() {
			parties = append(parties, MakeParty(KindNetwork, narrow.String()))
		}
		return parties
	}
	if p, err := netip.ParsePrefix(text); err == nil {
		return []Party{MakeParty(KindNetwork, p.Masked().String())}
	}
	name := strings.TrimSuffix(strings.ToLower(text), ".")
	return []Party{MakeParty(KindOrganisation, name), MakeParty(KindHELO, name), MakeParty(KindSender, name)}
}

// networks are those of an address: the one that is counted where parties are bounded, a
// /24 or a /48, and of IPv6 the /64 that is a party.
func networks(addr netip.Addr) (wide, narrow netip.Prefix) {
	bits := 24
	if addr.Is6() {
		bits = 48
		narrow, _ = addr.Prefix(64)
	}
	wide, _ = addr.Prefix(bits)
	return wide, narrow
}

// Stored is a party with its record.
type Stored struct {
	Party  Party
	Record Record
}

// Key is the key of the hashes of a history.
type Key [16]byte

// Store keeps records where they outlive the daemon. Every method may be called by
// several goroutines, takes no longer than its context allows, and may fail: then the
// memory does without. A store that has failed is asked again about every second.
type Store interface {
	// Key is the key of all hashes, which is made the first time. It is also asked to
	// see whether the store is well.
	Key(ctx context.Context) (Key, error)
	// Load reads the records of parties, in their order; of one that is not there it is
	// empty.
	Load(ctx context.Context, parties []Party) ([]Record, error)
	// Save merges records into those that are there. It may be called again with the
	// same.
	Save(ctx context.Context, records []Stored) error
	// Delete forgets parties.
	Delete(ctx context.Context, parties []Party) error
	// Shared reports whether others write to it too, so that what is in memory may not
	// be all.
	Shared() bool
	Close() error
}
