package postgrey

import (
	"encoding/hex"
	"fmt"
	"io"
	"math"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/history"
)

// dump reads one or several databases as db_dump writes them: a header of key=value, then
// keys and values by turns, a line each behind a space, in hexadecimal digits or, with -p,
// as they are but for \\ and \xx.
func (im *Import) dump(file string, r io.Reader) error {
	var (
		inData, printed bool
		key             string
		keyLine         int
	)
	err := lines(r, func(n int, line string) error {
		switch {
		case !inData:
			switch name, value, _ := strings.Cut(line, "="); {
			case name == "format" && value != "print" && value != "bytevalue":
				return fmt.Errorf("line %d: format %.20q: want print or bytevalue", n, value)
			case name == "format":
				printed = value == "print"
			case name == "keys" && value == "0", name == "type" && value != "btree" && value != "hash":
				return fmt.Errorf("line %d: %.40q: want a database with keys: btree or hash", n, line)
			case line == "HEADER=END":
				inData = true
			}
			return nil
		case line == "DATA=END" && keyLine == 0:
			inData, printed = false, false
			return nil
		case !strings.HasPrefix(line, " "):
			return fmt.Errorf("line %d: %.40q: want a space and a key or a value", n, line)
		}
		text, err := decode(line[1:], printed)
		if err != nil {
			return fmt.Errorf("line %d: %w", n, err)
		}
		if keyLine == 0 {
			key, keyLine = text, n
			return nil
		}
		im.entry(file, keyLine, key, text)
		keyLine = 0
		return nil
	})
	if err == nil && (inData || keyLine > 0) {
		err = io.ErrUnexpectedEOF
	}
	return err
}

// decode is a key or a value as it was in the database, without the NUL byte that some
// programs end it with.
func decode(text string, printed bool) (string, error) {
	if printed && !strings.Contains(text, `\`) {
		return text, nil
	}
	var b []byte
	if !printed {
		var err error
		if b, err = hex.DecodeString(text); err != nil {
			return "", fmt.Errorf("%.40q: want hexadecimal digits", text)
		}
		return strings.TrimSuffix(string(b), "\x00"), nil
	}
	for i := 0; i < len(text); i++ {
		switch rest := text[i:]; {
		case rest[0] != '\\':
			b = append(b, rest[0])
		case strings.HasPrefix(rest, `\\`):
			b = append(b, '\\')
			i++
		default:
			c, err := hex.DecodeString(rest[1:min(3, len(rest))])
			if err != nil || len(c) != 1 {
				return "", fmt.Errorf(`%.40q: want \\ or two hexadecimal digits after \`, text)
			}
			b = append(b, c[0])
			i += 2
		}
	}
	return strings.TrimSuffix(string(b), "\x00"), nil
}

// Why entries of a dump come to nothing.
const (
	skipHashed  = "hashed by --privacy, so that nobody can tell whom they are about"
	skipNetwork = "about a network of IPv4, whose hosts may be strangers to each other"
	skipOnce    = "of clients that did not come back, or not yet"
	skipMeta    = "postgrey's own"
)

// entry takes one key with its value. Keys of postgrey.db are network/sender/recipient, or
// with --lookup-by-host address/sender/recipient, and the value is the time of the first
// and of the last try. Those of postgrey_clients.db are addresses, and the value is how
// many messages came back in time, and when last.
func (im *Import) entry(file string, line int, key, value string) {
	client, _, triplet := strings.Cut(key, "/")
	addr, err := netip.ParseAddr(client)
	one, rest, _ := strings.Cut(value, ",")
	two, _, _ := strings.Cut(rest, ",")
	a, badA := strconv.ParseUint(one, 10, 63)
	b, badB := strconv.ParseUint(two, 10, 63)
	switch {
	case isHash(key):
		im.skip(skipHashed)
	case key == "last_maint_keys":
		im.skip(skipMeta)
	case err != nil || addr.Zone() != "":
		im.left(file, line, key, "want an address, alone or before /sender/recipient")
	case badA != nil || badB != nil || b == 0 || b > math.MaxUint32:
		im.left(file, line, key+" "+value, "want two numbers: of what counts and when that was last")
	case triplet:
		im.triplet(address.Plain(addr), a, b)
	case a == 0:
		im.skip(skipOnce)
	default:
		for _, p := range history.PartiesOf(address.Plain(addr).String()) {
			im.came(p, history.Moment(b), a >= orDefault(im.Count, DefaultCount))
		}
	}
}

// triplet takes a message that was tried from a moment to another.
func (im *Import) triplet(addr netip.Addr, first, last uint64) {
	delay := uint64(orDefault(im.Delay, DefaultDelay) / time.Second)
	network, _ := addr.Prefix(64)
	bytes := addr.AsSlice()
	switch {
	case last < first || last-first < delay:
		im.skip(skipOnce)
	case addr.Is4() && bytes[3] == 0:
		im.skip(skipNetwork)
	case addr.Is6() && network.Addr() == addr:
		im.came(history.MakeParty(history.KindNetwork, network.String()), history.Moment(last), false)
	default:
		for _, p := range history.PartiesOf(addr.String()) {
			im.came(p, history.Moment(last), false)
		}
	}
}

func orDefault[T uint64 | time.Duration](v, otherwise T) T {
	if v == 0 {
		return otherwise
	}
	return v
}

// came notes that a party came back in time; known: as often as postgrey asks for before
// it lets the client pass without more ado. Then it is known here too, as one that
// passed when it had returned.
func (im *Import) came(p history.Party, at history.Moment, known bool) {
	if im.records == nil {
		im.records = map[history.Party]history.Record{}
	}
	r := im.records[p]
	if r.FirstContact == 0 {
		r.FirstContact = at
	}
	r.FirstContact, r.LastContact = min(r.FirstContact, at), max(r.LastContact, at)
	if known {
		r.LastPass = max(r.LastPass, at)
		r.FirstPass = r.LastPass
	}
	// A return after the pass would take from what the client is: it is not known again
	// before it passes.
	if r.Returned = max(r.Returned, at); r.LastPass != 0 {
		r.Returned = min(r.Returned, r.LastPass)
	}
	im.records[p] = r
}

// isHash reports whether a key is the SHA-1 that --privacy makes of it.
func isHash(key string) bool {
	_, err := hex.DecodeString(key)
	return err == nil && len(key) == 40
}
