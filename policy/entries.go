package policy

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/match"
	"policyd-rdns/resolver"
)

// kinds are the keys of entries that ask for no check, in the order of the
// documentation.
var kinds = []kind{
	{
		key: "client", example: "192.0.2.0/24", make: func() condition { return new(clients) },
		wide:   wideNetworks,
		values: `addresses, networks, "loopback", "own", "private" (never of the public Internet: RFC 1918, 4193, 6598, link-local, 192.0.0.0/24, 198.18.0.0/15)`,
	},
	{
		key: "ptr_name", example: ".example.com", make: func() condition { return new(ptrNames) },
		implies: func([]string) (Check, Results) { return CheckFCrDNS, of(Pass) }, wide: wideNames,
		values: `a confirmed name: "mx.example.com", ".example.com"`,
	},
	{
		key: "helo_is", example: "mx.example.com", needs: AttrHELO, standing: Claimed, make: func() condition { return new(helos) },
		implies: impliedForm,
		values:  "HELO itself",
	},
	{
		key: "sender", example: "user@example.com", needs: AttrSender, standing: Claimed, make: func() condition { return new(senders) },
		misread: match.MisreadMailbox,
		values:  `"user@example.com", "example.com", ".example.com", "user@", "<>"`,
	},
	{
		key: "recipient", example: "postmaster@", needs: AttrRecipient, standing: Silent, make: func() condition { return new(recipients) },
		misread: match.MisreadMailbox,
		values:  "as sender",
	},
	{
		key: "authenticated", example: "true", needs: AttrAuthenticated, bare: true, make: func() condition { return new(authenticated) },
		values: "true or false",
	},
	{
		key: "encrypted", example: "true", needs: AttrEncrypted, standing: Silent, bare: true, make: func() condition { return new(encrypted) },
		values: "true or false",
	},
	{
		key: "context", example: "mx", needs: AttrContext, standing: Silent, make: func() condition { return contexts{} },
		misread: func(value string) string {
			if !strings.ContainsAny(value, "*?") {
				return ""
			}
			return "no wildcards: it stands for that very text"
		},
		values: "Postfix's policy_context",
	},
	{
		key: "correspondent", example: "true", needs: AttrSender | AttrPast, bare: true, make: func() condition { return new(correspondents) },
		values: "true or false: users of ours have written to the domain of MAIL FROM, and the client is of it, by its name or by SPF",
	},
	{
		key: "until", example: "2027-03-31", needs: AttrTime, standing: Silent, bare: true, make: func() condition { return new(until) },
		end:    endOf,
		values: "a date, as 2027-03-31: to the end of that day, UTC; or a time with its offset, as 2027-03-31T18:00:00Z",
	},
}

// clients asks for the client's address.
type clients struct {
	match.Prefixes
	private, loopback, own bool
}

func (c *clients) add(v string) error {
	switch v {
	case "private":
		c.private = true
	case "loopback":
		c.loopback = true
	case "own":
		c.own = true
	default:
		return match.MeantClient(v, c.Add(v), "private, loopback or own")
	}
	return nil
}

func (c *clients) holds(e *evaluation) holding {
	addr := e.req.Client
	return holds(truthOf(c.loopback && addr.IsLoopback() ||
		c.private && address.Private(addr) ||
		c.own && e.ownClient() ||
		c.Has(addr)))
}

// wideNetworks says why networks are too wide: so many addresses that strangers have them.
func wideNetworks(values []string) string {
	var set match.Prefixes
	for _, v := range values {
		_ = set.Add(v) // what is no network is no wide one
	}
	if !set.Wide() {
		return ""
	}
	return "a large part of the public Internet: its hosts are exempt"
}

// ownClient reports whether the client is this host or in our own networks.
func (e *evaluation) ownClient() bool {
	return e.facts.OwnClient || e.rules.Networks.Has(e.req.Client)
}

// ptrNames asks for a confirmed name of the client. An unconfirmed one is
// anybody's claim.
type ptrNames struct{ match.Names }

func (p *ptrNames) add(v string) error { return p.AddHost(v) }

func (p *ptrNames) holds(e *evaluation) holding {
	f := e.facts
	if f.nameless() {
		return holds(No)
	}
	result := afterOutcome(No, f.PTR)
	if f.MoreNames {
		result = afterOutcome(result, resolver.TempError)
	}
	for i := range f.Names {
		n := &f.Names[i]
		if !p.Has(n.Name) {
			continue
		}
		if n.Forward.To(e.req.Client) {
			return holds(Yes)
		}
		result = afterOutcome(result, n.Forward.Outcome)
	}
	if result == Undetermined {
		return holding{truth: Undetermined, lacks: f.lacksConfirmation()}
	}
	return holds(result)
}

// wideNames says why names are too wide: one is every name under a public suffix.
func wideNames(values []string) string {
	for _, v := range values {
		if match.UnderSuffix(v) {
			return "a public suffix: strangers have names under it, and all of them are exempt"
		}
	}
	return ""
}

// helos asks for the HELO itself.
type helos struct {
	match.Names
	addrs map[heloAddr]struct{}
}

// heloAddr is a HELO that is an address, however it is written.
type heloAddr struct {
	form hostname.Form // literal or bare
	addr netip.Addr
}

func (h *helos) add(v string) error {
	form, addr := hostname.ParseHELO(v)
	if !addr.IsValid() {
		return h.Add(v)
	}
	if h.addrs == nil {
		h.addrs = map[heloAddr]struct{}{}
	}
	h.addrs[heloAddr{form, addr}] = struct{}{}
	return nil
}

func (h *helos) holds(e *evaluation) holding {
	if !e.req.heloGiven() {
		return holds(No)
	}
	said := &e.facts.HELO
	if e.req.cut(AttrHELO) && said.Form != hostname.Malformed {
		return holds(Undetermined) // what has no name as it begins has none whole
	}
	if said.Addr.IsValid() {
		_, ok := h.addrs[heloAddr{said.Form, said.Addr}]
		return holds(truthOf(ok))
	}
	return holds(truthOf(said.Name != "" && h.Has(said.Name)))
}

// impliedForm are the forms of the HELOs that values are, or names of.
func impliedForm(values []string) (Check, Results) {
	var forms Results
	for _, value := range values {
		switch form, addr := hostname.ParseHELO(value); {
		case addr.IsValid() && form == hostname.Literal:
			forms |= of(Literal)
		case addr.IsValid():
			forms |= of(BareIP)
		case strings.Contains(hostname.Normal(value), "."):
			forms |= of(FQDN)
		default:
			forms |= of(Unqualified)
		}
	}
	return CheckHELOForm, forms
}

// senders asks for MAIL FROM, recipients for RCPT TO.
type (
	senders    struct{ match.Mailboxes }
	recipients struct{ match.Mailboxes }
)

func (m *senders) add(v string) error { return m.Add(v) }

func (m *senders) holds(e *evaluation) holding {
	if e.req.cut(AttrSender) {
		return beginning(&m.Mailboxes)
	}
	// Before MAIL an empty sender is none, not the null sender.
	return holds(truthOf((e.req.Sender != "" || e.req.mailBegun()) && m.Has(e.req.Sender)))
}

func (m *recipients) add(v string) error {
	if v == "<>" {
		return fmt.Errorf("%q: a recipient is never empty", v)
	}
	return m.Add(v)
}

func (m *recipients) holds(e *evaluation) holding {
	if e.req.cut(AttrRecipient) {
		return beginning(&m.Mailboxes)
	}
	return holds(truthOf(e.req.Recipient != "" && m.Has(e.req.Recipient)))
}

// beginning is how true it is of an address that a set has it, if only its
// beginning is known: that is not empty, and its domain is at its end.
func beginning(m *match.Mailboxes) holding {
	if m.Addressed() {
		return holds(Undetermined)
	}
	return holds(No)
}

// flag asks for a truth of the request.
type flag struct{ yes, no bool }

type (
	authenticated struct{ flag }
	encrypted     struct{ flag }
)

func (f *flag) add(v string) error {
	switch v {
	case "true":
		f.yes = true
	case "false":
		f.no = true
	default:
		return fmt.Errorf("%.60q: want true or false", v)
	}
	return nil
}

func (f *flag) of(is bool) holding { return holds(truthOf(is && f.yes || !is && f.no)) }

func (a *authenticated) holds(e *evaluation) holding { return a.of(e.req.Authenticated) }
func (c *encrypted) holds(e *evaluation) holding     { return c.of(e.req.Encrypted) }

// correspondents asks whether the client is of a domain that users of ours write to, or sends
// for it.
type correspondents struct{ flag }

func (c *correspondents) holds(e *evaluation) holding {
	past := &e.facts.Past
	is, lacks := No, CheckSet(0)
	switch {
	case past.Correspondent, e.kindly:
		if is, lacks = e.ofSender(); is != Yes {
			vouched := e.vouched()
			is, lacks = is.or(vouched.truth), lacks|vouched.lacks
		}
	case !past.DomainAsked && e.req.SenderDomain() != "":
		is, lacks = Undetermined, checkSet(CheckHistory)
	}
	switch {
	case c.yes && c.no:
		is, lacks = Yes, 0
	case c.no:
		is = is.not()
	}
	if is != Undetermined {
		lacks = 0
	}
	return holding{truth: is, lacks: lacks}
}

// contexts asks for Postfix's policy_context.
type contexts map[string]struct{}

func (c contexts) add(v string) error {
	c[v] = struct{}{}
	return nil
}

func (c contexts) holds(e *evaluation) holding {
	if e.req.cut(AttrContext) {
		for v := range c {
			if len(v) > len(e.req.Context) && strings.HasPrefix(v, e.req.Context) {
				return holds(Undetermined)
			}
		}
		return holds(No)
	}
	_, ok := c[e.req.Context]
	return holds(truthOf(ok))
}

// until asks that a time has not come yet, of several the last: for a day its end in
// UTC, so that a replay on another machine judges alike.
type until struct{ end time.Time }

func (u *until) add(v string) error {
	end, err := endOf(v)
	if err != nil {
		return fmt.Errorf("%.60q: want a date such as 2027-03-31, or a time with its offset such as 2027-03-31T18:00:00Z", v)
	}
	if end.After(u.end) {
		u.end = end
	}
	return nil
}

func (u *until) holds(e *evaluation) holding {
	return holds(truthOf(e.req.Time.Before(u.end)))
}

// endOf is when a day is over, or the time itself.
func endOf(text string) (time.Time, error) {
	if day, err := time.Parse(time.DateOnly, text); err == nil {
		return day.AddDate(0, 0, 1), nil
	}
	return time.Parse(time.RFC3339, text)
}
