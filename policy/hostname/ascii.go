package hostname

import (
	"unicode/utf8"

	"golang.org/x/net/idna"
)

// ASCII is a name as the DNS and HELO have it: with A-labels (RFC 5890 section 2.3.2.1)
// for what is written in other letters. What is no such name stays what it is.
func ASCII(name string) string {
	for i := range len(name) {
		if name[i] >= utf8.RuneSelf {
			if ascii, err := idna.Lookup.ToASCII(name); err == nil {
				return ascii
			}
			break
		}
	}
	return name
}
