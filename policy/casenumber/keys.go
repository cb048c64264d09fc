package casenumber

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"github.com/dchest/siphash"
)

// Keys are those that case numbers are made and read with: the first makes, all read. They
// are not modified once they are in use. A nil *Keys makes none and reads none.
type Keys struct{ list []key }

// key is one of SipHash.
type key struct{ k0, k1 uint64 }

func (k key) mac(p []byte) uint64 { return siphash.Hash(k.k0, k.k1, p) }

// made reports whether one of the keys has made the bytes of a case number.
func (k *Keys) made(p []byte) bool {
	at := len(p) - macSize
	var mac [macSize]byte
	same := 0
	for _, key := range k.list {
		binary.BigEndian.PutUint64(mac[:], key.mac(p[:at]))
		same |= subtle.ConstantTimeCompare(mac[:], p[at:])
	}
	return same == 1
}

const (
	// maxKeys bounds the keys of a file: one that signs, and some that did.
	maxKeys = 16
	// minKeySize and maxKeySize bound a key, in bytes: 16 hexadecimal digits are guessed.
	minKeySize = 20
	maxKeySize = 256
)

// ParseKeys reads the keys of a file, one a line. Empty lines and those that begin with #
// say nothing. Errors, one for each line that is wrong, tell the line and never a key.
func ParseKeys(text string) (*Keys, error) {
	k := &Keys{}
	var errs []error
	lines := map[string]int{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		switch earlier := lines[line]; {
		case line == "" || line[0] == '#':
			continue
		case earlier != 0:
			errs = append(errs, fmt.Errorf("line %d: the key of line %d again", n, earlier))
		case len(line) < minKeySize:
			errs = append(errs, fmt.Errorf("line %d: a key of %d bytes: want at least %d that nobody can guess, such as of \"openssl rand -hex 16\"", n, len(line), minKeySize))
		case len(line) > maxKeySize:
			errs = append(errs, fmt.Errorf("line %d: a key of %d bytes: want at most %d", n, len(line), maxKeySize))
		case strings.ContainsFunc(line, func(c rune) bool { return c <= ' ' || c > '~' }):
			errs = append(errs, fmt.Errorf("line %d: a key has printable ASCII characters only, and no space", n))
		default:
			k.list = append(k.list, newKey(line))
		}
		lines[line] = n
		if len(lines) > maxKeys {
			errs = append(errs, fmt.Errorf("line %d: want at most %d keys", n, maxKeys))
			break
		}
	}
	if len(errs) == 0 && len(k.list) == 0 {
		errs = append(errs, errors.New("no key: want one a line, such as of \"openssl rand -hex 16\""))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return k, nil
}

// newKey makes a key of SipHash of a line's text, however long that is.
func newKey(line string) key {
	sum := sha256.Sum256([]byte("policyd-rdns case number\n" + line))
	return key{binary.LittleEndian.Uint64(sum[:8]), binary.LittleEndian.Uint64(sum[8:16])}
}

// NewKey makes the line of a new key, without its end.
func NewKey() string { return rand.Text() }
