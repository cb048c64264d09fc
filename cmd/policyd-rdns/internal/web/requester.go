package web

import (
	"net/http"
	"net/netip"
	"strings"

	"policyd-rdns/policy/address"
)

// Requester tells who asks: whoever is at the other end of the connection or, where that
// is a proxy, whom it names. A proxy names him in one header line X-Forwarded-For: the
// rightmost address there that is no proxy, for what stands to the left of it the
// requester may have written himself. Not ok: nobody can tell, as where a proxy wrote no
// such line, or left one of the requester's beside its own.
func Requester(r *http.Request, proxy func(netip.Addr) bool) (_ netip.Addr, ok bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{}, false
	}
	if addr := address.Plain(peer.Addr()); !proxy(addr) {
		return addr, true
	}
	lines := r.Header.Values("X-Forwarded-For")
	if len(lines) != 1 {
		return netip.Addr{}, false
	}
	for left, more := lines[0], true; more; {
		at := strings.LastIndexByte(left, ',')
		addr, ok := forwarded(left[at+1:])
		if !ok {
			return netip.Addr{}, false
		}
		if !proxy(addr) {
			return addr, true
		}
		if more = at >= 0; more {
			left = left[:at]
		}
	}
	return netip.Addr{}, false
}

// forwarded reads an address as proxies write it: some in brackets, some with a port.
func forwarded(text string) (netip.Addr, bool) {
	text = strings.TrimSpace(text)
	addr, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(text, "["), "]"))
	if err != nil {
		with, err := netip.ParseAddrPort(text)
		if err != nil {
			return netip.Addr{}, false
		}
		addr = with.Addr()
	}
	return address.Plain(addr), true
}
