package machine

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
)

// Why is the server's error, which names the server too.
func (s *Server) Why() string {
	text := strings.TrimPrefix(s.Err.Error(), s.Addr.String()+": ")
	return strings.Replace(text, " from "+s.Addr.String(), "", 1)
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
