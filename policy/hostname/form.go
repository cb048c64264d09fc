package hostname

import "strings"

// Limits of a name, RFC 1035 section 2.3.4. A name takes 255 octets on the
// wire, which are 253 characters without the final dot.
const (
	maxName  = 253
	maxLabel = 63
)

// Valid reports whether name is a well-formed host name of at least two labels:
// letters, digits, hyphens (not at the ends of a label) and, as they are seen
// in the DNS and do no harm, underscores; labels of 1 to 63 bytes, 253 in all;
// the last label not all digits, or it would be an address (RFC 1123 section
// 2.1). One final dot is tolerated. The presentation format of any other byte
// (\DDD, RFC 1035 section 5.1) is not valid.
func Valid(name string) bool {
	labels, ok := countLabels(cutDot(name))
	return ok && labels > 1 && !allDigits(lastLabel(cutDot(name)))
}

// Normal is name in lower case (ASCII) and without one final dot: the form in
// which names are compared. It does not allocate if name is that already.
func Normal(name string) string {
	name = cutDot(name)
	for i := range len(name) {
		if c := name[i]; 'A' <= c && c <= 'Z' {
			return lower(name)
		}
	}
	return name
}

func lower(name string) string {
	b := []byte(name)
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c | 0x20
		}
	}
	return string(b)
}

func cutDot(name string) string {
	return strings.TrimSuffix(name, ".")
}

func lastLabel(name string) string {
	return name[strings.LastIndexByte(name, '.')+1:]
}

// countLabels is how many labels name has, and whether each has legal bytes
// and a legal length. The empty name has none and is not ok.
func countLabels(name string) (labels int, ok bool) {
	if name == "" || len(name) > maxName {
		return 0, false
	}
	start := 0
	for i := 0; i <= len(name); i++ {
		if i < len(name) && name[i] != '.' {
			if !hostByte(name[i]) {
				return 0, false
			}
			continue
		}
		if n := i - start; n == 0 || n > maxLabel || name[start] == '-' || name[i-1] == '-' {
			return 0, false
		}
		labels++
		start = i + 1
	}
	return labels, true
}

func hostByte(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || isDigit(c) || c == '-' || c == '_'
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

func allDigits(s string) bool {
	for i := range len(s) {
		if !isDigit(s[i]) {
			return false
		}
	}
	return s != ""
}
