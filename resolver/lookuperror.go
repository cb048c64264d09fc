package resolver

import "net/netip"

// LookupError is why one server could not answer a lookup, or what else came of it.
type LookupError struct {
	About  string         // the address or the name that was queried
	Server netip.AddrPort // not valid: none is to blame
	Reason string         // in a few words: "SERVFAIL", "no reply"
}

// String is the error for people: "mail.example.org: SERVFAIL from 192.0.2.53:53".
func (e LookupError) String() string { return e.About + ": " + e.Why() }

// Why is the reason, and which server gave it.
func (e *LookupError) Why() string {
	if !e.Server.IsValid() {
		return e.Reason
	}
	return e.Reason + " from " + e.Server.String()
}
