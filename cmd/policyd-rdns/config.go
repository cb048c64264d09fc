package main

import (
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// config is a configuration in force: the file's keys over the defaults.
type config struct {
	path string // empty: built-in defaults
	hash string // tells configurations apart in the decision log

	server struct {
		listen      []string
		socketMode  fs.FileMode
		socketGroup string
		deadline    time.Duration
		connections int      // at most
		networks    []string // as written; rules.Networks is the set
	}
	helo struct {
		ownNames []string // as written; rules.OwnNames and OwnAddrs are the sets
	}
	resolver struct {
		servers      []netip.AddrPort // empty: those of /etc/resolv.conf
		timeout      time.Duration
		cacheEntries int
		stale        time.Duration
		maxInFlight  int
	}
	log struct {
		format journal.Format
		file   string
	}
	http struct {
		listen string // host:port; empty: nothing is served
	}
	rules    *policy.Rules
	builtin  bool // the rules are the built-in ones alone
	own      int  // of the rules are the file's, and come first
	warnings []problem
	onHost   []problem // warnings about this host, for who has yet to start the daemon
}

const defaultSocketMode = 0o660

// defaults is a configuration without a file. Every call makes a fresh one.
func defaults() *config {
	c := &config{rules: &policy.Rules{OnDoubt: policy.Defer, OnOutage: policy.DUNNO}}
	c.server.listen = []string{"127.0.0.1:10040"}
	c.server.socketMode = defaultSocketMode
	c.server.deadline = 5 * time.Second
	c.server.connections = 2000
	c.resolver.timeout = 2 * time.Second
	c.resolver.cacheEntries = 100_000
	c.resolver.stale = 24 * time.Hour
	c.resolver.maxInFlight = 500
	return c
}

// loadConfig reads a configuration. Without a path it is the built-in one. The
// error lists all that is wrong with the file, a problem a line.
func loadConfig(path string) (*config, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
	}
	return parseConfig(path, text)
}

func parseConfig(path string, text []byte) (*config, error) {
	c := defaults()
	c.path = path
	r := newReader(path, text)
	if err := r.config(c); err != nil {
		return nil, err
	}
	if len(r.problems) > 0 {
		return nil, joinProblems(r.problems)
	}
	// With the built-in rules, that another version may have changed.
	for i := range c.rules.List {
		writeRule(r.sum, &c.rules.List[i])
	}
	c.hash = hex.EncodeToString(r.sum.Sum(nil))[:12]
	c.warn(r)
	return c, nil
}

// problem is something wrong with a configuration file, or doubtful.
type problem struct {
	file string
	line int
	text string
}

// Error is "file:line: key = value: what would be right".
func (p problem) Error() string {
	if p.line == 0 {
		return p.file + ": " + p.text
	}
	return fmt.Sprintf("%s:%d: %s", p.file, p.line, p.text)
}

// maxProblems bounds the problems that are told: a list of a million addresses
// may be a list of a million names.
const maxProblems = 50

func joinProblems(problems []problem) error {
	sortProblems(problems)
	var errs []error
	for i, p := range problems {
		if i == maxProblems {
			errs = append(errs, fmt.Errorf("%s: and %d more", p.file, len(problems)-i))
			break
		}
		errs = append(errs, p)
	}
	return errors.Join(errs...)
}

func sortProblems(problems []problem) {
	slices.SortStableFunc(problems, func(a, b problem) int {
		return cmp.Or(strings.Compare(a.file, b.file), cmp.Compare(a.line, b.line))
	})
}

// nearest finds the known word that a misspelt one may have meant: one that is at
// most two letters off, and at most one for each three letters, so that port is
// not taken for ptr.
func nearest(word string, known []string) (string, bool) {
	best, least := "", 3
	for _, k := range known {
		if d := distance(strings.ToLower(word), k); d < least && 3*d <= min(len(word), len(k)) {
			best, least = k, d
		}
	}
	return best, best != ""
}

// distance is the number of letters to insert, delete, change or swap with
// their neighbour (optimal string alignment).
func distance(a, b string) int {
	before, last := make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
