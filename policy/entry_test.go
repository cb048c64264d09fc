package policy_test

import (
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/internal/cases"
)

func TestNewEntryErrors(t *testing.T) {
	const names = ": want a name such as mx.example.com, or .example.com for all names under it"
	const mailboxes = ": want user@example.com, example.com, .example.com, user@ or <>"
	tests := []struct {
		key, value string
		want       string
	}{
		{"ptr", "fail", `"fail": want found, none, malformed or temperror`},
		{"fcrdns", "found", `"found": want pass, mismatch, unresolved, none or temperror`},
		{"name", "", `"": want proper, generic, none or temperror`},
		{"strength", "none", `"none": want full, half, word or temperror`},
		{"helo_form", "FQDN", `"FQDN": want fqdn, literal, unqualified, bare_ip, malformed or missing`},
		{"helo", "fqdn", `"fqdn": want match, own, related, mismatch, unresolved, none or temperror`},
		{"helo_name", "temperror", `"temperror": want proper, generic or none`},
		{"client", "public", `"public": want an address or a network such as 192.0.2.0/24, or private, loopback or own`},
		{"client", "192.0.2.1/24", `"192.0.2.1/24": bits set beyond the prefix; the network is 192.0.2.0/24`},
		{"ptr_name", "*.example.com", `"*.example.com": no wildcards: write ".example.com" for all names under it`},
		{"ptr_name", "^mx", `"^mx"` + names},
		{"helo_is", "[192.0.2.300]", `"[192.0.2.300]"` + names},
		{"sender", "@example.com", `"@example.com": write "example.com" for every address of the domain`},
		{"sender", "", `""` + mailboxes},
		{"recipient", "a b@example.com", `"a b@example.com"` + mailboxes},
		{"recipient", "<>", `"<>": a recipient is never empty`},
		{"authenticated", "yes", `"yes": want true or false`},
		{"encrypted", "1", `"1": want true or false`},
		{"until", "31.3.2027", `"31.3.2027": want a date such as 2027-03-31, or a time with its offset such as 2027-03-31T18:00:00Z`},
		{"until", "2027-02-29", `"2027-02-29": want a date such as 2027-03-31, or a time with its offset such as 2027-03-31T18:00:00Z`},
		{"colour", "red", `unknown key "colour"`},
		{strings.Repeat("x", 99), "", `unknown key "` + strings.Repeat("x", 60) + `"`},
	}
	for _, tt := range tests {
		_, errs := policy.NewEntry(tt.key, []string{tt.value}, nil)
		if len(errs) != 1 || errs[0].Error() != tt.want {
			t.Errorf("NewEntry(%q, %q): %v; want %s", tt.key, tt.value, errs, tt.want)
		}
	}
}

// Every value that is wrong is told, with its place.
func TestNewEntryAllErrors(t *testing.T) {
	written := []string{"192.0.2.1", "@networks"}
	e, errs := policy.NewEntry("client", []string{"192.0.2.1", "a", "192.0.2.2", "b"}, written)
	if len(errs) != 2 || errs[0].Index != 1 || errs[1].Index != 3 {
		t.Errorf("NewEntry with the second and the fourth of four values wrong: %v", errs)
	}
	if e.Key != "client" || len(e.Written) != 2 || e.Written[1] != "@networks" {
		t.Errorf("the entry is %s = %q; want client = %q", e.Key, e.Written, written)
	}
}

// good has a value for each key that NewEntry takes.
func good(key string) string {
	if c, ok := policy.CheckByName(key); ok {
		return c.Results()[0].String()
	}
	switch key {
	case "client":
		return "192.0.2.0/24"
	case "ptr_name", "helo_is":
		return ".example.com"
	case "sender", "recipient":
		return "user@example.com"
	case "authenticated", "encrypted":
		return "true"
	case "until":
		return "2027-03-31"
	}
	return policy.EntryExample(key)
}

func TestEntryKeys(t *testing.T) {
	e, err := cases.Client("203.0.113.10 mail.example.com>me")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, key := range policy.EntryKeys() {
		if seen[key] {
			t.Errorf("EntryKeys has %s twice", key)
		}
		seen[key] = true
		for _, value := range []string{good(key), policy.EntryExample(key)} {
			if _, errs := policy.NewEntry(key, []string{value}, nil); errs != nil {
				t.Errorf("NewEntry(%q, %q): %v; want no error", key, value, errs)
			}
		}
		if policy.EntryValues(key) == "" {
			t.Errorf("EntryValues has no words for %s", key)
		}
		// No value, no truth.
		empty, errs := policy.NewEntry(key, nil, nil)
		rules := policy.Rules{List: []policy.Rule{{Name: key, When: policy.Table{empty}, Action: policy.Reject}}}
		if d := rules.Judge(&e.Req, &e.Facts); errs != nil || d.Decided != policy.DUNNO {
			t.Errorf("%s of no values: %v, errors %v; want dunno", key, cases.Told(d), errs)
		}
	}
	// The list is a copy.
	policy.EntryKeys()[0] = "changed"
	if got := policy.EntryKeys()[0]; got != "ptr" {
		t.Errorf("the first of EntryKeys is %q after a caller changed its copy; want ptr", got)
	}
}

// FuzzEntry: whatever a configuration holds, an entry is made or an error is
// told; what is made can be judged by, and gives the same answer twice.
func FuzzEntry(f *testing.F) {
	for _, key := range policy.EntryKeys() {
		f.Add(key, good(key), "203.0.113.10 mail.example.com>me helo:x from:<a@example.com>")
	}
	f.Add("helo_is", "[IPv6:2001:db8::1]\n203.0.113.10\nlocalhost", "2001:db8::1 helo:[IPv6:2001:db8::1]")
	f.Add("ptr_name", ".\n..\n.com", "203.0.113.10 a.com>temperror more")
	f.Add("client", "own\nprivate\n::/0\n0.0.0.0/0", "::1 ptr:none")
	f.Add("sender", "<>\n@\nuser@\n\"a@b\"@example.com", "203.0.113.10")
	f.Add("until", "0000-01-01\n9999-12-31", "203.0.113.10")
	f.Add("", "", "203.0.113.10")
	f.Fuzz(func(t *testing.T, key, list, client string) {
		if strings.TrimSpace(client) == "" {
			return
		}
		e, err := cases.Client(client)
		if err != nil {
			return
		}
		values := strings.Split(list, "\n")
		entry, errs := policy.NewEntry(key, values, values)
		for _, err := range errs {
			if err.Index < 0 || err.Index >= len(values) || err.Error() == "" {
				t.Errorf("NewEntry(%q, %q): error %q about value %d", key, values, err, err.Index)
			}
		}
		if len(errs) > 0 {
			return
		}
		rules := policy.Rules{OnDoubt: policy.Defer, List: []policy.Rule{
			{Name: "when", Action: policy.Reject, When: policy.Table{entry}},
			{Name: "unless", Action: policy.Reject, Unless: []policy.Table{{entry}}},
		}}
		first, second := rules.Judge(&e.Req, &e.Facts), rules.Judge(&e.Req, &e.Facts)
		if cases.Told(first) != cases.Told(second) {
			t.Errorf("%s = %q for %s: %s, then %s", key, values, client, cases.Told(first), cases.Told(second))
		}
		if first.Decided == policy.DUNNO && !first.Undetermined && alwaysSettled(key) {
			t.Errorf("%s = %q for %s: neither the rule with it as when nor that with it as unless holds", key, values, client)
		}
	})
}

// alwaysSettled says whether of an entry of the key and its opposite one lets
// a rule hold, whatever the client: before a HELO no rule about it holds.
func alwaysSettled(key string) bool { return !strings.HasPrefix(key, "helo") }

func TestTableHas(t *testing.T) {
	rule, err := cases.Rule("a: reject when ptr=none helo=own")
	if err != nil {
		t.Fatal(err)
	}
	if !rule.When.Has("helo") || rule.When.Has("client") {
		t.Errorf("the table of %v has helo: %v, client: %v; want true, false", rule.When, rule.When.Has("helo"), rule.When.Has("client"))
	}
}
