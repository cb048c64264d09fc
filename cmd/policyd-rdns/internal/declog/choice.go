package declog

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// Choice is what decisions are chosen by. A list chooses those that one of its
// values holds for; an empty one, or an empty text, all.
type Choice struct {
	Clients    []string // addresses and networks
	Names      []string // PTR names, confirmed or not; ".example.com" is all under it
	HELOs      []string // likewise
	Senders    []string // user@example.com, example.com, .example.com, user@ or <>
	Recipients []string // likewise
	Actions    []string // decided, whether it was carried out or not
	Rules      []string // parts of their names, observed ones too
	IDs        []string
	Since      string // a time, or how long ago
	Until      string // likewise
}

// Filter is what all have to say yes to.
type Filter []func(*journal.Record) bool

// Wants reports whether a decision was chosen.
func (f Filter) Wants(r *journal.Record) bool {
	for _, wants := range f {
		if !wants(r) {
			return false
		}
	}
	return true
}

// Filter reads the choice; now is when, and where, times are meant. Its errors name
// the flags of log.
func (c *Choice) Filter(now time.Time) (Filter, error) {
	var f Filter
	for _, read := range []func(*Filter) error{c.clientFilter, c.nameFilter, c.mailFilter, c.actionFilter} {
		if err := read(&f); err != nil {
			return nil, err
		}
	}
	if len(c.IDs) > 0 {
		f = append(f, func(r *journal.Record) bool { return slices.Contains(c.IDs, r.ID) })
	}
	if c.Since != "" {
		since, err := Time(c.Since, now)
		if err != nil {
			return nil, fmt.Errorf("--since %w", err)
		}
		f = append(f, func(r *journal.Record) bool { return !r.Request.Time.Before(since) })
	}
	if c.Until != "" {
		until, err := Time(c.Until, now)
		if err != nil {
			return nil, fmt.Errorf("--until %w", err)
		}
		f = append(f, func(r *journal.Record) bool { return r.Request.Time.Before(until) })
	}
	return f, nil
}

// addAll adds the values of a flag to a set.
func addAll(flag string, values []string, add func(string) error) error {
	for _, v := range values {
		if err := add(v); err != nil {
			return fmt.Errorf("--%s %w", flag, err)
		}
	}
	return nil
}

func (c *Choice) clientFilter(f *Filter) error {
	if len(c.Clients) == 0 {
		return nil
	}
	var set match.Prefixes
	*f = append(*f, func(r *journal.Record) bool { return r.Request.Client.IsValid() && set.Has(r.Request.Client) })
	return addAll("client", c.Clients, set.Add)
}

func (c *Choice) nameFilter(f *Filter) error {
	if len(c.Names) > 0 {
		var set match.Names
		if err := addAll("name", c.Names, set.Add); err != nil {
			return err
		}
		*f = append(*f, func(r *journal.Record) bool {
			return slices.ContainsFunc(r.Facts.Names, func(n policy.Name) bool { return set.Has(n.Name) })
		})
	}
	if len(c.HELOs) > 0 {
		var set match.Names
		for _, v := range c.HELOs {
			_ = set.Add(v) // what is no name is compared as it stands
		}
		*f = append(*f, func(r *journal.Record) bool {
			helo := r.Request.HELO
			same := func(v string) bool { return strings.EqualFold(v, helo) }
			return set.Has(hostname.Normal(helo)) || slices.ContainsFunc(c.HELOs, same)
		})
	}
	return nil
}

func (c *Choice) mailFilter(f *Filter) error {
	if len(c.Senders) > 0 {
		var set match.Mailboxes
		if err := addAll("sender", c.Senders, set.Add); err != nil {
			return err
		}
		*f = append(*f, func(r *journal.Record) bool { return set.Has(r.Request.Sender) })
	}
	if len(c.Recipients) > 0 {
		var set match.Mailboxes
		if err := addAll("recipient", c.Recipients, set.Add); err != nil {
			return err
		}
		*f = append(*f, func(r *journal.Record) bool { return set.Has(r.Request.Recipient) })
	}
	return nil
}

func (c *Choice) actionFilter(f *Filter) error {
	if len(c.Rules) > 0 {
		*f = append(*f, func(r *journal.Record) bool {
			return c.namesRule(r.Decision.Rule) || slices.ContainsFunc(r.Decision.Would, func(v policy.Ruling) bool { return c.namesRule(v.Rule) })
		})
	}
	if len(c.Actions) == 0 {
		return nil
	}
	var wanted [policy.NumActions]bool
	for _, v := range c.Actions {
		a, ok := policy.ActionByName(strings.ToLower(v))
		if !ok {
			_, err := policy.ParseAction(v)
			return fmt.Errorf("--action %w", err)
		}
		wanted[a] = true
	}
	*f = append(*f, func(r *journal.Record) bool {
		return wanted[r.Decision.Decided] || r.Decision.Action != policy.DUNNO && wanted[r.Decision.Action]
	})
	return nil
}

// namesRule reports whether a rule's name holds one of the texts chosen.
func (c *Choice) namesRule(rule string) bool {
	rule = strings.ToLower(rule)
	return slices.ContainsFunc(c.Rules, func(text string) bool { return strings.Contains(rule, strings.ToLower(text)) })
}

// Time reads a time, in that of this place if it does not say, or how long ago it was:
// "2026-11-20", "2026-11-20 09:30", "09:30", RFC 3339; "today" and "yesterday", which are
// the beginning of that day; "90m", "2h", "7d", "1w". Now is when, and where, that is meant.
func Time(text string, now time.Time) (time.Time, error) {
	day := func(ago int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()-ago, 0, 0, 0, 0, now.Location())
	}
	switch strings.ToLower(text) {
	case "today":
		return day(0), nil
	case "yesterday":
		return day(1), nil
	}
	if weeks, ok := strings.CutSuffix(text, "w"); ok {
		if n, err := strconv.ParseUint(weeks, 10, 16); err == nil {
			return now.AddDate(0, 0, -7*int(n)), nil
		}
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, text, now.Location()); err == nil {
			return t, nil
		}
	}
	if t, err := time.ParseInLocation("15:04", text, now.Location()); err == nil {
		return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), 0, 0, now.Location()), nil
	}
	return time.Time{}, fmt.Errorf("%.60q: want a time such as 2006-01-02, \"2006-01-02 15:04\" or 15:04, today or yesterday, or how long ago: 90m, 2h, 7d, 1w", text)
}
