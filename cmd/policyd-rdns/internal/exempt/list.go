// Package exempt keeps exempt_file: the exemptions that the command allow writes, in force
// within seconds and without a touch to the administrator's own file.
//
// The file is TOML, [[exempt]] tables alone, and may be edited by hand too: what is not
// changed here, comments and blank lines included, stays as it is. It is replaced as a
// whole, so that a reader sees the old one or the new one, and under a lock, so that
// nothing is lost of what several processes write at once.
package exempt

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/match"
)

// keepEnded is how long an exemption that has ended is kept, for those who look for it.
const keepEnded = 30 * 24 * time.Hour

// List is the exemptions of a file, in its order.
type List struct {
	Rules []policy.Rule

	path  string
	lines []string // with their ends
	begin []int    // the line of each exemption's header, from 0
}

// Parse reads a list. Messages name the path. The error is as [config.Load]'s.
func Parse(path string, text []byte) (*List, error) {
	l := &List{path: path}
	return l, l.read(string(text))
}

func (l *List) read(text string) error {
	rules, from, err := config.ParseExempt(l.path, []byte(text))
	if err != nil {
		return err
	}
	l.Rules, l.lines, l.begin = rules, strings.SplitAfter(text, "\n"), nil
	for i := range from {
		l.begin = append(l.begin, from[i].Line-1)
		if i > 0 && l.begin[i] <= l.begin[i-1] {
			return fmt.Errorf("%s: exemptions cannot be told apart: write each below a line [[exempt]] of its own", l.path)
		}
	}
	return nil
}

// String is the list as text.
func (l *List) String() string { return strings.Join(l.lines, "") }

// Add appends an exemption.
func (l *List) Add(rule *policy.Rule) error {
	var b strings.Builder
	text := strings.TrimRight(l.String(), "\n")
	if b.WriteString(text); text != "" {
		b.WriteString("\n\n")
	}
	config.WriteRule(&b, rule)
	return l.read(b.String())
}

// Remove takes out those for which drop is true, and tells how many these were. A
// comment stays, unless it stands within one.
func (l *List) Remove(drop func(*policy.Rule) bool) (int, error) {
	var gone []int
	var kept List
	for i := range l.Rules {
		if drop(&l.Rules[i]) {
			gone = append(gone, i)
		} else {
			kept.Rules = append(kept.Rules, l.Rules[i])
		}
	}
	lines := slices.Clone(l.lines)
	for _, i := range slices.Backward(gone) {
		lines = slices.Delete(lines, l.begin[i], l.end(i))
	}
	if err := l.read(strings.TrimLeft(strings.Join(lines, ""), "\n")); err != nil {
		return 0, err
	}
	if l.meaning() != kept.meaning() {
		return 0, fmt.Errorf("%s: cannot be changed without a change of other exemptions: take it out by hand", l.path)
	}
	return len(gone), nil
}

// meaning is all that the exemptions say.
func (l *List) meaning() string {
	var b strings.Builder
	for i := range l.Rules {
		config.WriteRule(&b, &l.Rules[i])
	}
	return b.String()
}

// end is the line behind the last of exemption i, blank ones that follow included.
func (l *List) end(i int) int {
	next := len(l.lines)
	if i+1 < len(l.begin) {
		next = l.begin[i+1]
	}
	last := next
	for ; last > l.begin[i]+1; last-- {
		if text := strings.TrimSpace(l.lines[last-1]); text != "" && text[0] != '#' {
			break
		}
	}
	for last < next && strings.TrimSpace(l.lines[last]) == "" {
		last++
	}
	return last
}

// Prune takes out what ended long ago, and tells how many these were.
func (l *List) Prune(now time.Time) (int, error) {
	return l.Remove(func(r *policy.Rule) bool {
		end, ok := r.When.End()
		return ok && now.Sub(end) > keepEnded
	})
}

// Of are the exemptions whose only condition, beside an end, is the subject.
func (l *List) Of(s Subject) []*policy.Rule {
	var all []*policy.Rule
	for i := range l.Rules {
		if of, ok := SubjectOf(&l.Rules[i]); ok && of == s {
			all = append(all, &l.Rules[i])
		}
	}
	return all
}

// Subject is whom an exemption of the command allow is for: an address, a network, a
// confirmed name, or all names under a domain (".example.org"); or a sender.
type Subject struct {
	Key   string // of the entry: client, ptr_name or sender
	Value string // in its one spelling
}

// ParseSubject reads an argument of the command. The error says what would be right.
func ParseSubject(text string, sender bool) (Subject, error) {
	s := Subject{Key: "ptr_name", Value: strings.TrimSpace(text)}
	prefix, notPrefix := netip.ParsePrefix(s.Value)
	addr, notAddr := netip.ParseAddr(s.Value)
	switch under := strings.HasPrefix(s.Value, "."); {
	case sender:
		s.Key, s.Value = "sender", strings.ToLower(s.Value) // letter case does not count
	case notPrefix == nil && prefix.IsSingleIP():
		s.Key, s.Value = "client", address.Plain(prefix.Addr()).String()
	case notPrefix == nil && prefix == prefix.Masked():
		s.Key, s.Value = "client", prefix.String()
	case notAddr == nil:
		s.Key, s.Value = "client", address.Plain(addr).String()
	case strings.Contains(s.Value, "/") || match.MeantNetwork(s.Value) != "":
		s.Key = "client" // NewEntry says what is wrong with it
	default:
		if s.Value = hostname.Normal(strings.TrimPrefix(s.Value, ".")); under {
			s.Value = "." + s.Value
		}
	}
	_, errs := policy.NewEntry(s.Key, []string{s.Value}, []string{s.Value})
	if len(errs) > 0 {
		return s, errs[0]
	}
	return s, nil
}

// SubjectOf is the subject of an exemption; ok: it is for one alone, and under no further
// condition but an end.
func SubjectOf(r *policy.Rule) (s Subject, ok bool) {
	if len(r.Unless) > 0 {
		return s, false
	}
	for i := range r.When {
		e := &r.When[i]
		if e.Dated() {
			continue
		}
		if s.Key != "" || len(e.Written) != 1 {
			return Subject{}, false
		}
		var err error
		if s, err = ParseSubject(e.Written[0], e.Key == "sender"); err != nil || s.Key != e.Key {
			return Subject{}, false
		}
	}
	return s, s.Key != ""
}

// Entry is the subject as a condition.
func (s Subject) Entry() policy.Entry {
	e, _ := policy.NewEntry(s.Key, []string{s.Value}, []string{s.Value})
	return e
}

// For is the subject that lets the client of a request pass: a name that it has proved to
// have, or else its address, since a name cannot help who is refused for having none.
func For(req *policy.Request, f *policy.Facts) Subject {
	if names := f.Confirmed(req.Client); len(names) > 0 {
		return Subject{"ptr_name", names[0]}
	}
	return Subject{"client", req.Client.String()}
}

// Command is what lets the subject pass, for good.
func (s Subject) Command() string {
	if s.Key == "sender" {
		return "policyd-rdns allow --sender " + s.Value
	}
	return "policyd-rdns allow " + s.Value
}

// Block is the same as TOML, for the end of a configuration file.
func (s Subject) Block() string {
	var b strings.Builder
	config.WriteRule(&b, &policy.Rule{Exempt: true, When: policy.Table{s.Entry()}})
	return b.String()
}

// String is the subject as the command takes it.
func (s Subject) String() string { return s.Value }

// Covers reports whether the subject is more than another, and all of that.
func (s Subject) Covers(other Subject) bool {
	if s.Key != other.Key || s == other {
		return false
	}
	switch s.Key {
	case "client":
		wide, err := netip.ParsePrefix(s.Value)
		if err != nil {
			return false
		}
		narrow, err := netip.ParsePrefix(other.Value)
		if err != nil {
			addr, err := netip.ParseAddr(other.Value)
			if err != nil {
				return false
			}
			narrow = netip.PrefixFrom(addr, addr.BitLen())
		}
		return wide.Bits() <= narrow.Bits() && wide.Contains(narrow.Addr())
	case "sender":
		if strings.Contains(other.Value, "@") {
			var wide match.Mailboxes
			return wide.Add(s.Value) == nil && wide.Has(other.Value)
		}
	}
	// Names, and domains of senders: a final part that begins with a dot is all under it.
	return strings.HasPrefix(s.Value, ".") && strings.HasSuffix(other.Value, s.Value)
}
