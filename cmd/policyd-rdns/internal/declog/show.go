// Package declog chooses, follows and prints decision logs: what commands that read
// such logs have in common, and the command log.
package declog

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

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/policy/journal"
)

// Options are how decisions are shown.
type Options struct {
	Choice
	Config string // the configuration whose log is read where no file is named; see [config.Load]
	// Loaded is told of the configuration where it was needed. Nil: nobody is.
	Loaded func(*config.Config)
	Words  []*Word // of which one is in each decision; empty: all decisions
	Follow bool    // go on with what is written, until ctx ends
	JSON   bool    // the records as JSON, one for each recipient
	UTC    bool    // times as in the log, not those of this place
}

// tick is how often a log that is followed is looked at, and in which time
// the recipients of one message are waited for.
const tick = 500 * time.Millisecond

// Show prints the chosen decisions of logs; "-" is standard input. What cannot be
// read it tells stderr.
func Show(ctx context.Context, paths []string, o *Options, stdin io.Reader, stdout, stderr io.Writer) error {
	now := time.Now()
	if o.UTC {
		now = now.UTC()
	}
	logs, paths, err := o.find(ctx, paths, stdin, now)
	if err != nil {
		return err
	}
	filter, err := o.Filter(now)
	if err != nil {
		return exit.Usage(err)
	}
	if o.Follow {
		if err := o.followInstead(ctx, logs, paths); err != nil {
			return err
		}
		// The end of ctx is that of the log: what was read is still printed.
		ctx = context.WithoutCancel(ctx)
	}
	live := o.Follow || isLive(paths, stdin)
	damaged := NewDamages(stderr)
	damaged.Live = live
	r := logs.Reader(damaged)
	if len(o.Words) > 0 {
		r.Want = o.mayHold
		filter = append(filter, o.hasWord)
	}
	shown := &counting{Writer: stdout}
	if o.JSON {
		err = showJSON(ctx, r, filter, shown)
	} else {
		p := NewPrinter(stdout, now.Location())
		p.out.Reset(shown)
		err = showRows(ctx, r, filter, p, live)
	}
	if err == nil && len(o.Words) > 0 && !shown.some {
		fmt.Fprintf(stderr, "policyd-rdns: nothing about %s: \"policyd-rdns why\" tells where it looked\n", o.quotedWords())
		err = exit.ErrNotWell
	}
	return damaged.End(err)
}

// isLive reports whether lines may be yet to come from standard input: of a pipe nobody
// knows.
func isLive(paths []string, stdin io.Reader) bool {
	f, ok := stdin.(*os.File)
	if !ok || !slices.Contains(paths, "-") {
		return false
	}
	info, err := f.Stat()
	return err == nil && !info.Mode().IsRegular()
}

// Default is what is read if no log was named: that of a configuration file, if it
// names one and it is given, or else standard input. The command report takes it.
func Default(file string, stdin io.Reader) ([]string, error) {
	if file != "" {
		conf, err := config.Load(file)
		if err != nil {
			return nil, err
		}
		if conf.Log.File != "" {
			return []string{conf.Log.File}, nil
		}
	}
	if f, ok := stdin.(*os.File); ok {
		if info, err := f.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
			return nil, exit.Usage(errors.New("which log? Name a file, or, if decisions go to the journal:\n" +
				"  journalctl -u policyd-rdns -o cat | policyd-rdns report -"))
		}
	}
	return []string{"-"}, nil
}

// followInstead has the one log followed. Standard input is followed anyway.
func (o *Options) followInstead(ctx context.Context, logs *Logs, paths []string) error {
	if len(paths) != 1 {
		return exit.Usage(fmt.Errorf("--follow wants one file, not %d", len(paths)))
	}
	if paths[0] == "-" {
		return nil
	}
	lines := lastLines
	if o.Since != "" || o.Until != "" {
		lines = -1
	}
	logs.Inputs[0].Once = true
	logs.Inputs[0].Open = func() (io.ReadCloser, error) { return follow(ctx, paths[0], lines) }
	return nil
}

// showJSON passes records through.
func showJSON(ctx context.Context, r *journal.Reader, filter Filter, out io.Writer) error {
	convert := func(l *journal.Line) ([]byte, bool) {
		if !filter.Wants(&l.Record) {
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
func showRows(ctx context.Context, r *journal.Reader, filter Filter, p *Printer, live bool) error {
	digest := func(l *journal.Line) (Row, bool) {
		if !filter.Wants(&l.Record) {
			return Row{}, false
		}
		return p.Row(&l.Record), true
	}
	var mu sync.Mutex // guards p's output
	done := make(chan struct{})
	var ticking sync.WaitGroup
	if live {
		ticking.Go(func() {
			ticker := time.NewTicker(tick)
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
		err = cmp.Or(failed, p.Add(rows))
		mu.Unlock()
		if err != nil {
			break
		}
	}
	close(done)
	ticking.Wait()
	return errors.Join(err, p.End())
}
