package postfix

import (
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// CheckAddress says why [Listen] could not listen on an address, as far as no
// other process has a say in it: its form, the length of a path, a folder that is
// missing, a file that is in the way. What this process may not look into is taken
// to be well. It is the first that Listen does.
func CheckAddress(address string) error {
	if path, ok := strings.CutPrefix(address, "unix:"); ok {
		return checkPath(path)
	}
	_, err := parseTCP(address)
	return err
}

// CheckGroup says why a unix socket could not be of a group, by name or number.
func CheckGroup(group string) error {
	_, err := groupID(group)
	return err
}

// parseTCP reads an address and a port. An IPv4 address in IPv6 is that of IPv4.
func parseTCP(address string) (netip.AddrPort, error) {
	addr, err := netip.ParseAddrPort(address)
	if err != nil {
		return addr, errors.New("want an address and a port such as 127.0.0.1:10040 or [::1]:10040, or unix:/path")
	}
	if addr.Addr().IsMulticast() {
		return addr, errors.New("is a multicast address: want one of this host")
	}
	if addr.Addr().Is6() && addr.Addr().IsLinkLocalUnicast() && addr.Addr().Zone() == "" {
		return addr, fmt.Errorf("want its interface too: [%v%%eth0]:%d", addr.Addr(), addr.Port())
	}
	return netip.AddrPortFrom(addr.Addr().Unmap(), addr.Port()), nil
}

// maxPath is what fits into the address of a unix socket with the zero byte behind
// it, in bytes: 107 on Linux (unix(7)), 103 on the BSDs and macOS.
const maxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

func checkPath(path string) error {
	if !filepath.IsAbs(path) {
		return errors.New("want an absolute path, as in unix:/run/policyd-rdns/socket")
	}
	if strings.ContainsRune(path, 0) {
		return errors.New("a path has no zero byte")
	}
	if len(path) > maxPath {
		return fmt.Errorf("the path has %d bytes; the address of a unix socket holds at most %d", len(path), maxPath)
	}
	folder := filepath.Dir(path)
	switch info, err := os.Stat(folder); {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("its folder %s does not exist", folder)
	case err == nil && !info.IsDir():
		return fmt.Errorf("%s is not a folder", folder)
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return errors.New("the file exists and is not a socket")
	}
	return nil
}
