package match_test

import (
	"strconv"
	"strings"
	"testing"

	"policyd-rdns/policy"
	"policyd-rdns/policy/match"
)

// TestMeantNetworks: how others write a network is answered with how to write it
// here.
func TestMeantNetworks(t *testing.T) {
	for in, want := range map[string]string{
		"192.0.2.*":                 "192.0.2.0/24",
		"192.0.*.*":                 "192.0.0.0/16",
		"192.0.*":                   "192.0.0.0/16",
		"192.*":                     "192.0.0.0/8",
		"192.0.2.":                  "192.0.2.0/24",
		"192.0.2":                   "192.0.2.0/24",
		"192.0.":                    "192.0.0.0/16",
		"192.0.2.0/255.255.255.0":   "192.0.2.0/24",
		"192.0.2.7/255.255.255.240": "192.0.2.0/28",
		"2001:db8:*":                "2001:db8::/32",
		"2001:db8:1:":               "2001:db8:1::/48",
		"[2001:db8::]/32":           "2001:db8::/32",
		"[2001:db8::1]":             "2001:db8::1",
		"[192.0.2.1]":               "192.0.2.1",
	} {
		want := `"` + in + `": want CIDR notation: ` + want
		if err := new(match.Prefixes).Add(in); err == nil || err.Error() != want {
			t.Errorf("Prefixes.Add(%q) = %v; want %s", in, err, want)
		}
		if _, errs := policy.NewEntry("client", []string{in}, nil); len(errs) != 1 || errs[0].Error() != want {
			t.Errorf("NewEntry(client, %q): %v; want %s", in, errs, want)
		}
	}
	for _, in := range []string{
		"*", "*.*", "192.0", "192", "1.2.3.4.5", "192.*.2.0", "192.0.2.*/24", "192.0.2.256", "300.*", "192.0.2.0/255.0.255.0", "192.0.2.0/::",
		"[]", "[", "[2001:db8::", "[2001:db8::]/129", "2001:db8::*::", "::*", ":", "a:*", "all", "0/0", "192.0.2.0-192.0.2.255", "192.0.2.0 /24",
	} {
		want := `"` + in + `": want an address or a network such as 192.0.2.0/24`
		if err := new(match.Prefixes).Add(in); err == nil || err.Error() != want {
			t.Errorf("Prefixes.Add(%q) = %v; want %s", in, err, want)
		}
	}
}

func TestMeantNames(t *testing.T) {
	const want = "want a name such as mx.example.com, or .example.com for all names under it"
	for in, want := range map[string]string{
		"*.example.com":     `no wildcards: write ".example.com" for all names under it`,
		"*.Example.com":     `no wildcards: write ".Example.com" for all names under it`,
		"mail*.example.com": "no wildcards: " + want,
		"*":                 "no wildcards: " + want,
		"*.*.example.com":   "no wildcards: " + want,
		"/example/":         want,
		"^mail":             want,
		"@example.com":      want,
		"mx example":        want,
	} {
		want := `"` + in + `": ` + want
		if err := new(match.Names).Add(in); err == nil || err.Error() != want {
			t.Errorf("Names.Add(%q) = %v; want %s", in, err, want)
		}
	}
}

func TestMeantMailboxes(t *testing.T) {
	const want = "want user@example.com, example.com, .example.com, user@ or <>"
	for in, want := range map[string]string{
		"*.example.com":        `no wildcards: write ".example.com" for the domains under it`,
		"@example.com":         `write "example.com" for every address of the domain`,
		"@.example.com":        `write ".example.com" for every address of the domain`,
		"<user@example.com>":   `write it without the angle brackets: "user@example.com"`,
		"*":                    "no wildcards: " + want,
		"*@*":                  "no wildcards: " + want,
		"user@*.example.com":   "no wildcards: " + want,
		"@":                    want,
		"<":                    want,
		"<<user@example.com>>": want,
		"/@example\\.com$/":    want,
		"a b@example.com":      want,
	} {
		if err := new(match.Mailboxes).Add(in); err == nil || err.Error() != strconv.Quote(in)+": "+want {
			t.Errorf("Mailboxes.Add(%q) = %v; want %s: %s", in, err, strconv.Quote(in), want)
		}
	}
}

// TestMisread: what is allowed and no wildcard, though it seems to be one.
func TestMisread(t *testing.T) {
	for _, tt := range []struct{ key, value, want string }{
		{"sender", "*@example.com", `no wildcards: it stands for a local part of these very characters; write "example.com" for every address of the domain`},
		{"recipient", "*@example.com", `no wildcards: it stands for a local part of these very characters; write "example.com" for every address of the domain`},
		{"sender", "%@example.com", `no wildcards: it stands for a local part of these very characters; write "example.com" for every address of the domain`},
		{"sender", ".*@example.com", `no wildcards: it stands for a local part of these very characters; write "example.com" for every address of the domain`},
		{"sender", "*@", "no wildcards: it stands for a local part of these very characters; every address is meant if the entry is left out"},
		{"sender", "news*@example.com", "no wildcards: it stands for a local part with these very characters"},
		{"sender", "^news@example.com", "no wildcards: it stands for a local part with these very characters"},
		{"sender", "info?@", "no wildcards: it stands for a local part with these very characters"},
		{"context", "mx*", "no wildcards: it stands for that very text"},
		{"sender", "news-owner+user=example.org@example.com", ""},
		{"sender", "user%example.org@example.com", ""},
		{"sender", "example.com", ""},
		{"sender", "<>", ""},
		{"recipient", "abuse@", ""},
		{"context", "mx", ""},
		{"client", "192.0.2.1", ""},
	} {
		e, errs := policy.NewEntry(tt.key, []string{tt.value}, nil)
		if len(errs) > 0 {
			t.Errorf("NewEntry(%s, %q): %v; want a value that is allowed", tt.key, tt.value, errs)
		}
		if got := e.Misread(tt.value); got != tt.want {
			t.Errorf("%s: Misread(%q) = %q; want %q", tt.key, tt.value, got, tt.want)
		}
	}
}

// FuzzMeant: what is said to be meant by a text is taken.
func FuzzMeant(f *testing.F) {
	for _, s := range []string{"192.0.2.*", "192.0.", "[2001:db8::]/32", "192.0.2.0/255.255.255.0", "2001:db8:*", "*.example.com", "@example.com", "<user@example.com>", "*@"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for key, want := range map[string]string{"client": "want CIDR notation: ", "ptr_name": "no wildcards: write ", "sender": ": write ", "recipient": " the angle brackets: "} {
			_, errs := policy.NewEntry(key, []string{text}, nil)
			if len(errs) == 0 {
				continue
			}
			_, meant, ok := strings.Cut(errs[0].Error(), want)
			if !ok || len(text) > 50 {
				continue
			}
			if i := strings.IndexByte(meant, '"'); i >= 0 {
				quoted, _ := strconv.QuotedPrefix(meant[i:])
				meant, _ = strconv.Unquote(quoted)
			}
			if _, errs := policy.NewEntry(key, []string{meant}, nil); len(errs) > 0 && !strings.Contains(text, want) {
				t.Errorf("%s = %q: %q is meant, which is an error: %v", key, text, meant, errs)
			}
		}
	})
}
