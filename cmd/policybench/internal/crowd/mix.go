package crowd

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Kind is how a client stands in the DNS, and what it says HELO with.
type Kind uint8

// The kinds, as the package comment has them.
const (
	Named Kind = iota
	Other
	Literal
	Generic
	Nameless
	Mismatch
	numKinds
)

var kindWords = [numKinds]string{"named", "other", "literal", "generic", "nameless", "mismatch"}

func (k Kind) String() string { return kindWords[k] }

// maxShare bounds each share of a Mix, so that their sum is far from any limit.
const maxShare = 1_000_000

// Mix is the share of each kind among the clients. The zero value is a mix of
// named clients alone. It is a flag's value.
type Mix struct {
	shares [numKinds]uint64
}

// Only is a mix of one kind.
func Only(k Kind) Mix {
	var m Mix
	m.shares[k] = 1
	return m
}

// Set reads shares such as "named=60,other=15,nameless=25". They need not come
// to 100; kinds that are not named have none.
func (m *Mix) Set(text string) error {
	var mix Mix
	sum := uint64(0)
	for part := range strings.SplitSeq(text, ",") {
		word, value, _ := strings.Cut(part, "=")
		kind := slices.Index(kindWords[:], strings.TrimSpace(word))
		if kind < 0 {
			return fmt.Errorf("%.60q: want one of %s", word, strings.Join(kindWords[:], ", "))
		}
		share, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
		if err != nil || share > maxShare {
			return fmt.Errorf("%.60q: want %s=NUMBER, 0 to %d", part, word, maxShare)
		}
		sum += share - mix.shares[kind]
		mix.shares[kind] = share
	}
	if sum == 0 {
		return fmt.Errorf("%.60q: no kind has a share", text)
	}
	*m = mix
	return nil
}

// String is the mix as Set reads it.
func (m *Mix) String() string {
	var parts []string
	for kind, share := range m.shares {
		if share > 0 {
			parts = append(parts, fmt.Sprintf("%s=%d", Kind(kind), share))
		}
	}
	if parts == nil {
		return Named.String() + "=1"
	}
	return strings.Join(parts, ",")
}

// Type is what help calls the value.
func (*Mix) Type() string { return "shares" }

// kind picks by a hash.
func (m *Mix) kind(hash uint64) Kind {
	sum := uint64(0)
	for _, share := range m.shares {
		sum += share
	}
	if sum == 0 {
		return Named
	}
	at := hash % sum
	for kind, share := range m.shares {
		if at < share {
			return Kind(kind)
		}
		at -= share
	}
	return Named // not reached: at is below the sum
}
