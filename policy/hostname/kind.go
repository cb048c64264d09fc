package hostname

import (
	"bytes"
	"strconv"
)

// Kind is what a generic name says of who is behind it.
type Kind uint8

// The kinds. The zero value is that of a proper name.
const (
	NoKind Kind = iota
	// UnknownKind: the name does not say.
	UnknownKind
	// Dynamic: the line is a consumer's, or changes hands.
	Dynamic
	// Static: the line is fixed, or a business'.
	Static
	// Server: a form of rented machines that several hosters share.
	Server
)

// String is the kind in one word as it stands in rules and in the decision log, "" for
// NoKind.
func (k Kind) String() string {
	names := [...]string{"", "unknown", "dynamic", "static", "server"}
	if int(k) >= len(names) {
		return "Kind(" + strconv.Itoa(int(k)) + ")"
	}
	return names[k]
}

// clue is what a word says of a kind: a set of the bits below.
type clue uint8

const (
	changing clue = 1 << iota // that the address changes hands
	fixed                     // that it does not, or that it is a business'
	consumer                  // a kind of line that consumers have
	machine                   // a rented machine
)

// kind is the kind of a name that is generic on some basis. What says that the address
// is fixed counts for more than what kind of line it is, and a line for more than a
// machine; what says that it is fixed and that it changes says nothing.
func (t *text) kind(basis Basis) Kind {
	found := clue(0)
	for i := range t.host {
		k := &t.token[i]
		if k.digits || k.class == 0 {
			continue
		}
		c := clueOf(t.lower[k.start:k.end], k.class, basis)
		if c&fixed != 0 && i > 0 && t.token[i-1].class&negation != 0 {
			c = changing // non-static
		}
		found |= c
	}
	switch {
	case found&(fixed|changing) == fixed|changing:
		return UnknownKind
	case found&fixed != 0:
		return Static
	case found&(changing|consumer) != 0:
		return Dynamic
	case found&machine != 0:
		return Server
	}
	return UnknownKind
}

// clueOf is what a word in lower case, of some class, says of a name's kind.
func clueOf(word []byte, c class, basis Basis) clue {
	switch {
	case isFixed(word):
		return fixed
	case c&line != 0 && isChanging(word):
		return changing
	case c&line != 0, isConsumer(word):
		return consumer
	case c == rented, c&hosted != 0 && basis == Phrase, isMachine(word), c&rented != 0 && c&filler == 0 && basis == Serial:
		return machine
	}
	return 0
}

// isFixed is the list of the words for fixed addresses, and for businesses.
func isFixed(word []byte) bool {
	switch string(word) {
	case "static", "statica", "staticka", "staticke", "staticna", "statico", "staticip", "staticky", "staticline", "statics", "statik", "statip", "statique",
		"statis", "statisch", "statiska", "statiskt", "staattinen", "statyczny", "stacjonarny", "estatica", "estatico", "ipstatic", "ipestatica", "sta",
		"fija", "fijo", "fisso", "fix", "fixa", "fixe", "fixed", "fixedip", "fixip", "fixo", "ipfija", "ipfix", "ipfixe",
		"biz", "business", "corp", "corporate", "dedicado", "hdsl", "leased", "sdsl", "shdsl":
		return true
	}
	return false
}

// isChanging reports whether a word for a kind of line says that its addresses change
// hands: dynamic in any language, dial-up, DHCP.
func isChanging(word []byte) bool {
	switch string(word) {
	case "async", "dip", "dipool", "dup", "ipdyn", "modem", "modems", "nonstatic", "zmienne", "zmienny":
		return true
	}
	for _, head := range [...]string{"dial", "din", "dyn"} {
		if bytes.HasPrefix(word, []byte(head)) {
			return true
		}
	}
	return bytes.Contains(word, []byte("dhcp")) || bytes.Contains(word, []byte("dialup"))
}

// isConsumer is the list of the words for consumers and what they have, beside those for
// kinds of lines.
func isConsumer(word []byte) bool {
	switch string(word) {
	case "bb", "cellular", "cm", "dorm", "dorms", "apartment", "apt", "flat", "room", "fiber", "fibre", "guest", "guests", "hispeed", "home", "homenet", "hotspot", "hsd",
		"ippool", "mob", "mobiel", "mobil", "mobile", "mobility", "mobilne", "movel", "movil", "natpool", "pon", "pool", "ras", "res", "resi", "residencial", "residential", "rez",
		"roam", "roaming", "satellite", "student", "students", "subscr", "subscriber", "subscribers", "visitor", "visitors", "wireless", "wlan", "wlans":
		return true
	}
	return bytes.HasSuffix(word, []byte("wifi"))
}

// isMachine is the list of the words for rented machines that say so beside an address,
// too.
func isMachine(word []byte) bool {
	switch string(word) {
	case "cloud", "cloudserver", "cloudvps", "dedi", "droplet", "ec", "ecs", "hosting", "hwsrv", "instance", "rdp", "rootserver", "server", "servers", "srv", "svr", "vhost":
		return true
	}
	return false
}
