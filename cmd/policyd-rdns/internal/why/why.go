// Package why is the command why: what became of the mail of an address, a network, a
// name, a mail address, or in one decision, in prose, newest first, with what would let
// it pass. Decisions that came out alike are a paragraph, however many they are; what is
// kept of a log, and what is printed, is bounded.
package why

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"math/bits"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

// Options are how decisions are searched for and shown.
type Options struct {
	Since string   // as [declog.Time] has it; empty: 7 days ago
	Until string   // likewise; empty: now
	Files []string // to search instead of the log in force; "-" is standard input
	Block bool     // print the exemption as TOML, too
	UTC   bool     // times as in the log, not those of this place
}

// Command is what the command works with.
type Command struct {
	Config *config.Config
	Stdin  io.Reader
	Stdout io.Writer
	Stderr io.Writer
	Now    time.Time // when, and where, times are meant
}

// period is how long ago is looked for, unless told otherwise.
const period = 7 * 24 * time.Hour

// search is one call of the command.
type search struct {
	*Command
	*Options
	word         *declog.Word
	logs         *declog.Logs
	since, until time.Time
	now          time.Time
	seed         maphash.Seed
}

// Run answers about a word. The error is [exit.ErrNotWell] if it is in no decision, which
// is told on Stdout with what was searched.
func (c *Command) Run(ctx context.Context, text string, o *Options) error {
	s := search{Command: c, Options: o, now: c.Now, seed: maphash.MakeSeed()}
	if err := s.begin(ctx, text); err != nil {
		return err
	}
	s.number()
	damaged := declog.NewDamages(c.Stderr)
	found := newTally()
	r := s.logs.Reader(damaged)
	r.Want = s.word.MayHold
	for decisions, err := range journal.Read(ctx, r, s.choose) {
		if err != nil {
			return damaged.End(err)
		}
		for _, d := range decisions {
			found.add(d)
		}
	}
	var err error
	if found.decisions == 0 {
		s.nothing(ctx, &r.Counts)
		err = exit.ErrNotWell
	} else {
		s.print(found)
	}
	return damaged.End(err)
}

// begin reads what was given, and finds the logs.
func (s *search) begin(ctx context.Context, text string) (err error) {
	if s.UTC {
		s.now = s.now.UTC()
	}
	if s.word, err = declog.ParseWord(text); err != nil {
		return exit.Usage(err)
	}
	s.since = s.now.Add(-period)
	if c := s.word.Case(); c != nil {
		s.since = c.At
	}
	if s.Since != "" {
		if s.since, err = declog.Time(s.Since, s.now); err != nil {
			return exit.Usage(fmt.Errorf("--since %w", err))
		}
	}
	if s.Until != "" {
		if s.until, err = declog.Time(s.Until, s.now); err != nil {
			return exit.Usage(fmt.Errorf("--until %w", err))
		}
		if !s.since.Before(s.until) {
			return exit.Usage(errors.New("--until: there is no time before that since --since"))
		}
	}
	if len(s.Files) > 0 {
		s.logs, err = declog.Find(s.Files, s.Stdin)
	} else {
		s.logs, err = declog.InForce(ctx, s.Config, s.since)
	}
	return err
}

// number tells what the number of a case says, and whether it is one of ours.
func (s *search) number() {
	c := s.word.Case()
	if c == nil {
		return
	}
	verdict := "not verified: there is no key here"
	switch keys, err := s.Config.CaseKeys(); {
	case err != nil:
		verdict = "not verified: " + err.Error()
	case keys != nil:
		verdict = "verified"
		if _, err := keys.Read(s.word.Text, s.now); err != nil {
			verdict = err.Error()
		}
	}
	s.wrapped("", fmt.Sprintf("A case of %s at %s, cause %s (%s).", c.Client, s.time(c.At), c.Cause, plain.Line(verdict)))
}

// choose keeps the decisions that the word is in. It is called from several goroutines.
func (s *search) choose(l *journal.Line) (*decision, bool) {
	if at := l.Request.Time; at.Before(s.since) || !s.until.IsZero() && !at.Before(s.until) {
		return nil, false
	}
	as := s.word.Roles(&l.Record)
	if as == 0 {
		return nil, false
	}
	return newDecision(&l.Record, as, s.seed), true
}

// nothing tells what was searched in vain.
func (s *search) nothing(ctx context.Context, read *journal.Counts) {
	s.wrapped("", fmt.Sprintf("Nothing about %s %s. It was looked for as %s in %s.", s.quoted(), s.span(), s.word.Tried, s.files()))
	lines := read.Decisions + read.Unwanted + read.Other + read.Damaged
	switch first, ok := s.first(ctx); {
	case ok:
		s.wrapped("", "The oldest decision there is of "+s.time(first)+".")
	case slices.ContainsFunc(s.logs.Inputs, func(in journal.Input) bool { return in.Once }):
		s.wrapped("", plain.Counted(lines, "line was read.", "lines were read."))
	default:
		s.wrapped("", "There is no decision at all.")
	}
}

// first is the time of the oldest decision that was searched; ok: there is one. A stream
// cannot be read twice.
func (s *search) first(ctx context.Context) (first time.Time, ok bool) {
	var again []journal.Input
	for _, in := range s.logs.Inputs {
		if !in.Once {
			again = append(again, in)
		}
	}
	for times := range journal.Read(ctx, &journal.Reader{Inputs: again}, func(l *journal.Line) (time.Time, bool) { return l.Request.Time, true }) {
		if len(times) > 0 {
			return times[0], true
		}
	}
	return first, false
}

// mostFiles bounds the names of logs that are told.
const mostFiles = 8

// files names the logs.
func (s *search) files() string {
	var names []string
	for _, in := range s.logs.Inputs {
		names = append(names, plain.Line(in.Name))
	}
	slices.Sort(names)
	if len(names) > mostFiles {
		names = append(names[:mostFiles], plain.Counted(len(names)-mostFiles, "other file", "other files"))
	}
	return plain.List(names, "and")
}

// span is the time that was searched.
func (s *search) span() string {
	if s.until.IsZero() {
		return "since " + s.time(s.since)
	}
	return "from " + s.time(s.since) + " to " + s.time(s.until)
}

func (s *search) time(t time.Time) string { return t.In(s.now.Location()).Format(time.DateTime) }

// quoted is the word for people.
func (s *search) quoted() string { return `"` + plain.Cell(s.word.Text) + `"` }

// width is that of a line of prose, in characters.
const width = 78

// wrapped prints a text with an indent on each line.
func (s *search) wrapped(indent, text string) {
	for _, line := range plain.Wrap(text, width-len(indent)) {
		fmt.Fprintf(s.Stdout, "%s%s\n", indent, line)
	}
}

// print tells what was found.
func (s *search) print(t *tally) {
	p := plain.PaintFor(s.Stdout)
	var as []string
	for _, role := range s.word.Tried.Each() {
		if n := t.roles[bits.TrailingZeros8(uint8(role))]; n > 0 {
			as = append(as, fmt.Sprintf("%s in %s", role, plain.Number(n)))
		}
	}
	s.wrapped("", fmt.Sprintf("%s %s: %s; %s.", s.quoted(), s.span(), plain.Counted(t.messages, "message", "messages"), strings.Join(as, ", ")))
	groups := t.groups()
	for _, g := range groups[:min(len(groups), mostGroups)] {
		fmt.Fprintln(s.Stdout)
		s.group(p, g)
	}
	if rest := groups[min(len(groups), mostGroups):]; len(rest) > 0 {
		fmt.Fprintln(s.Stdout)
		n := 0
		for _, g := range rest {
			n += g.times
		}
		newest := slices.MaxFunc(rest, func(a, b *group) int { return a.last.Compare(b.last) })
		s.wrapped("", fmt.Sprintf("And %s more in %s, the last of %s: a shorter time, or \"policyd-rdns log\" with the same word, shows them.",
			plain.Number(n), plain.Counted(len(rest), "group", "groups"), s.time(newest.last)))
	}
}
