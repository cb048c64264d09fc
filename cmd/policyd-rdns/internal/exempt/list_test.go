package exempt

import (
	"errors"
	"strings"
	"testing"
	"time"

	"policyd-rdns/policy"
)

const sample = `# kept by hand
[[exempt]] # one
name  = "partner"
when  = { client = [
  "192.0.2.1", # alone
] }

# about the second

[[exempt]]
when  = { ptr_name = ".Example.org" }
until = 2026-10-01
why   = "ticket 4711"


[[exempt]]
when  = { sender = "user@example.net" }
until = 2026-11-20
[[exempt]]
when  = { client = "2001:db8::/32", helo_is = "mail.example.net" }
# the end
`

// TestList takes out of a list, and adds to it: what is not meant stays as it is.
func TestList(t *testing.T) {
	now := time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)
	l, err := Parse("exempt.toml", []byte(sample))
	if err != nil || len(l.Rules) != 4 || l.String() != sample {
		t.Fatalf("Parse: %v, %d exemptions,\n%s", err, len(l.Rules), l)
	}
	if n, err := l.Prune(now); n != 1 || err != nil {
		t.Errorf("Prune = %d, %v; want the one that ended over 30 days ago", n, err)
	}
	partner, err := ParseSubject("192.0.2.1", false)
	if err != nil || len(l.Of(partner)) != 1 {
		t.Errorf("exemptions of %v: %d, %v; want 1", partner, len(l.Of(partner)), err)
	}
	if n, err := l.Remove(func(r *policy.Rule) bool { return r.Name == "partner" }); n != 1 || err != nil {
		t.Errorf("Remove = %d, %v; want 1", n, err)
	}
	added := policy.Rule{Exempt: true, Name: "new", When: policy.Table{Subject{"client", "192.0.2.7"}.Entry()}, Why: `a "b"`}
	if err := l.Add(&added); err != nil {
		t.Error(err)
	}
	want := `# kept by hand
# about the second

[[exempt]]
when  = { sender = "user@example.net" }
until = 2026-11-20
[[exempt]]
when  = { client = "2001:db8::/32", helo_is = "mail.example.net" }
# the end

[[exempt]]
name   = "new"
when   = { client = "192.0.2.7" }
why    = "a \"b\""
`
	if l.String() != want || len(l.Rules) != 3 {
		t.Errorf("%d exemptions,\n%s; want 3,\n%s", len(l.Rules), l, want)
	}
}

// TestMarked takes out of a file with a byte order mark, as editors put there, what is
// meant.
func TestMarked(t *testing.T) {
	const file = "\ufeff[[exempt]]\nname = \"a\"\nwhen = { client = \"192.0.2.1\" }\n" +
		"[[exempt]]\nname = \"b\"\nwhen = { client = \"192.0.2.2\" }\n[[exempt]]\nname = \"c\"\nwhen = { client = \"192.0.2.3\" }\n"
	for _, name := range []string{"a", "b", "c"} {
		l, err := Parse("exempt.toml", []byte(file))
		if err != nil {
			t.Fatal(err)
		}
		n, err := l.Remove(func(r *policy.Rule) bool { return r.Name == name })
		if err != nil || n != 1 || strings.Contains(l.String(), `"`+name+`"`) || len(l.Rules) != 2 {
			t.Errorf("Remove(%s) = %d, %v:\n%s", name, n, err, l)
		}
	}
	// A header that only the TOML library knows for one.
	if _, err := Parse("exempt.toml", []byte("[[exempt]]\nwhen = { client = \"192.0.2.1\" }\n[[\"\\u0065xempt\"]]\nwhen = { client = \"192.0.2.2\" }\n")); err == nil {
		t.Error("exemptions that cannot be told apart are taken")
	}
}

func TestAddToNothing(t *testing.T) {
	l, err := Parse("exempt.toml", nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Add(&policy.Rule{Exempt: true, When: policy.Table{Subject{"ptr_name", ".example.org"}.Entry()}}); err != nil {
		t.Error(err)
	}
	if want := "[[exempt]]\nwhen   = { ptr_name = \".example.org\" }\n"; l.String() != want {
		t.Errorf("got\n%s; want\n%s", l, want)
	}
}

func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"[[exempt]]\nwhen = {}\n":                            "exempt.toml:1: exempt[1]: when: want an entry that tells which clients are meant: without one all of them are exempt",
		"[[exempt]\n":                                        "exempt.toml:2: not TOML",
		"mode = \"observe\"\n":                               "exempt.toml:1: mode: unknown key (here stand [[exempt]] tables alone)",
		"[[rule]]\nname = \"x\"\n":                           "exempt.toml:1: rule: unknown key (here stand [[exempt]] tables alone)",
		"[[exempt]]\nname = \"postmaster\"\noff = true\n":    "exempt.toml:1: exempt[1] \"postmaster\": off: belongs into the configuration; here stand exemptions that are in force",
		"exempt = [{ when = { client = \"192.0.2.1\" } }]\n": "exempt.toml:1: exempt = [{…}]: write [[exempt]] in double brackets, once for each, with its keys below",
	} {
		if _, err := Parse("exempt.toml", []byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("Parse(%q) = %v; want %s", text, err, want)
		}
	}
}

func TestSubjects(t *testing.T) {
	for _, tt := range []struct {
		text, want string
		sender     bool
	}{
		{"192.0.2.1", "client 192.0.2.1", false},
		{" 192.0.2.1/32 ", "client 192.0.2.1", false},
		{"192.0.2.0/24", "client 192.0.2.0/24", false},
		{"192.0.2.1/24", `"192.0.2.1/24": bits set beyond the prefix; the network is 192.0.2.0/24`, false},
		{"192.0.2.*", `"192.0.2.*": want CIDR notation: 192.0.2.0/24`, false},
		{"::ffff:192.0.2.1", "client 192.0.2.1", false},
		{"2001:DB8:0::1", "client 2001:db8::1", false},
		{"Mail.Example.Org.", "ptr_name mail.example.org", false},
		{".Example.Org", "ptr_name .example.org", false},
		{"user@example.org", "sender user@example.org", true},
		{"example.org", "sender example.org", true},
		{"a b", `"a b": want a name such as mx.example.com, or .example.com for all names under it`, false},
		{"", `"": want a name such as mx.example.com, or .example.com for all names under it`, false},
	} {
		s, err := ParseSubject(tt.text, tt.sender)
		got := s.Key + " " + s.Value
		if err != nil {
			got = err.Error()
		}
		if got != tt.want {
			t.Errorf("ParseSubject(%q, %v) = %s; want %s", tt.text, tt.sender, got, tt.want)
		}
	}
}

func TestCovers(t *testing.T) {
	for _, tt := range []struct {
		wide, narrow string
		want         bool
	}{
		{"192.0.2.0/24", "192.0.2.1", true},
		{"192.0.2.0/24", "192.0.2.0/25", true},
		{"192.0.2.0/24", "192.0.2.0/24", false},
		{"192.0.2.0/25", "192.0.2.0/24", false},
		{"192.0.2.0/24", "198.51.100.1", false},
		{"192.0.2.1", "192.0.2.0/24", false},
		{".example.org", "mail.example.org", true},
		{".example.org", ".mail.example.org", true},
		{"mail.example.org", ".example.org", false},
		{".example.org", "example.org", false},
		{".example.org", "mailexample.org", false},
		{".example.org", "192.0.2.1", false},
	} {
		a, errA := ParseSubject(tt.wide, false)
		b, errB := ParseSubject(tt.narrow, false)
		if got := a.Covers(b); got != tt.want || errA != nil || errB != nil {
			t.Errorf("%v covers %v: %v; want %v (%v)", a, b, got, tt.want, errors.Join(errA, errB))
		}
	}
	for _, tt := range []struct {
		wide, narrow string
		want         bool
	}{
		{"example.org", "user@example.org", true},
		{"Example.org", "USER@example.ORG", true},
		{"example.org", "user@mail.example.org", false},
		{".example.org", "user@mail.example.org", true},
		{".example.org", "mail.example.org", true},
		{".example.org", "example.org", false},
		{"user@", "user@example.org", true},
		{"user@", "other@example.org", false},
		{"user@example.org", "User@Example.org", false},
		{"user@example.org", "user@", false},
		{"user@example.org", "example.org", false},
		{"example.org", "user@", false},
	} {
		a, errA := ParseSubject(tt.wide, true)
		b, errB := ParseSubject(tt.narrow, true)
		if got := a.Covers(b); got != tt.want || errA != nil || errB != nil {
			t.Errorf("sender %v covers %v: %v; want %v (%v)", a, b, got, tt.want, errors.Join(errA, errB))
		}
	}
}

// FuzzList takes any exemption out of any file: the others stay.
func FuzzList(f *testing.F) {
	f.Add(sample, uint8(1))
	f.Add("[[exempt]]\nwhen = { client = \"192.0.2.1\" }\n", uint8(0))
	f.Add("#\n\n[[ exempt ]]\n\"when\".client='''192.0.2.1'''\n[[exempt]]\n when.helo_is=\"x\"#", uint8(0))
	f.Fuzz(func(t *testing.T, text string, which uint8) {
		if strings.Contains(text, "@") {
			t.Skip("may name any file of the machine")
		}
		l, err := Parse("exempt.toml", []byte(text))
		if err != nil || len(l.Rules) == 0 {
			t.Skip("no list")
		}
		i, n := int(which)%len(l.Rules), len(l.Rules)
		gone := &l.Rules[i]
		if removed, err := l.Remove(func(r *policy.Rule) bool { return r == gone }); err != nil || removed != 1 || len(l.Rules) != n-1 {
			t.Errorf("%q: %d of %d removed, %d left, %v", text, removed, n, len(l.Rules), err)
		}
		if err := l.Add(&policy.Rule{Exempt: true, When: policy.Table{Subject{"client", "192.0.2.7"}.Entry()}}); err != nil || len(l.Rules) != n {
			t.Errorf("%q: %d, %v", l, len(l.Rules), err)
		}
	})
}
