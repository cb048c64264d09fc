package report

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/resolver"
)

// DNS is the trouble with the DNS.
type DNS struct {
	Decisions int            `json:"decisions"` // with a lookup that failed
	Servers   []ServerFault  `json:"servers"`
	Zones     []ZoneFault    `json:"zones"`
	MoreZones int            `json:"more_zones"` // beyond those that are listed
	Cut       int            `json:"cut"`        // zones that were let go for want of room
	Other     map[string]int `json:"other"`      // reasons that name no server
}

// ServerFault is one kind of trouble with one server.
type ServerFault struct {
	Server string `json:"server"`
	Fault  string `json:"fault"`
	Times  int    `json:"times"`
}

// ZoneFault is the trouble with the names of one zone: an organisational
// domain, or the reverse zone of a /24 or a /48.
type ZoneFault struct {
	Zone      string    `json:"zone"`
	Example   string    `json:"example"` // of what was looked up
	Fault     string    `json:"fault"`   // the most frequent one
	Decisions int       `json:"decisions"`
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
}

// lookupFault is what became of one lookup of a record.
type lookupFault struct {
	about   string // address or name that was looked up
	zone    string
	reasons []reason
}

// reason is why a lookup failed.
type reason struct {
	fault  string
	server netip.AddrPort // not valid: none is to blame
}

// String is the reason for people: "SERVFAIL from 192.0.2.53:53".
func (r reason) String() string {
	if !r.server.IsValid() {
		return r.fault
	}
	return r.fault + " from " + r.server.String()
}

// maxReasons bounds the reasons of one lookup: there are not so many servers.
const maxReasons = 8

// lookupFaults are the lookups of a record that failed: the errors of each stand
// together.
func lookupFaults(errs []resolver.LookupError) (all []lookupFault) {
	for i := range errs {
		e := &errs[i]
		if i == 0 || e.About != errs[i-1].About {
			all = append(all, lookupFault{about: e.About, zone: zoneOf(e.About)})
		}
		if of := &all[len(all)-1]; len(of.reasons) < maxReasons {
			of.reasons = append(of.reasons, reason{clip(e.Reason), e.Server})
		}
	}
	return all
}

// clip bounds a text that is counted.
func clip(s string) string { return plain.Clip(s, 80) }

// zoneOf is the zone that a lookup of a name or an address is counted with.
func zoneOf(about string) string {
	if addr, err := netip.ParseAddr(about); err == nil {
		return reverseZone(addr)
	}
	return cmp.Or(hostname.Organisation(about), clip(about))
}

// reverseZone is the reverse zone of an address' /24 or /48 (RFC 1035 section 3.5,
// RFC 3596 section 2.5).
func reverseZone(addr netip.Addr) string {
	if addr.Is4() {
		b := addr.As4()
		return fmt.Sprintf("%d.%d.%d.in-addr.arpa", b[2], b[1], b[0])
	}
	b := addr.As16()
	labels := strings.Split(hex.EncodeToString(b[:6]), "")
	slices.Reverse(labels)
	return strings.Join(labels, ".") + ".ip6.arpa"
}

const (
	maxZones  = 4000
	maxFaults = 200 // of servers, and of reasons without one
)

// faults counts the trouble with the DNS.
type faults struct {
	decisions int
	servers   map[reason]int
	other     map[string]int
	zones     map[string]*zoneFaults
	cut       int
}

type zoneFaults struct {
	period
	example   string
	decisions int
	faults    tally
}

func newFaults() faults {
	return faults{servers: map[reason]int{}, other: map[string]int{}, zones: map[string]*zoneFaults{}}
}

func (f *faults) add(all []lookupFault, at time.Time) {
	if len(all) > 0 {
		f.decisions++
	}
	for i := range all {
		for _, r := range all[i].reasons {
			f.addReason(r)
		}
		// A decision counts once for a zone, however many names it looked up.
		if same := func(o lookupFault) bool { return o.zone == all[i].zone }; slices.ContainsFunc(all[:i], same) {
			continue
		}
		f.addZone(&all[i], at)
	}
}

func (f *faults) addReason(r reason) {
	if !r.server.IsValid() {
		key := strings.Clone(r.fault)
		if _, ok := f.other[key]; !ok && len(f.other) == maxFaults {
			key = "others"
		}
		f.other[key]++
		return
	}
	if _, ok := f.servers[r]; !ok && len(f.servers) == maxFaults {
		r = reason{fault: "other faults"} // of others
	}
	f.servers[reason{strings.Clone(r.fault), r.server}]++
}

func (f *faults) addZone(l *lookupFault, at time.Time) {
	z := f.zones[l.zone]
	if z == nil {
		if len(f.zones) == maxZones {
			for _, key := range lighter(f.zones, func(z *zoneFaults) int { return z.decisions }) {
				delete(f.zones, key)
				f.cut++
			}
		}
		z = &zoneFaults{example: strings.Clone(clip(l.about))}
		f.zones[strings.Clone(l.zone)] = z
	}
	z.decisions++
	z.period.add(at)
	if len(l.reasons) > 0 {
		z.faults.add(strings.Clone(l.reasons[0].fault), 4)
	}
}

// report tells it, of zones the top most.
func (f *faults) report(top int) DNS {
	d := DNS{Decisions: f.decisions, Other: f.other, Servers: []ServerFault{}, Zones: []ZoneFault{}, Cut: f.cut}
	for r, n := range f.servers {
		server := "others"
		if r.server.IsValid() {
			server = r.server.String()
		}
		d.Servers = append(d.Servers, ServerFault{server, r.fault, n})
	}
	slices.SortFunc(d.Servers, func(a, b ServerFault) int {
		return cmp.Or(cmp.Compare(b.Times, a.Times), cmp.Compare(a.Server, b.Server), cmp.Compare(a.Fault, b.Fault))
	})
	for name, z := range f.zones {
		fault := ""
		if all := z.faults.sorted(); len(all) > 0 {
			fault = all[0].text
		}
		d.Zones = append(d.Zones, ZoneFault{name, z.example, fault, z.decisions, z.first, z.last})
	}
	slices.SortFunc(d.Zones, func(a, b ZoneFault) int {
		return cmp.Or(cmp.Compare(b.Decisions, a.Decisions), cmp.Compare(a.Zone, b.Zone))
	})
	d.Zones, d.MoreZones = cutTo(d.Zones, top)
	return d
}
