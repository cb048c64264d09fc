// Package replay judges recorded decisions again under another configuration, by the
// facts that they hold, and says what would change. It does the same with Postfix's
// own logs, by facts that it learns from the DNS.
package replay

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

// Options are what a replay compares, and how it says what would change.
type Options struct {
	Config  string   // file with the new configuration; empty: the built-in one
	Against string   // file to compare with; empty: what was done
	FailOn  []string // of [Changes]: it is not well if there is one of these
	List    bool     // each decision that changes, before the summary
	JSON    bool     // an object a line
	UTC     bool     // times as in the log, not those of this place
	Decided bool     // what the rules come to is compared, whether it is carried out or not
	Top     int      // groups of each change; 0: all
	Postfix PostfixOptions
	// Loaded is called with the new configuration, once it is read; nil: nobody is.
	Loaded func(*config.Config)
}

// Run judges the decisions of logs again, and prints what would change. "-" is
// standard input. The error is [exit.ErrNotWell] if there is a change to fail on, or
// if a log was not read to its end.
func Run(ctx context.Context, paths []string, o *Options, stdin io.Reader, stdout, stderr io.Writer) error {
	failOn, err := parseChanges(o.FailOn)
	if err != nil {
		return exit.Usage(err)
	}
	if err := o.Postfix.check(); err != nil {
		return err
	}
	p, err := newReplayer(o)
	if err != nil {
		return err
	}
	if o.Loaded != nil {
		o.Loaded(p.after)
	}
	logs, err := declog.Find(paths, stdin)
	if err != nil {
		return err
	}
	out := &output{list: p.newLister(o, stdout), damaged: declog.NewDamages(stderr), bar: &declog.Bar{Read: logs.Read}}
	if plain.Terminal(stderr) && !(o.List && plain.Terminal(stdout)) {
		out.bar.Out = stderr
	}
	var t *tally
	if o.Postfix.On {
		t, err = replayPostfix(ctx, p, o, logs, out)
	} else {
		t, err = replayDecisions(ctx, p, logs, out)
	}
	out.bar.Clear()
	if err = out.damaged.End(errors.Join(err, out.list.end())); err != nil && !errors.Is(err, exit.ErrNotWell) {
		return err
	}
	partly := err
	if t.decisions == 0 {
		return t.nothing()
	}
	if o.JSON {
		err = t.printJSON(stdout, p)
	} else {
		err = t.print(stdout, p, o.Top)
	}
	if err == nil && slices.ContainsFunc(failOn, func(c change) bool { return t.changes[c].decisions > 0 }) {
		return exit.ErrNotWell
	}
	return cmp.Or(err, partly)
}

// output is where a replay shows what it does while it reads.
type output struct {
	list    *lister
	damaged *declog.Damages
	bar     *declog.Bar
}

// replayDecisions is replay of decision logs.
func replayDecisions(ctx context.Context, p *replayer, logs *declog.Logs, out *output) (*tally, error) {
	t := newTally()
	r := logs.Reader(out.damaged)
	for some, err := range journal.Read(ctx, r, p.judge) {
		for i := range some {
			t.add(&some[i])
		}
		out.bar.Draw(time.Now(), t.decisions)
		if err = cmp.Or(err, out.list.add(some)); err != nil {
			return t, err
		}
	}
	t.lines = r.Counts
	return t, nil
}

// nothing says that there was no decision.
func (t *tally) nothing() error {
	lines := t.lines.Other + t.lines.Damaged
	if t.mail != nil {
		return fmt.Errorf("no mail found in %d lines: want lines of Postfix's smtpd, cleanup, qmgr and delivery agents", lines)
	}
	return fmt.Errorf("no decision found in %d lines", lines)
}

// lister prints changed decisions while the log is being read.
type lister struct {
	json *bufio.Writer // nil: not in JSON
	rows *declog.Printer
}

// newLister makes what --list asks for, and has p keep what it needs.
func (p *replayer) newLister(o *Options, out io.Writer) *lister {
	l := &lister{}
	switch {
	case o.List && o.JSON:
		l.json = bufio.NewWriter(out)
		p.listing = listJSON
	case o.List:
		l.rows = declog.NewPrinter(out, p.place)
		p.rows, p.listing = l.rows, listRows
	}
	return l
}

func (l *lister) add(some []judged) error {
	for i := range some {
		j := &some[i]
		if j.change == unchanged {
			continue
		}
		var err error
		switch {
		case l.json != nil:
			_, err = l.json.Write(j.json)
		case l.rows != nil:
			err = l.rows.AddOne(&j.row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *lister) end() error {
	switch {
	case l.json != nil:
		return l.json.Flush()
	case l.rows != nil:
		return l.rows.End()
	}
	return nil
}
