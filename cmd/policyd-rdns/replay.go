package main

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/policy/journal"
)

// replayOptions are the flags of replay.
type replayOptions struct {
	config  string
	against string
	failOn  []string
	list    bool
	json    bool
	utc     bool
	decided bool
	top     int
	postfix postfixOptions
}

func newReplay() *cobra.Command {
	var o replayOptions
	cmd := &cobra.Command{
		Use:   "replay -c NEW FILE...",
		Short: "judge recorded decisions again under another configuration",
		Long: `replay judges the decisions of decision logs again under another configuration,
by the facts that they hold, without asking the DNS, and says what would change:
how many of each action before and after, and who would be newly rejected or
deferred and who no longer, by the organisational domain of their name (in
brackets if it is not confirmed) or by network. With --against, before is not
what was done but what the rules of another file come to.

Where the new rules ask for what a line does not hold, because the rules that
were in force did not need it, the decision is counted as undecided, with what
is missing. A rule in mode observe before all others has its facts logged
without deciding.

If NEW only observes, what its rules come to is compared, as if it were carried
out.

With --postfix the files are Postfix's own mail logs, for sites that have no
decision log yet: the clients whose mail was accepted are looked up in the DNS, as
it is today, and judged. Their HELO is mostly not logged: what depends on it
is undecided. What the DNS cannot say is held against nobody.

Files are read as log does: compressed or not, from syslog, the journal, containers
and collectors. If one is not read to its end, the status is 1.

  policyd-rdns replay -c new.toml /var/log/policyd-rdns/decisions.log*
  policyd-rdns replay -c new.toml --against old.toml --fail-on newly-rejected week.log.gz
  policyd-rdns replay --postfix --networks 192.0.2.0/24 /var/log/mail.log*`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return errUsage{errors.New("replay wants decision logs, or - for standard input")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.postfix.check(cmd.Flags().Changed); err != nil {
				return err
			}
			return replay(cmd.Context(), args, &o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.against, "against", "", "TOML `file` to compare with, instead of what was done")
	_ = cmd.MarkFlagFilename("against", "toml")
	f.StringSliceVar(&o.failOn, "fail-on", nil, "exit with status 1 if there is one of these `changes`: "+strings.Join(changeFlags(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(changeFlags(), cobra.ShellCompDirectiveNoFileComp))
	f.BoolVar(&o.list, "list", false, "print each decision that changes, before the summary")
	f.BoolVar(&o.json, "json", false, "print JSON, an object a line")
	f.BoolVar(&o.utc, "utc", false, "print times as in the log, not those of this place")
	f.BoolVar(&o.decided, "decided", false, "compare what the rules come to, whether it is carried out or not")
	f.IntVar(&o.top, "top", 20, "print this `many` groups of each change; 0: all")
	o.postfix.flags(cmd)
	return cmd
}

func replay(ctx context.Context, paths []string, o *replayOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	failOn, err := parseChanges(o.failOn)
	if err != nil {
		return errUsage{err}
	}
	p, err := newReplayer(o)
	if err != nil {
		return err
	}
	logs, err := findRecords(paths, stdin)
	if err != nil {
		return err
	}
	out := &replayOutput{list: p.lister(o, stdout), damaged: &damages{out: stderr}, bar: &progressBar{read: logs.read}}
	if isTerminal(stderr) && !(o.list && isTerminal(stdout)) {
		out.bar.out = stderr
	}
	var t *replayed
	if o.postfix.on {
		t, err = replayPostfix(ctx, p, o, logs, out)
	} else {
		t, err = replayDecisions(ctx, p, logs, out)
	}
	out.bar.clear()
	if err = out.damaged.end(errors.Join(err, out.list.end())); err != nil && !errors.Is(err, errNotWell) {
		return err
	}
	partly := err
	if t.decisions == 0 {
		return t.nothing()
	}
	if o.json {
		err = t.printJSON(stdout, p)
	} else {
		err = t.print(stdout, p, o.top)
	}
	if err == nil && slices.ContainsFunc(failOn, func(c change) bool { return t.changes[c].decisions > 0 }) {
		return errNotWell
	}
	return cmp.Or(err, partly)
}

// replayOutput is where a replay shows what it does while it reads.
type replayOutput struct {
	list    *replayLister
	damaged *damages
	bar     *progressBar
}

// replayDecisions is replay of decision logs.
func replayDecisions(ctx context.Context, p *replayer, logs *records, out *replayOutput) (*replayed, error) {
	t := newReplayed()
	r := &journal.Reader{Inputs: logs.inputs, OnDamage: out.damaged.tell, OnUnknown: out.damaged.unknown}
	for some, err := range journal.Read(ctx, r, p.judge) {
		for i := range some {
			t.add(&some[i])
		}
		out.bar.draw(time.Now(), t.decisions)
		if err = cmp.Or(err, out.list.add(some)); err != nil {
			return t, err
		}
	}
	t.lines = r.Counts
	return t, nil
}

// nothing says that there was no decision.
func (t *replayed) nothing() error {
	lines := t.lines.Other + t.lines.Damaged
	if t.mail != nil {
		return fmt.Errorf("no mail found in %d lines: want lines of Postfix's smtpd, cleanup, qmgr and delivery agents", lines)
	}
	return fmt.Errorf("no decision found in %d lines", lines)
}

// replayLister prints changed decisions while the log is being read.
type replayLister struct {
	json *bufio.Writer // nil: not in JSON
	rows *logPrinter
}

// lister makes what --list asks for, and has p keep what it needs.
func (p *replayer) lister(o *replayOptions, out io.Writer) *replayLister {
	l := &replayLister{}
	switch {
	case o.list && o.json:
		l.json = bufio.NewWriter(out)
		p.listing = listJSON
	case o.list:
		l.rows = newLogPrinter(out, p.place)
		p.rows, p.listing = l.rows, listRows
	}
	return l
}

func (l *replayLister) add(some []judged) error {
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
			err = l.rows.addOne(&j.row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (l *replayLister) end() error {
	switch {
	case l.json != nil:
		return l.json.Flush()
	case l.rows != nil:
		return l.rows.end()
	}
	return nil
}
