package hostname

import (
	"slices"
	"strings"
)

// localhosts are names by which every host calls itself. Those with a 4 or 6 are of
// the hosts files of some systems, localhost.localdomain is of theirs and of old
// resolvers.
var localhosts = [...]string{
	"localhost", "localhost.localdomain",
	"localhost4", "localhost4.localdomain4",
	"localhost6", "localhost6.localdomain6",
	"ip6-localhost", "ip6-loopback",
}

// Localhosts lists the names by which every host calls itself, as a set of names
// has them: .localhost is all under it (RFC 6761 section 6.3).
func Localhosts() []string { return append(localhosts[:], ".localhost") }

// isLocalhost reports whether a name, in any letter case and without final dot, is
// one of Localhosts.
func isLocalhost(name string) bool {
	if strings.EqualFold(lastLabel(name), "localhost") {
		return true
	}
	return slices.ContainsFunc(localhosts[:], func(l string) bool { return strings.EqualFold(l, name) })
}

// Local reports whether a name, lower case and without final dot, tells hosts
// apart only within a site, so that it is nobody's own: another site has a host
// of that name too. It is a single label, or below a domain that is for such
// names: RFC 6762 (.local), RFC 8375 (.home.arpa), ICANN's .internal, and what
// routers and installers make up.
func Local(name string) bool {
	if !strings.Contains(name, ".") || isLocalhost(name) {
		return true
	}
	return slices.ContainsFunc(localDomains[:], func(d string) bool {
		return strings.HasSuffix(name, d) || name == d[1:]
	})
}

var localDomains = [...]string{".local", ".lan", ".internal", ".home.arpa", ".localdomain"}
