package casenumber

import "slices"

// Cause is why a client was refused, as far as he can mend it.
type Cause uint8

// The causes. Their numbers stand in case numbers, and their words in URLs that are in
// logs and bounces for years: a further one goes to the end. There is room for 32.
const (
	Other          Cause = iota // a rule of this site, about something else
	NoPTR                       // the address has no name
	MalformedPTR                // its name is no host name
	Unresolved                  // its name does not resolve
	Elsewhere                   // its name resolves, to other addresses
	Generic                     // its name was made from the address
	HELOOurs                    // HELO is the name or address of the server that was spoken to
	HELOBare                    // HELO is an address without brackets
	HELOLiteral                 // HELO is another address
	HELOUnresolved              // HELO does not resolve
	HELOElsewhere               // HELO resolves, to other addresses
	HELONoName                  // HELO is no fully-qualified host name
	HELOMissing                 // there was no HELO
	HELOGeneric                 // HELO was made from the address
	SPF                         // MAIL FROM's domain does not vouch for the address
	Wait                        // nothing: whoever tries again is let in
	Undetermined                // the DNS did not say
	// NumCauses is how many there are.
	NumCauses
)

var words = [NumCauses]string{
	"other", "no-ptr", "malformed-ptr", "unresolved", "elsewhere", "generic",
	"helo-ours", "helo-bare", "helo-literal", "helo-unresolved", "helo-elsewhere", "helo-no-name", "helo-missing", "helo-generic",
	"spf", "wait", "undetermined",
}

// String is the cause's word, as in a URL: lower-case letters and hyphens, at most 15.
func (c Cause) String() string {
	if c >= NumCauses {
		return words[Other]
	}
	return words[c]
}

// OfReverseDNS reports whether it is about the names of the address, so that RFC 7372 has
// the enhanced code X.7.25 for it.
func (c Cause) OfReverseDNS() bool { return NoPTR <= c && c <= Elsewhere }

// Causes lists the causes.
func Causes() []Cause {
	all := make([]Cause, NumCauses)
	for i := range all {
		all[i] = Cause(i)
	}
	return all
}

// CauseByWord finds a cause by its word.
func CauseByWord(word string) (c Cause, ok bool) {
	i := slices.Index(words[:], word)
	return Cause(max(i, 0)), i >= 0
}
