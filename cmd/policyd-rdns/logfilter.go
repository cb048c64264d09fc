package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/policy"
	"policyd-rdns/policy/hostname"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// logFlags are the flags that choose decisions.
type logFlags struct {
	clients, names, helos, senders, recipients []string
	actions, rules, ids                        []string
	since, until                               string
}

func (l *logFlags) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringArrayVar(&l.clients, "client", nil, "only of this `address` or network, as 192.0.2.0/24")
	f.StringArrayVar(&l.names, "name", nil, "only of clients with this PTR `name`, confirmed or not; .example.com: all under it")
	f.StringArrayVar(&l.helos, "helo", nil, "only of clients with this HELO, or one under .example.com: `name`")
	f.StringArrayVar(&l.senders, "sender", nil, "only from this `address`: user@example.com, example.com, .example.com, user@ or <>")
	f.StringArrayVar(&l.recipients, "recipient", nil, "only to this `address`, likewise")
	f.StringArrayVar(&l.actions, "action", nil, "only of this `action`: reject, defer, dunno, or info; also if it was not carried out")
	f.StringArrayVar(&l.rules, "rule", nil, "only by rules with this `text` in their names, observed ones too")
	f.StringArrayVar(&l.ids, "id", nil, "only the decision with this `id`")
	f.StringVar(&l.since, "since", "", "only at this `time` or later, or this long ago at most")
	f.StringVar(&l.until, "until", "", "only before this `time`")
	var actions []string
	for _, a := range policy.Actions(false) {
		actions = append(actions, a.String())
	}
	_ = cmd.RegisterFlagCompletionFunc("action", cobra.FixedCompletions(actions, cobra.ShellCompDirectiveNoFileComp))
}

// logFilter is what all have to say yes to.
type logFilter []func(*journal.Record) bool

func (f logFilter) wants(r *journal.Record) bool {
	for _, wants := range f {
		if !wants(r) {
			return false
		}
	}
	return true
}

// filter reads the flags. Its errors name them.
func (l *logFlags) filter(now time.Time) (logFilter, error) {
	var f logFilter
	for _, read := range []func(*logFilter) error{l.clientFilter, l.nameFilter, l.mailFilter, l.actionFilter} {
		if err := read(&f); err != nil {
			return nil, err
		}
	}
	if len(l.ids) > 0 {
		f = append(f, func(r *journal.Record) bool { return slices.Contains(l.ids, r.ID) })
	}
	if l.since != "" {
		since, err := parseTime(l.since, now)
		if err != nil {
			return nil, fmt.Errorf("--since %w", err)
		}
		f = append(f, func(r *journal.Record) bool { return !r.Request.Time.Before(since) })
	}
	if l.until != "" {
		until, err := parseTime(l.until, now)
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

func (l *logFlags) clientFilter(f *logFilter) error {
	if len(l.clients) == 0 {
		return nil
	}
	var set match.Prefixes
	*f = append(*f, func(r *journal.Record) bool { return r.Request.Client.IsValid() && set.Has(r.Request.Client) })
	return addAll("client", l.clients, set.Add)
}

func (l *logFlags) nameFilter(f *logFilter) error {
	if len(l.names) > 0 {
		var set match.Names
		if err := addAll("name", l.names, set.Add); err != nil {
			return err
		}
		*f = append(*f, func(r *journal.Record) bool {
			return slices.ContainsFunc(r.Facts.Names, func(n policy.Name) bool { return set.Has(n.Name) })
		})
	}
	if len(l.helos) > 0 {
		var set match.Names
		for _, v := range l.helos {
			_ = set.Add(v) // what is no name is compared as it stands
		}
		*f = append(*f, func(r *journal.Record) bool {
			helo := r.Request.HELO
			same := func(v string) bool { return strings.EqualFold(v, helo) }
			return set.Has(hostname.Normal(helo)) || slices.ContainsFunc(l.helos, same)
		})
	}
	return nil
}

func (l *logFlags) mailFilter(f *logFilter) error {
	if len(l.senders) > 0 {
		var set match.Mailboxes
		if err := addAll("sender", l.senders, set.Add); err != nil {
			return err
		}
		*f = append(*f, func(r *journal.Record) bool { return set.Has(r.Request.Sender) })
	}
	if len(l.recipients) > 0 {
		var set match.Mailboxes
		if err := addAll("recipient", l.recipients, set.Add); err != nil {
			return err
		}
		*f = append(*f, func(r *journal.Record) bool { return set.Has(r.Request.Recipient) })
	}
	return nil
}

func (l *logFlags) actionFilter(f *logFilter) error {
	if len(l.rules) > 0 {
		*f = append(*f, func(r *journal.Record) bool {
			return l.namesRule(r.Decision.Rule) || slices.ContainsFunc(r.Decision.Would, func(v policy.Ruling) bool { return l.namesRule(v.Rule) })
		})
	}
	if len(l.actions) == 0 {
		return nil
	}
	var wanted [policy.NumActions]bool
	for _, v := range l.actions {
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

// namesRule says whether a rule's name holds one of the texts wanted.
func (l *logFlags) namesRule(rule string) bool {
	rule = strings.ToLower(rule)
	return slices.ContainsFunc(l.rules, func(text string) bool { return strings.Contains(rule, strings.ToLower(text)) })
}

// parseTime reads a time, in that of this place if it does not say, or how long
// ago it was.
func parseTime(text string, now time.Time) (time.Time, error) {
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
	return time.Time{}, fmt.Errorf("%.60q: want a time such as 2006-01-02, \"2006-01-02 15:04\" or 15:04, or how long ago: 90m, 2h, 7d", text)
}
