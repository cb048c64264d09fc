package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/cmd/policyd-rdns/internal/notice"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/cmd/policyd-rdns/internal/report"
)

// reportOptions are the flags of report.
type reportOptions struct {
	config string
	html   string
	json   bool
	utc    bool
	top    int
	mail   string
	hook   string
	wanted declog.Choice
}

func newReport() *cobra.Command {
	var o reportOptions
	cmd := &cobra.Command{
		Use:   "report [FILE...]",
		Short: "what was refused, why, and which of it was probably wanted",
		Long: `report sums up decision logs: totals by action and rule, over time; refused
clients that look like real senders, each with what speaks for it and the command
that would let it pass; those of whom it cannot be told; what became of the messages that were
deferred; the networks and domains that were refused most; numbered names that
seem to be judged wrongly; trouble with the DNS by server and zone; the slowest
decisions; rules that never matched, and exemptions that are about to end or do
nothing.

It reads logs as log does. Rules and exemptions are those of the configuration
(-c), or the built-in ones: name the one in force. --html writes the same as one
page that needs nothing else, --json as one object.

  policyd-rdns report -c /etc/policyd-rdns/config.toml --since 7d /var/log/policyd-rdns/decisions.log*
  policyd-rdns report -c config.toml --html report.html decisions.log.1.gz

With --mail or --hook nothing is printed. If there are clients that were refused, or
would be but for mode = "observe", and are probably wanted, what there is to say of them
is sent to an address, by sendmail(1), or given to a command on its standard input (with
--json the whole report); if there are none, nothing is done. A log without a line that
can be read is an error, which is mailed too. Of a log that is named by the configuration
the part before its last rotation is read too. This is what policyd-rdns-report.timer of
the package does each morning:

  journalctl -q -u policyd-rdns -o cat -S -24h | policyd-rdns report --since 24h --mail postmaster`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return writeReport(cmd.Context(), args, &o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.html, "html", "", "write a page into this `file`, - for standard output, instead of text")
	_ = cmd.MarkFlagFilename("html", "html")
	f.BoolVar(&o.json, "json", false, "print JSON, one object, instead of text")
	f.BoolVar(&o.utc, "utc", false, "tell times as in the log, not those of this place")
	f.StringVar(&o.mail, "mail", "", "send whom was probably refused wrongly to this `address`, if there is anybody")
	f.StringVar(&o.hook, "hook", "", "give it to this `command`, if there is anybody")
	f.IntVar(&o.top, "top", 20, "tell this `many` rows of each list; 0: all")
	f.StringVar(&o.wanted.Since, "since", "", "only decisions at this `time` or later, or this long ago at most")
	f.StringVar(&o.wanted.Until, "until", "", "only decisions before this `time`")
	return cmd
}

// mostMemory is what a report takes at most, in bytes, unless GOMEMLIMIT says less: twice
// what is kept of the refused clients, networks and messages when there is most of it.
// Below that the collector is in no hurry, and beyond it lets nothing lie.
const mostMemory = 112 << 20

func writeReport(ctx context.Context, paths []string, o *reportOptions, stdin io.Reader, stdout, stderr io.Writer) error {
	now := time.Now()
	if o.utc {
		now = now.UTC()
	}
	filter, err := o.wanted.Filter(now)
	if err = cmp.Or(err, o.check()); err != nil {
		return exit.Usage(err)
	}
	conf, err := inforce.Load(ctx, o.config, stderr)
	if err != nil {
		return err
	}
	if len(paths) == 0 {
		if paths, err = declog.Default(conf.Path, stdin); err != nil {
			return err
		}
		if before, _ := logfile.Rotated(conf.Log.File); o.notifies() && before != "" {
			paths = append(paths, before)
		}
	}
	logs, err := declog.Find(paths, stdin)
	if err != nil {
		return err
	}
	before := debug.SetMemoryLimit(-1)
	debug.SetMemoryLimit(min(before, mostMemory))
	defer debug.SetMemoryLimit(before)
	damaged := declog.NewDamages(stderr)
	bar := declog.Bar{Read: logs.Read}
	if plain.Terminal(stderr) {
		bar.Out = stderr
	}
	r, err := report.Read(ctx, logs.Reader(damaged), report.Config{
		Rules: conf.Rules, Name: cmp.Or(conf.Path, "built-in"), Hash: conf.Hash,
		WriteRule: config.WriteRule, Place: now.Location(), Top: o.top, Wants: filter.Wants,
		Progress: func(decisions int) { bar.Draw(time.Now(), decisions) },
	})
	bar.Clear()
	switch {
	case o.notifies() && errors.Is(err, report.ErrNoLog):
		err = errors.Join(err, o.tellNoLog(ctx))
	case o.notifies() && errors.Is(err, report.ErrNothing):
		err = nil // a quiet day
	case err != nil:
	case o.notifies():
		err = o.notify(ctx, r)
	default:
		err = o.write(r, stdout)
	}
	return damaged.End(err)
}

// check says which flags do not go together, or make no sense.
func (o *reportOptions) check() error {
	switch {
	case o.top < 0:
		return fmt.Errorf("--top %d: want 0 or more", o.top)
	case o.json && o.html == "-":
		return errors.New("--json and --html - are both for standard output")
	case o.notifies() && o.html != "":
		return errors.New("--mail and --hook send text: without --html")
	case o.mail != "":
		if err := notice.CheckAddress(o.mail); err != nil {
			return fmt.Errorf("--mail %w", err)
		}
	}
	return nil
}

func (o *reportOptions) notifies() bool { return o.mail != "" || o.hook != "" }

// tellNoLog tells who reads the mail that there was nothing to look through: nobody looks
// at a timer that is quiet.
func (o *reportOptions) tellNoLog(ctx context.Context) error {
	if o.mail == "" {
		return nil
	}
	return notice.Mail(ctx, o.mail, "policyd-rdns: "+report.ErrNoLog.Error(),
		"Whom policyd-rdns has probably refused wrongly could not be looked for: the log that the report reads has no line\n"+
			"that it can read. Does the daemon run, does Postfix ask it, and is its log where the report looks?\n\n"+
			"  policyd-rdns doctor\n  systemctl cat policyd-rdns-report\n  journalctl -u policyd-rdns-report -u policyd-rdns -n 20\n")
}

// notify tells of clients that are probably wanted, if there are any.
func (o *reportOptions) notify(ctx context.Context, r *report.Report) error {
	n := len(r.Wanted.List) + r.Wanted.More
	if n == 0 {
		return nil
	}
	var text, whole strings.Builder
	err := r.WriteWanted(&text)
	if err == nil && o.mail != "" {
		what := plain.Plural(n, "client") + " probably refused wrongly"
		err = notice.Mail(ctx, o.mail, "policyd-rdns: "+what, text.String())
	}
	if o.hook == "" {
		return err
	}
	if !o.json {
		return errors.Join(err, notice.Hook(ctx, o.hook, text.String()))
	}
	return errors.Join(err, r.WriteJSON(&whole), notice.Hook(ctx, o.hook, whole.String()))
}

// write writes the report in the ways that were asked for.
func (o *reportOptions) write(r *report.Report, stdout io.Writer) error {
	if o.html == "-" {
		return r.WriteHTML(stdout)
	}
	if o.html != "" {
		if err := pageOrNothing(o.html); err != nil {
			return exit.Usage(err)
		}
		if err := writeWhole(o.html, r.WriteHTML); err != nil {
			return err
		}
	}
	switch {
	case o.json:
		return r.WriteJSON(stdout)
	case o.html != "":
		return nil
	}
	return r.WriteText(stdout)
}

// pageOrNothing refuses a file that is something else than a page of HTML: who leaves out
// the page's name would have his log written over ("--html decisions.log").
func pageOrNothing(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return nil // there is none; if it is another trouble, writing has it too
	}
	defer f.Close()
	const begin = "<!doctype html"
	head := make([]byte, len(begin))
	n, err := io.ReadFull(f, head)
	if errors.Is(err, io.EOF) || strings.EqualFold(string(head[:n]), begin) {
		return nil
	}
	return fmt.Errorf("--html %s: there is something else than a page, which is not written over: name the file of the page, then the logs", path)
}

// writeWhole writes a file so that whoever opens it finds the old one or the
// new one whole. A new one can be read by its group: it names who writes to
// whom.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	mode := os.FileMode(0o640)
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	err = write(f)
	err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close())
	if err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return os.Rename(f.Name(), path)
}
