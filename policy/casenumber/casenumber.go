// Package casenumber has the numbers by which whoever was refused asks about it: in the
// URL of a reply, on the page behind that, and to the administrator.
//
// A case number holds all that there is to know, so that nothing is stored for it: the
// cause, the minute and the client's address, and a code that only who has the key can
// make (a MAC, SipHash-2-4 of 64 bits). Several MX with one key read each other's. It says nothing
// about recipient, sender or HELO.
//
// It is the base32 of version and cause (one byte), the minutes since 1970 (three, the
// higher ones are left out), the address (4 or 16) and the MAC (8), in the digits and
// lower-case letters without i, l, o and u: [Length4] characters for IPv4, [Length6] for
// IPv6. It is read in either letter case, and o for 0, i and l for 1, as people copy it.
package casenumber

import (
	"encoding/base32"
	"encoding/binary"
	"errors"
	"net/netip"
	"time"

	"policyd-rdns/policy/address"
)

const (
	// Length4 and Length6 are how many characters a case number of the address family has.
	Length4 = 26
	Length6 = 45
	// Valid is how long a case number is read after it was made.
	Valid = 30 * 24 * time.Hour
	// skew is how far into the future one may lie: clocks of several MX differ.
	skew = 10 * time.Minute
)

// What [Keys.Read] may have against a text.
var (
	// ErrMalformed: it is not a case number at all.
	ErrMalformed = errors.New("not a case number")
	// ErrForeign: it has the form of one, and none of the keys made it.
	ErrForeign = errors.New("case number too old or not ours")
	// ErrOld: it was made with one of the keys, more than [Valid] ago, or with a clock
	// far ahead of this one.
	ErrOld = errors.New("case number too old")
)

// Case is what a case number tells.
type Case struct {
	Cause  Cause
	At     time.Time // in UTC, to the minute
	Client netip.Addr
}

// The parts of a case number before it is written in characters, in bytes.
const (
	headSize = 1 + 3 // version and cause, minute
	macSize  = 8
	size4    = headSize + 4 + macSize
	size6    = headSize + 16 + macSize
)

// version is the upper three bits of the first byte, the cause the lower five.
const (
	version   = 1
	causeBits = 5
)

// minutes is how many there are before their number begins anew: some 32 years.
const minutes = 1 << 24

// encoding has none of the letters that are taken for another, nor u.
var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// plainer gives each character as the encoding has it; 0: no character of it.
var plainer = func() (table [256]byte) {
	for _, c := range []byte("0123456789abcdefghjkmnpqrstvwxyz") {
		table[c] = c
		if c >= 'a' {
			table[c-'a'+'A'] = c
		}
	}
	for from, to := range map[byte]byte{'o': '0', 'O': '0', 'i': '1', 'I': '1', 'l': '1', 'L': '1'} {
		table[from] = to
	}
	return table
}()

// Make is a case's number. It is empty without a key, and of a case without an address.
func (k *Keys) Make(c Case) string { return string(k.Append(nil, c)) }

// Append appends a case's number, as [Keys.Make] gives it.
func (k *Keys) Append(b []byte, c Case) []byte {
	if k == nil || len(k.list) == 0 || !c.Client.IsValid() {
		return b
	}
	var packed [size6]byte
	if c.Cause >= NumCauses {
		c.Cause = Other
	}
	p := append(packed[:0], version<<causeBits|byte(c.Cause))
	m := uint32(c.At.Unix() / 60 % minutes)
	p = append(p, byte(m>>16), byte(m>>8), byte(m))
	if a := address.Plain(c.Client); a.Is4() {
		b4 := a.As4()
		p = append(p, b4[:]...)
	} else {
		b16 := a.As16()
		p = append(p, b16[:]...)
	}
	p = binary.BigEndian.AppendUint64(p, k.list[0].mac(p))
	return encoding.AppendEncode(b, p)
}

// Read reads a case number that one of the keys has made, at a time. What is wrong is
// [ErrMalformed], [ErrForeign] or [ErrOld]; beside ErrOld the case is told.
func (k *Keys) Read(text string, now time.Time) (Case, error) {
	var packed [size6]byte
	p, ok := unpack(packed[:0], text)
	switch {
	case !ok:
		return Case{}, ErrMalformed
	case k == nil || !k.made(p):
		return Case{}, ErrForeign
	}
	c := parse(p, now)
	if age := now.Sub(c.At); age > Valid || age < -skew {
		return c, ErrOld
	}
	return c, nil
}

// Unverified reads a case number without a key: anybody may have made it up. ok: it has
// the form of one.
func Unverified(text string, now time.Time) (c Case, ok bool) {
	var packed [size6]byte
	p, ok := unpack(packed[:0], text)
	if !ok {
		return Case{}, false
	}
	return parse(p, now), true
}

// unpack appends the bytes that the characters of a text stand for. Exactly one text
// stands for them, but for its letters: the bits that are left over are zero.
func unpack(b []byte, text string) (p []byte, ok bool) {
	if len(text) != Length4 && len(text) != Length6 {
		return nil, false
	}
	var plain, again [Length6]byte
	for i := range len(text) {
		if plain[i] = plainer[text[i]]; plain[i] == 0 {
			return nil, false
		}
	}
	p, err := encoding.AppendDecode(b, plain[:len(text)])
	if err != nil || string(encoding.AppendEncode(again[:0], p)) != string(plain[:len(text)]) {
		return nil, false
	}
	if p[0]>>causeBits != version || Cause(p[0]&(1<<causeBits-1)) >= NumCauses {
		return nil, false
	}
	a := client(p)
	return p, a == address.Plain(a)
}

// client is the address in the bytes of a case number.
func client(p []byte) netip.Addr {
	if len(p) == size4 {
		return netip.AddrFrom4([4]byte(p[headSize:]))
	}
	return netip.AddrFrom16([16]byte(p[headSize:]))
}

// parse gives the case that well-formed bytes tell. Of the minutes that it can be of it is
// the nearest.
func parse(p []byte, now time.Time) Case {
	c := Case{Cause: Cause(p[0] & (1<<causeBits - 1)), Client: client(p)}
	m := int64(p[1])<<16 | int64(p[2])<<8 | int64(p[3])
	latest := now.Unix()/60 + minutes/2 - 1
	c.At = time.Unix((latest-(latest-m)&(minutes-1))*60, 0).UTC()
	return c
}
