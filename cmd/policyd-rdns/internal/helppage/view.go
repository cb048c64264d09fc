package helppage

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/helppage/look"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/resolver"
)

// What a page is about.
const (
	kindCase    = "case"
	kindOwn     = "own"     // the requester's own address
	kindCause   = "cause"   // what a cause means, of no address
	kindMissing = "missing" // it has no such case
	kindNobody  = "nobody"  // whose address the requester has, nobody can tell
)

// view is what a page shows.
type view struct {
	status  int
	Kind    string
	Address netip.Addr
	Cause   string // its word; empty: of no cause
	At      time.Time
	Number  string // of the case
	Contact Contact

	Again bool // somebody wants it looked at again
	Soon  int  // that is too soon: wait for so many seconds
	Busy  bool // too many ask
	Found *look.Found
}

// Contact is whom to ask.
type Contact struct {
	Mail  string // address; empty: nobody
	Local string // the part before the @ of an address at the domain that was written to
	Open  bool   // mail to it is taken from whoever is refused, too
}

func (s *Settings) contact() Contact {
	if strings.Contains(s.Contact, "@") {
		return Contact{Mail: s.Contact, Open: s.Open}
	}
	return Contact{Local: s.Contact, Open: s.Open}
}

// exampleName stands where a name of the reader's own belongs, exampleAddress where his
// address does.
const exampleName = "mail.example.com"

var exampleAddress = netip.MustParseAddr("192.0.2.1")

// State is what the DNS says now; empty: nobody has looked.
func (v *view) State() string {
	if v.Found == nil {
		return ""
	}
	return string(v.Found.State)
}

// About is what the page is about, in a word: the cause then or else the state now.
func (v *view) About() string {
	if v.Cause != "" {
		return v.Cause
	}
	return v.State()
}

// Topic is what the texts call what the page is about.
func (v *view) Topic() string { return cmp.Or(v.About(), v.Kind) }

// PTRWord is what the DNS says of the address's names, in a word of the texts.
func (v *view) PTRWord() string {
	switch v.Found.PTR {
	case resolver.Found:
		return "found"
	case resolver.None:
		return "none"
	}
	return "unknown"
}

// ofNames are the causes that are seen by looking at the address's names.
var ofNames = []string{
	casenumber.NoPTR.String(), casenumber.MalformedPTR.String(), casenumber.Unresolved.String(),
	casenumber.Elsewhere.String(), casenumber.Generic.String(), casenumber.Undetermined.String(),
}

// Told is what became of looking, as a word of the texts: what mail from the address would
// meet now.
func (v *view) Told() string {
	if v.Found == nil {
		return ""
	}
	state := v.State()
	well := state == string(look.Well)
	helo := strings.HasPrefix(v.Cause, "helo-")
	switch verdict := v.Found.Verdict; {
	case verdict == look.Unknown:
		return "unknown"
	case verdict == look.Refused && well:
		return "other-reason"
	case verdict == look.Refused && (v.Cause == "" || v.Cause == state):
		return "same"
	case verdict == look.Refused:
		return "not-yet"
	case helo && well:
		return "helo-unseen"
	case !helo && v.Cause != "" && v.Cause != casenumber.Wait.String() && !slices.Contains(ofNames, v.Cause):
		return "unseen"
	case verdict == look.ByHELO:
		return "by-helo"
	case verdict == look.Waits:
		return "waits"
	}
	return "passes"
}

// Good reports whether what was found is good news.
func (v *view) Good() bool { return v.Told() == "passes" || v.Told() == "waits" }

// Do are the words of what there is to do, the first first.
func (v *view) Do() []string {
	state := v.State()
	var all []string
	switch {
	case v.Found == nil && v.Cause == "":
		return nil
	case v.Found == nil:
		return []string{v.Cause}
	case !slices.Contains(ofNames, v.Cause) && v.Cause != "":
		all = append(all, v.Cause)
	case state == casenumber.Undetermined.String():
		return []string{v.About()}
	}
	switch told := v.Told(); {
	case told == "by-helo" && state == string(look.Well):
		all = append(all, casenumber.HELOElsewhere.String())
	case told == "by-helo", told == "same", told == "not-yet":
		all = append(all, state)
	}
	return all
}

// Addr is the address, or an example of one.
func (v *view) Addr() netip.Addr {
	if !v.Address.IsValid() {
		return exampleAddress
	}
	return v.Address
}

// Named reports whether the page is about an address.
func (v *view) Named() bool { return v.Address.IsValid() }

// Type is the type of the record that has an address of the family.
func (v *view) Type() string {
	if v.Addr().Is4() {
		return "A"
	}
	return "AAAA"
}

// name is a name of the address that some are wanted for; nil: there is none.
func (v *view) name(wanted func(*look.Name) bool) *look.Name {
	if v.Found == nil {
		return nil
	}
	i := slices.IndexFunc(v.Found.Names, func(n look.Name) bool { return wanted(&n) })
	if i < 0 {
		return nil
	}
	return &v.Found.Names[i]
}

// Name is the name that the page is about: one that resolves elsewhere or not at all, or
// one that was made from the address; empty: there is none.
func (v *view) Name() string {
	var n *look.Name
	switch v.State() {
	case casenumber.Elsewhere.String():
		n = v.name(func(n *look.Name) bool { return n.Host && n.Outcome == resolver.Found })
	case casenumber.MalformedPTR.String():
		n = v.name(func(*look.Name) bool { return true })
	case casenumber.Generic.String():
		n = v.name(func(n *look.Name) bool { return n.Confirmed && n.Generic })
	default:
		n = v.name(func(n *look.Name) bool { return n.Host })
	}
	if n == nil {
		return ""
	}
	return plain.Line(n.Name)
}

// Addrs are what the name resolves to.
func (v *view) Addrs() string {
	n := v.name(func(n *look.Name) bool { return n.Host && n.Outcome == resolver.Found })
	if n == nil {
		return ""
	}
	return addrList(n.Addrs)
}

func addrList(addrs []netip.Addr) string {
	var all []string
	for _, a := range addrs {
		all = append(all, a.String())
	}
	return strings.Join(all, ", ")
}

// Own is the name that the server may call itself by: one of the address that somebody
// chose, or an example.
func (v *view) Own() string {
	n := v.name(func(n *look.Name) bool { return n.Confirmed && !n.Generic })
	if n == nil {
		return exampleName
	}
	return n.Name // a host name
}

// Example reports whether Own is an example.
func (v *view) Example() bool { return v.Own() == exampleName }

// PTRRecord is the record that gives the address its name, as in a zone file.
func (v *view) PTRRecord() string { return reverseName(v.Addr()) + " IN PTR " + v.Own() + "." }

// OwnRecord is the record by which that name resolves to the address.
func (v *view) OwnRecord() string { return v.record(v.Own()) }

// NameRecord is the record by which the name that the page is about does; empty: there is
// none.
func (v *view) NameRecord() string {
	if state := v.State(); state != casenumber.Unresolved.String() && state != casenumber.Elsewhere.String() {
		return ""
	}
	return v.record(v.Name()) // a host name
}

func (v *view) record(name string) string {
	return name + ". IN " + v.Type() + " " + v.Addr().String()
}

// Rows are the names of the address for a table.
func (v *view) Rows() []row {
	if v.Found == nil {
		return nil
	}
	rows := make([]row, len(v.Found.Names))
	for i := range rows {
		n := &v.Found.Names[i]
		rows[i] = row{Name: plain.Line(n.Name), To: addrList(n.Addrs), Word: "malformed", Kept: n.Kept}
		switch {
		case !n.Host:
		case n.Confirmed:
			rows[i].Word = "confirmed"
		case n.Outcome == resolver.Found:
			rows[i].Word = "elsewhere"
		case n.Outcome == resolver.None:
			rows[i].Word = "none"
		default:
			rows[i].Word = "unknown"
		}
	}
	return rows
}

// row is a name of the address, with what it resolves to.
type row struct {
	Name string
	To   string
	Word string // of the texts: what that means
	Kept look.Kept
}

// reverseName is the name that has the PTR records of an address, with its final dot:
// RFC 1035 section 3.5, RFC 3596 section 2.5.
func reverseName(a netip.Addr) string {
	var b strings.Builder
	octets := a.AsSlice()
	slices.Reverse(octets)
	const digits = "0123456789abcdef"
	for _, octet := range octets {
		if a.Is4() {
			b.WriteString(strconv.Itoa(int(octet)) + ".")
		} else {
			b.Write([]byte{digits[octet&0xf], '.', digits[octet>>4], '.'})
		}
	}
	if a.Is4() {
		return b.String() + "in-addr.arpa."
	}
	return b.String() + "ip6.arpa."
}
