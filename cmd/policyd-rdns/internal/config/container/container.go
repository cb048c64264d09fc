// Package container tells whether a process is in a container, and who reaches it there.
package container

import (
	"io/fs"
	"net/netip"
	"slices"

	"policyd-rdns/policy/address"
)

// Is reports whether a process is in a container, by what engines leave there:
// Docker, podman, Kubernetes, and systemd's for all that set "container".
func Is(root fs.FS, variable func(string) string) bool {
	for _, file := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(root, file); err == nil {
			return true
		}
	}
	return variable("container") != "" || variable("KUBERNETES_SERVICE_HOST") != ""
}

// Private reports whether nobody on the Internet reaches any of a host's addresses: a
// container that shares the host's network has the host's.
func Private(addrs []netip.Addr) bool {
	return !slices.ContainsFunc(addrs, func(a netip.Addr) bool {
		return !address.Private(a) && !a.IsLoopback() && !a.IsLinkLocalUnicast()
	})
}
