package declog

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

// Arguments takes the arguments of log apart: files, which it gives, and words. A file is
// what is there, "-", and what has a slash and is no network.
func (o *Options) Arguments(args []string) (files []string, err error) {
	for _, arg := range args {
		if isFile(arg) {
			files = append(files, arg)
			continue
		}
		w, err := ParseWord(arg)
		if err != nil {
			return nil, exit.Usage(err)
		}
		o.Words = append(o.Words, w)
	}
	return files, nil
}

func isFile(arg string) bool {
	if arg == "-" {
		return true
	}
	if _, err := os.Stat(arg); err == nil {
		return true
	}
	_, err := netip.ParsePrefix(arg)
	return strings.Contains(arg, "/") && err != nil
}

// recentDays is how long ago the log in force is read from, unless told otherwise.
const recentDays = "7d"

// find finds what is read: the files that were named, or else the log in force, from the
// time of Since on. Without that and without a word it is its file alone as it is now, or
// standard input, if the configuration names none and something comes from there.
func (o *Options) find(ctx context.Context, paths []string, stdin io.Reader, now time.Time) (*Logs, []string, error) {
	if len(paths) > 0 {
		logs, err := Find(paths, stdin)
		return logs, paths, err
	}
	conf, err := config.Load(o.Config)
	if err != nil {
		return nil, nil, err
	}
	if o.Loaded != nil {
		o.Loaded(conf)
	}
	file, anyTime := conf.Log.File, o.Since == "" && len(o.Words) == 0
	switch {
	case file != "" && (o.Follow || anyTime):
		paths = []string{file}
	case file == "" && len(o.Words) == 0 && !atDevice(stdin):
		paths = []string{"-"}
	case file == "" && o.Follow:
		return nil, nil, exit.Usage(errors.New("decisions go to the journal, which follows itself:\n  journalctl -u policyd-rdns -o cat -f | policyd-rdns log -"))
	default:
		if o.Since == "" {
			o.Since = recentDays
		}
		since, err := Time(o.Since, now)
		if err != nil {
			return nil, nil, exit.Usage(errors.New("--since " + err.Error()))
		}
		logs, err := InForce(ctx, conf, since)
		return logs, nil, err
	}
	logs, err := Find(paths, stdin)
	return logs, paths, err
}

// atDevice reports whether standard input is a terminal, or nothing.
func atDevice(stdin io.Reader) bool {
	f, ok := stdin.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// mayHold reports whether one of the words may be in a line.
func (o *Options) mayHold(line []byte) bool {
	return slices.ContainsFunc(o.Words, func(w *Word) bool { return w.MayHold(line) })
}

// hasWord reports whether one of the words is in a decision.
func (o *Options) hasWord(r *journal.Record) bool {
	return slices.ContainsFunc(o.Words, func(w *Word) bool { return w.Roles(r) != 0 })
}

func (o *Options) quotedWords() string {
	var all []string
	for _, w := range o.Words {
		all = append(all, `"`+plain.Cell(w.Text)+`"`)
	}
	return plain.List(all, "or")
}

// counting notes whether anything was written.
type counting struct {
	io.Writer
	some bool
}

// Write is that of [io.Writer].
func (c *counting) Write(p []byte) (int, error) {
	c.some = c.some || len(p) > 0
	return c.Writer.Write(p)
}
