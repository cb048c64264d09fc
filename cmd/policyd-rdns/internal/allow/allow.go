// Package allow is the command allow: an exemption in one command, in force within
// seconds, without a touch to the administrator's own file.
package allow

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exempt"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// Options are how an exemption is made.
type Options struct {
	Sender bool   // the subject is a sender, which anyone may claim to be
	For    string // how long, such as 30d; empty: see Until
	Until  string // a day, or a time with its offset; empty with For: for good
	Why    string // for whoever reads it later
	Yes    bool   // do not ask
}

// Command is what the command works with.
type Command struct {
	Config *config.Config
	// Terminal reports whether somebody can be asked.
	Terminal bool
	Stdin    io.Reader
	Stdout   io.Writer
	Stderr   io.Writer
	Now      time.Time
	// DNS looks names up.
	DNS DNS
	// Recorded calls each for the decisions of the log, the last 7 days of it, until it
	// returns false.
	Recorded func(ctx context.Context, each func(*journal.Record) bool) error
}

// Add makes an exemption of a subject: an address, a network, a name, or a sender.
func (c *Command) Add(ctx context.Context, text string, o *Options) error {
	path, err := c.file()
	if err != nil {
		return err
	}
	s, err := exempt.ParseSubject(text, o.Sender)
	if err != nil {
		return exit.Usage(err)
	}
	rule, err := c.rule(s, o)
	if err != nil {
		return exit.Usage(err)
	}
	if err := c.check(ctx, s); err != nil {
		return err
	}
	consent := o.Yes
	for {
		err := exempt.Update(path, func(l *exempt.List) error { return c.put(l, s, rule, consent) })
		var widens widening
		switch {
		case err == nil:
			c.tell(s, rule)
			return nil
		case !errors.As(err, &widens):
			return err
		case !c.Terminal:
			return fmt.Errorf("%w; with --yes it is done", err)
		}
		fmt.Fprintf(c.Stderr, "%v. Do it? [y/N] ", err)
		answer, _ := bufio.NewReader(c.Stdin).ReadString('\n') // an end is a no
		if answer = strings.ToLower(strings.TrimSpace(answer)); answer != "y" && answer != "yes" {
			return errors.New("nothing was changed")
		}
		consent = true
	}
}

// file is where exemptions are kept.
func (c *Command) file() (string, error) {
	if c.Config.ExemptFile != "" {
		return c.Config.ExemptFile, nil
	}
	where := "a configuration file"
	if c.Config.Path != "" {
		where = c.Config.Path
	}
	return "", fmt.Errorf("there is no file for exemptions: add this line to %s, above the first [table]:\n  exempt_file = \"/etc/policyd-rdns/exempt.toml\"", where)
}

// rule is the exemption as a rule.
func (c *Command) rule(s exempt.Subject, o *Options) (*policy.Rule, error) {
	rule := &policy.Rule{
		Exempt: true, Name: clip("allow " + strings.Trim(strconv.QuoteToASCII(s.Value), `"`) + ", " + c.Now.Format(time.DateOnly)),
		When: policy.Table{s.Entry()}, Why: o.Why,
	}
	until := o.Until
	switch {
	case o.For != "" && until != "":
		return nil, errors.New("--for and --until: want one of them")
	case o.For != "":
		d, err := plain.ParseDuration(o.For)
		if err != nil || d <= 0 {
			return nil, fmt.Errorf("--for %.40q: want a duration such as 30d or 12h", o.For)
		}
		until = c.Now.Add(d).UTC().Truncate(time.Second).Format(time.RFC3339)
	}
	if until != "" {
		e, errs := policy.NewEntry("until", []string{until}, []string{until})
		if len(errs) > 0 {
			return nil, fmt.Errorf("--until %w", errs[0])
		}
		if end, _ := e.End(); !c.Now.Before(end) {
			return nil, fmt.Errorf("--until %s: that is over", until)
		}
		rule.When = append(rule.When, e)
	}
	if strings.ContainsFunc(o.Why, func(r rune) bool { return r < ' ' || r > '~' }) || len(o.Why) > maxWhy {
		return nil, fmt.Errorf("--why: want at most %d printable ASCII characters", maxWhy)
	}
	return rule, nil
}

// maxWhy is the longest reason that a configuration takes, and maxName the longest name.
const (
	maxWhy  = 300
	maxName = 100
)

func clip(s string) string { return s[:min(len(s), maxName)] }

// check refuses what would exempt strangers, and a name that proves nothing.
func (c *Command) check(ctx context.Context, s exempt.Subject) error {
	e := s.Entry()
	switch {
	case e.Wide() != "":
		return fmt.Errorf("%s: refused: %s", s, e.Wide())
	case s.Value == "<>":
		return errors.New("<>: every bounce has that sender, those of spammers too")
	case s.Key == "sender" && (match.UnderSuffix(s.Value) || strings.HasSuffix(s.Value, "@")):
		return fmt.Errorf("%s: refused: strangers have such addresses, and all of them would be exempt", s)
	case s.Key == "sender":
		fmt.Fprintf(c.Stderr, "warning: anyone may claim to be %s: whoever does is never refused for his reverse DNS\n", s)
	case s.Key == "ptr_name":
		ok, addrs, err := c.confirmed(ctx, s)
		switch {
		case ok:
		case err != nil:
			return fmt.Errorf("%s: cannot be confirmed now: %w; name the address instead: policyd-rdns allow ADDRESS", s, err)
		case len(addrs) > 0:
			return fmt.Errorf("%s: resolves to %s, whose reverse DNS does not say so: the name cannot help; name the address instead: policyd-rdns allow %s",
				s, strings.Join(addrs, ", "), addrs[0])
		default:
			return fmt.Errorf("%s: no client is known to have such a confirmed name: the name cannot help; name the address instead: policyd-rdns allow ADDRESS", s)
		}
	}
	return nil
}

// widening is a change that makes more of an exemption that stands.
type widening string

// Error is the change in words.
func (w widening) Error() string { return string(w) }

// put adds the exemption to a list, in the place of those of the same subject.
func (c *Command) put(l *exempt.List, s exempt.Subject, rule *policy.Rule, consent bool) error {
	if _, err := l.Prune(c.Now); err != nil {
		return err
	}
	if !consent {
		if w := c.widens(l, s, rule); w != "" {
			return w
		}
	}
	if old := l.Of(s); rule.Why == "" && len(old) > 0 {
		rule.Why = old[len(old)-1].Why // it is about the same, and would be lost
	}
	if _, err := l.Remove(func(r *policy.Rule) bool { of, ok := exempt.SubjectOf(r); return ok && of == s }); err != nil {
		return err
	}
	return l.Add(rule)
}

// widens says which exemption that is in force the new one makes more of.
func (c *Command) widens(l *exempt.List, s exempt.Subject, rule *policy.Rule) widening {
	for i := range l.Rules {
		old := &l.Rules[i]
		of, ok := exempt.SubjectOf(old)
		if end, ends := old.When.End(); !ok || ends && !c.Now.Before(end) {
			continue
		}
		switch {
		case of == s && longer(rule.When, old.When):
			return widening(fmt.Sprintf("%s is exempt %s already%s", s, c.term(old.When), because(old)))
		case s.Covers(of):
			return widening(fmt.Sprintf("%s is more than %s, which is exempt %s%s", s, of, c.term(old.When), because(old)))
		}
	}
	return ""
}

// longer reports whether a table ends later than another.
func longer(t, than policy.Table) bool {
	end, ends := t.End()
	other, otherEnds := than.End()
	return otherEnds && (!ends || end.After(other))
}

// tell says what is in force now.
func (c *Command) tell(s exempt.Subject, rule *policy.Rule) {
	fmt.Fprintf(c.Stdout, "%s is exempt %s%s; a daemon of this configuration knows it within 5 seconds\n", s, c.term(rule.When), because(rule))
}

// term is until when an exemption holds.
func (c *Command) term(t policy.Table) string {
	end, ok := t.End()
	if !ok {
		return "for good"
	}
	if text := config.EndText(end); strings.HasPrefix(text, "at ") {
		return "until " + strings.TrimPrefix(text, "at ")
	}
	return "until " + strings.TrimPrefix(config.EndText(end), "on ")
}

func because(r *policy.Rule) string {
	if r.Why == "" {
		return ""
	}
	return " (" + r.Why + ")"
}

// Remove takes the exemptions of a subject out, or those of that name.
func (c *Command) Remove(text string) error {
	path, err := c.file()
	if err != nil {
		return err
	}
	is := func(r *policy.Rule) bool {
		if r.Name == text {
			return true
		}
		of, ok := exempt.SubjectOf(r)
		s, err := exempt.ParseSubject(text, of.Key == "sender")
		return ok && err == nil && s == of
	}
	rest := ""
	err = exempt.Update(path, func(l *exempt.List) error {
		n, err := l.Remove(is)
		if err == nil && n == 0 {
			err = c.absent(l, text)
		}
		rest = still(l, text)
		return err
	})
	if err == nil {
		fmt.Fprintf(c.Stdout, "the exemption of %s is gone%s; a daemon of this configuration knows it within 5 seconds\n", text, rest)
	}
	return err
}

// still says which other exemption of the list an argument has; empty: none, as far as
// its text tells.
func still(l *exempt.List, text string) string {
	s, err := exempt.ParseSubject(text, false)
	if err != nil {
		return ""
	}
	for i := range l.Rules {
		if of, ok := exempt.SubjectOf(&l.Rules[i]); ok && of.Covers(s) {
			return ", but it is exempt by " + of.String() + " still"
		}
	}
	return ""
}

// absent says that there is no such exemption, and which one may have been meant.
func (c *Command) absent(l *exempt.List, text string) error {
	if s, err := exempt.ParseSubject(text, false); err == nil {
		for i := range l.Rules {
			if of, ok := exempt.SubjectOf(&l.Rules[i]); ok && of.Covers(s) {
				return fmt.Errorf("%s is exempt by %s alone; to take that out: policyd-rdns allow --remove %s", text, of, of)
			}
		}
	}
	return fmt.Errorf("%s has no exemption in %s; see policyd-rdns allow --list", text, c.Config.ExemptFile)
}

// since is the day that the name of an exemption of this command holds; empty: none.
func since(r *policy.Rule) string {
	i := strings.LastIndex(r.Name, ", ")
	if !strings.HasPrefix(r.Name, "allow ") || i < 0 {
		return ""
	}
	if _, err := time.Parse(time.DateOnly, r.Name[i+2:]); err != nil {
		return ""
	}
	return r.Name[i+2:]
}

// shown is the subject of an exemption for the list, or else its conditions.
func shown(r *policy.Rule) string {
	if s, ok := exempt.SubjectOf(r); ok {
		return s.Value
	}
	var b strings.Builder
	config.WriteRule(&b, &policy.Rule{Exempt: true, When: r.When, Unless: r.Unless})
	return strings.Join(strings.Fields(strings.ReplaceAll(b.String(), "[[exempt]]", "")), " ")
}
