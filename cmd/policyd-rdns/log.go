package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy/journal"
)

// logOptions are the flags of log.
type logOptions struct {
	config string
	follow bool
	json   bool
	utc    bool
	wanted logFlags
}

func newLogCommand() *cobra.Command {
	var o logOptions
	cmd := &cobra.Command{
		Use:   "log [FILE...]",
		Short: "print decisions for people",
		Long: `log prints the decisions of decision logs, one line for each message and what
became of it: time, action, client, name, HELO, rule, and the reason in
words, sender and recipients. A name in brackets is not confirmed: it does not
resolve back to the client, or nobody asked. An action in brackets was not carried
out, since the mode was observe.

It reads logfmt and JSON, compressed (gzip, bzip2, xz, zstd) or not, as it is or in
lines of syslog, the journal, containers and collectors, and "-", standard input;
several files in order of time. Without a file it reads the one that the
configuration names (-c), or else standard input. What it cannot read it counts
and names, and goes on.

  policyd-rdns log --action reject --since 2h /var/log/policyd-rdns/decisions.log
  journalctl -u policyd-rdns -o cat | policyd-rdns log --name .example.com -

A filter that is given more than once holds if one of its values does. Times are
2006-01-02, "2006-01-02 15:04", 15:04 (today), RFC 3339, or how long ago: 90m,
2h, 7d.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return showLog(cmd.Context(), args, &o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.BoolVarP(&o.follow, "follow", "f", false, "go on with what is written, through rotation; begins with the last lines")
	f.BoolVar(&o.json, "json", false, "print the records as JSON, one for each recipient")
	f.BoolVar(&o.utc, "utc", false, "print times as in the log, not those of this place")
	o.wanted.register(cmd)
	return cmd
}

// logTick is how often a log that is followed is looked at, and in which time
// the recipients of one message are waited for.
const logTick = 500 * time.Millisecond

func showLog(ctx context.Context, paths []string, o *logOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	now := time.Now()
	if o.utc {
		now = now.UTC()
	}
	filter, err := o.wanted.filter(now)
	if err != nil {
		return errUsage{err}
	}
	if len(paths) == 0 {
		if paths, err = o.defaultPaths(stdin); err != nil {
			return err
		}
	}
	logs, err := findRecords(paths, stdin)
	if err != nil {
		return err
	}
	if o.follow {
		if err := o.followInstead(ctx, logs, paths); err != nil {
			return err
		}
		// The end of ctx is that of the log: what was read is still printed.
		ctx = context.WithoutCancel(ctx)
	}
	damaged := damages{out: stderr}
	r := &journal.Reader{Inputs: logs.inputs, OnDamage: damaged.tell, OnUnknown: damaged.unknown}
	if o.json {
		err = showJSON(ctx, r, filter, stdout)
	} else {
		err = showRows(ctx, r, filter, newLogPrinter(stdout, now.Location()), o.follow || isLive(paths, stdin))
	}
	return damaged.end(err)
}

// isLive says that lines may be yet to come from standard input: of a pipe nobody
// knows.
func isLive(paths []string, stdin io.Reader) bool {
	f, ok := stdin.(*os.File)
	if !ok || !slices.Contains(paths, "-") {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// defaultPaths is what is read if no file was named.
func (o *logOptions) defaultPaths(stdin io.Reader) ([]string, error) {
	if o.config != "" {
		conf, err := config.Load(o.config)
		if err != nil {
			return nil, err
		}
		if conf.Log.File != "" {
			return []string{conf.Log.File}, nil
		}
	}
	if f, ok := stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return nil, errUsage{errors.New("which log? Name a file, or, if decisions go to the journal:\n" +
				"  journalctl -u policyd-rdns -o cat | policyd-rdns log -")}
		}
	}
	return []string{"-"}, nil
}

// followInstead has the one log followed. Standard input is followed anyway.
func (o *logOptions) followInstead(ctx context.Context, logs *records, paths []string) error {
	if len(paths) != 1 {
		return errUsage{fmt.Errorf("--follow wants one file, not %d", len(paths))}
	}
	if paths[0] == "-" {
		return nil
	}
	lines := lastLines
	if o.wanted.since != "" || o.wanted.until != "" {
		lines = -1
	}
	logs.inputs[0].Once = true
	logs.inputs[0].Open = func() (io.ReadCloser, error) { return follow(ctx, paths[0], lines) }
	return nil
}

// showJSON passes records through.
func showJSON(ctx context.Context, r *journal.Reader, filter logFilter, out io.Writer) error {
	convert := func(l *journal.Line) ([]byte, bool) {
		if !filter.wants(&l.Record) {
			return nil, false
		}
		line, err := journal.AppendJSON(nil, l.Text)
		return line, err == nil // it was read before
	}
	for lines, err := range journal.Read(ctx, r, convert) {
		if err != nil {
			return err
		}
		if _, err := out.Write(slices.Concat(lines...)); err != nil {
			return err
		}
	}
	return nil
}

// showRows prints records for people. Of a live log those that wait for others
// of their message are printed at the latest after two ticks; of one that is
// whole, time is no matter.
func showRows(ctx context.Context, r *journal.Reader, filter logFilter, p *logPrinter, live bool) error {
	digest := func(l *journal.Line) (logRow, bool) {
		if !filter.wants(&l.Record) {
			return logRow{}, false
		}
		return p.row(&l.Record), true
	}
	var mu sync.Mutex // guards p's output
	done := make(chan struct{})
	var ticking sync.WaitGroup
	if live {
		ticking.Go(func() {
			ticker := time.NewTicker(logTick)
			defer ticker.Stop()
			for {
				select {
				case <-ticker.C:
					mu.Lock()
					p.tick()
					mu.Unlock()
				case <-done:
					return
				}
			}
		})
	}
	var err error
	for rows, failed := range journal.Read(ctx, r, digest) {
		mu.Lock()
		err = cmp.Or(failed, p.add(rows))
		mu.Unlock()
		if err != nil {
			break
		}
	}
	close(done)
	ticking.Wait()
	return errors.Join(err, p.end())
}
