package postgrey

import (
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"

	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// taken is what a line of a whitelist comes to: values of an entry of rules. why says of a
// line that comes to nothing what would be right.
type taken struct {
	key    string
	values []string
	why    string
}

// whitelist reads a whitelist: an entry a line, and comments behind #.
func (im *Import) whitelist(file string, r io.Reader, understand func(text string) taken) error {
	var all []taken
	err := lines(r, func(n int, line string) error {
		text, _, _ := strings.Cut(line, "#")
		if text = strings.TrimSpace(text); text == "" {
			return nil
		}
		t := understand(text)
		if t.why == "" {
			entry, errs := policy.NewEntry(t.key, t.values, t.values)
			switch {
			case len(errs) > 0:
				t.why = errs[0].Err.Error()
			case entry.Wide() != "":
				t.why = entry.Wide()
			}
		}
		if t.why != "" {
			im.left(file, n, text, t.why)
			return nil
		}
		all = append(all, t)
		return nil
	})
	im.exempt(all)
	return err
}

// perExemption is how many values of whitelists an exemption has at most, so that one can
// be read and changed.
const perExemption = 20

// exempt makes exemptions of what was taken, by key.
func (im *Import) exempt(all []taken) {
	for _, key := range []string{"client", "ptr_name", "recipient"} {
		var values []string
		flush := func() {
			if len(values) == 0 {
				return
			}
			entry, _ := policy.NewEntry(key, values, values) // each was tried
			im.Exempt = append(im.Exempt, policy.Rule{
				Name: fmt.Sprintf("postgrey %d", len(im.Exempt)+1), Exempt: true,
				When: policy.Table{entry}, Why: "whitelist of postgrey",
			})
			values = nil
		}
		for _, t := range all {
			if t.key != key {
				continue
			}
			if values = append(values, t.values...); len(values) >= perExemption {
				flush()
			}
		}
		flush()
	}
}

var (
	whole4   = regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){3}(/\d{1,2})?$`)
	partial4 = regexp.MustCompile(`^\d{1,3}(\.\d{1,3}){1,2}$`)
)

// clients understands a line of a whitelist of clients as postgrey does: an address, a
// network, the first numbers of one, a regular expression, or a name, which is all names
// under it too.
func clients(text string) taken {
	switch {
	case isRegexp(text):
		return taken{why: ofRegexp(text)}
	case whole4.MatchString(text), strings.Count(text, ":") > 1:
		return network(text)
	case partial4.MatchString(text) && strings.Count(text, ".") == 2:
		return network(text + ".0/24")
	case partial4.MatchString(text):
		return taken{why: fmt.Sprintf("half an address, of which postgrey makes another network than its manual says: if it is to be all of it, client = %q", text+".0.0/16")}
	}
	name := hostname.Normal(text)
	return taken{key: "ptr_name", values: []string{name, "." + name}}
}

// network is an address or a network. Bits beyond the prefix do not count, as with
// postgrey.
func network(text string) taken {
	if p, err := netip.ParsePrefix(text); err == nil {
		return taken{key: "client", values: []string{p.Masked().String()}}
	}
	addr, err := netip.ParseAddr(text)
	if err != nil || addr.Zone() != "" {
		return taken{why: "no address, and no network such as 192.0.2.0/24; postgrey passes over it"}
	}
	return taken{key: "client", values: []string{address.Plain(addr).String()}}
}

// recipients understands a line of a whitelist of recipients: user@domain, user@ of any
// domain, a domain, which is all under it too, or a regular expression. postgrey spares
// user+extension for user; here that has to be said.
func recipients(text string) taken {
	user, domain, at := strings.Cut(text, "@")
	switch {
	case isRegexp(text):
		return taken{why: "a regular expression: write the recipients that are meant"}
	case at && user == "" && domain != "":
		return taken{why: fmt.Sprintf("postgrey spares nobody for it; if the domain is meant, recipient = %q", domain)}
	case at:
		return taken{key: "recipient", values: []string{strings.ToLower(text)}}
	}
	name := hostname.Normal(text)
	return taken{key: "recipient", values: []string{name, "." + name}}
}

func isRegexp(text string) bool {
	return len(text) > 2 && text[0] == '/' && text[len(text)-1] == '/'
}

// literalEnd is the domain that names end in for which a regular expression holds, such as
// `\.example\.com$`.
var literalEnd = regexp.MustCompile(`((?:\\\.[A-Za-z0-9-]+){2,})\$/$`)

// ofRegexp says what to do about a regular expression.
func ofRegexp(text string) string {
	const why = "a regular expression: name the hosts that are meant"
	m := literalEnd.FindStringSubmatch(text)
	if m == nil {
		return why
	}
	under := strings.ToLower(strings.ReplaceAll(m[1], `\`, ""))
	if entry, errs := policy.NewEntry("ptr_name", []string{under}, nil); len(errs) > 0 || entry.Wide() != "" {
		return why
	}
	return fmt.Sprintf("%s; all hosts of the domain are ptr_name = %q", why, under)
}
