package machine

import (
	"fmt"
	"io/fs"
	"net/netip"
	"slices"
	"strings"
)

// Why is the server's error, which names the server too.
func (s *Server) Why() string {
	text := strings.TrimPrefix(s.Err.Error(), s.Addr.String()+": ")
	return strings.Replace(text, " from "+s.Addr.String(), "", 1)
}

// Kind is which software it seems to be; empty if it does not say.
func (s *Server) Kind() string {
	text := strings.ToLower(s.Software)
	for _, name := range []string{"unbound", "dnsmasq", "powerdns", "knot"} {
		if strings.Contains(text, name) {
			return name
		}
	}
	switch {
	case isResolved(s.Addr.Addr()):
		return "systemd-resolved"
	case strings.HasPrefix(text, "9.") || strings.Contains(text, "bind"):
		return "bind"
	}
	return text
}

// isResolved reports whether systemd-resolved listens there
// (systemd-resolved.service(8)).
func isResolved(a netip.Addr) bool {
	return a == netip.AddrFrom4([4]byte{127, 0, 0, 53}) || a == netip.AddrFrom4([4]byte{127, 0, 0, 54})
}

// May reports whether the account has a right: 4 to read, 2 to write, 1 to search. Only
// the first of owner, group and others that fits counts. smtpd takes on all groups
// of its user (chroot_uid.c).
func (a *Account) May(f File, right fs.FileMode) bool {
	mode := f.Mode.Perm()
	switch {
	case a.UID == 0:
		return true
	case f.UID == a.UID:
		mode >>= 6
	case slices.Contains(a.GIDs, f.GID):
		mode >>= 3
	}
	return mode&right != 0
}

// Rights are mode and owner as in ls(1).
func (f *File) Rights() string {
	return fmt.Sprintf("%04o %s:%s", f.Mode.Perm(), f.Owner, f.Group)
}
