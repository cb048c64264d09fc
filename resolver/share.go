package resolver

import (
	"net/netip"

	"policyd-rdns/address"
)

const (
	// shareOf is the part of Config.MaxInFlight, one in so many, that one
	// network may have.
	shareOf = 10
	// minShare is what one decision may have under way at once: the names of an
	// address, and where ten of them and a greeting lead.
	minShare = 12
)

// charge is the network that a flight is for; the zero charge is nobody's.
type charge = netip.Prefix

// chargeOf is the network of a client, of the size that is routed on its own in
// the Internet and is therefore in one hand: a /24 of IPv4, a /48 of IPv6.
func chargeOf(client netip.Addr) charge {
	client = address.Plain(client)
	bits := 48
	if client.Is4() {
		bits = 24
	}
	network, _ := client.Prefix(bits) // of the zero Addr: zero
	return network
}

// refuse is why no flight may start now, if so. Who is above its share is told
// that, though the whole bound is reached as well. The caller holds r.mu.
func (r *Resolver) refuse(c charge) error {
	share := max(r.maxInFlight/shareOf, minShare)
	switch {
	case r.closed:
		return errClosed
	case c.IsValid() && r.charged[c] >= share:
		r.counts.share.Add(1)
		return ErrShare
	case r.flying >= r.maxInFlight:
		r.counts.busy.Add(1)
		return ErrBusy
	}
	return nil
}

// take charges a flight. The caller holds r.mu.
func (r *Resolver) take(c charge) {
	r.flying++
	if c.IsValid() {
		r.charged[c]++
	}
}

// give is the opposite of take. The caller holds r.mu.
func (r *Resolver) give(c charge) {
	r.flying--
	if r.charged[c]--; r.charged[c] <= 0 {
		delete(r.charged, c)
	}
}
