package crowd

import (
	"encoding/binary"
	"net/netip"
)

// Crowd says which clients there are.
type Crowd struct {
	Seed uint64
	Mix  Mix
}

// Family is the address family of clients.
type Family uint8

// The families.
const (
	IPv4 Family = 4
	IPv6 Family = 6
)

// Size is how many clients a family has room for.
func (f Family) Size() uint64 {
	if f == IPv4 {
		return 1 << 17
	}
	return 1 << 32
}

// Kind is the kind of client n. It does not depend on the family.
func (c *Crowd) Kind(n uint32) Kind {
	return c.Mix.kind(Scatter(c.Seed + uint64(n)))
}

// Scatter is a number that looks like chance but follows from x alone: the
// finalizer of splitmix64. No two x give the same.
func Scatter(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// Address is the address of client n, which is below the family's Size.
func Address(n uint32, f Family) netip.Addr {
	if f == IPv4 {
		// 512 networks of 256.
		return netip.AddrFrom4([4]byte{240, 18 | byte(n>>8&1), byte(n), byte(n >> 9)})
	}
	a := [16]byte{0x20, 0x01, 0x0d, 0xb8}
	binary.BigEndian.PutUint16(a[4:], uint16(n))
	binary.BigEndian.PutUint16(a[14:], uint16(n>>16))
	return netip.AddrFrom16(a)
}

// Number is the client that has an address, if one has.
func Number(addr netip.Addr) (n uint32, ok bool) {
	if addr.Is4() {
		a := addr.As4()
		n = uint32(a[1]&1)<<8 | uint32(a[2]) | uint32(a[3])<<9
		return n, addr == Address(n, IPv4)
	}
	a := addr.As16()
	n = uint32(binary.BigEndian.Uint16(a[4:])) | uint32(binary.BigEndian.Uint16(a[14:]))<<16
	return n, addr == Address(n, IPv6)
}

// Elsewhere is where the names of Mismatch clients lead.
func Elsewhere(f Family) netip.Addr {
	if f == IPv4 {
		return netip.AddrFrom4([4]byte{203, 0, 113, 1})
	}
	return netip.AddrFrom16([16]byte{0x20, 0x01, 0x0d, 0xb8, 15: 0xff, 10: 0xff})
}
