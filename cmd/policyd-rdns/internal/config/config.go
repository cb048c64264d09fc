package config

import (
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/environ"
	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/match"
)

// Config is a configuration in force: the file's keys over the defaults.
type Config struct {
	Path string // empty: built-in defaults
	Hash string // tells configurations apart in the decision log; 12 hexadecimal digits
	// Variables are those of the environment that stand in the place of settings.
	Variables []string
	// Container reports whether all networks are those of a container, which the Internet
	// does not reach.
	Container bool

	Server struct {
		Listen      []string // as postfix.Listen takes them
		SocketMode  fs.FileMode
		SocketGroup string
		Deadline    time.Duration
		Connections int      // at most
		Networks    []string // as written; Rules.Networks is the set
	}
	HELO struct {
		OwnNames []string // as written; Rules.OwnNames and OwnAddrs are the sets
	}
	Resolver struct {
		Servers      []netip.AddrPort // empty: those of /etc/resolv.conf
		Timeout      time.Duration
		CacheEntries int
		Stale        time.Duration
		MaxInFlight  int
	}
	Log struct {
		Format journal.Format
		File   string // empty: standard error
		People journal.People
	}
	History struct {
		Store        string // empty: memory alone; a path; a URL
		PasswordFile string // of a URL; empty: it wants none
		history.Settings
		Entries int // in memory
	}
	HTTP struct {
		Listen string // host:port; empty: nothing is served
	}
	Reply struct {
		Contact string // empty: none; without a domain: of the recipient's
		Help    string // with a slash at its end; empty: there is no page
		Listen  string // host:port; empty: nobody is shown the page here
		Proxies match.Prefixes
		KeyFile string // empty: where the daemon finds a place
	}
	observe      bool        // mode; with observed it makes Rules.Mode
	observed     policy.Mode // observe_reply: Rules.Mode if observe
	defaultRules bool

	// ExemptFile is where allow keeps exemptions; empty: nowhere.
	ExemptFile string

	Rules *policy.Rules
	// Origins tell of each rule where it comes from.
	Origins  []Origin
	listed   [2]int        // of the rules are those of ExemptFile: from, to
	sum      string        // what ExemptFile and its lists say
	off      []policy.Rule // of the built-in ones, those that the file switches off
	Warnings []document.Problem
	OnHost   []document.Problem // warnings about this host, for who has yet to start the daemon
}

// Defaults is the configuration without a file. Every call makes a fresh one.
func Defaults() *Config {
	c, err := Parse("", nil)
	if err != nil {
		panic(err) // the table of settings is wrong
	}
	return c
}

// Load reads a configuration file. Without a path it is the built-in
// configuration. What POLICYD_RDNS_MODE and POLICYD_RDNS_LISTEN say comes before
// either. The error lists all that is wrong, a problem a line.
func Load(path string) (*Config, error) {
	var text []byte
	if path != "" {
		var err error
		if text, err = os.ReadFile(path); err != nil {
			return nil, fmt.Errorf("reading the configuration: %w", err)
		}
	}
	return parse(path, text, environ.Here(FindHost().Addrs))
}

// Parse reads a configuration from its text, and nothing from the environment. Messages
// name the path, and "@file" is relative to its folder. The error is as Load's.
func Parse(path string, text []byte) (*Config, error) {
	return parse(path, text, environ.Surroundings{})
}

func parse(path string, text []byte, around environ.Surroundings) (*Config, error) {
	c := &Config{Path: path, Rules: &policy.Rules{}, Container: around.Container}
	r := newReader(path, text)
	r.around = around
	if err := r.config(c); err != nil {
		return nil, err
	}
	if len(r.Problems) > 0 {
		return nil, document.Join(r.Problems)
	}
	// With the built-in rules, that another version may have changed.
	for i := range c.Rules.List {
		if c.Origins[i].Source != Listed {
			WriteRule(r.Sum, &c.Rules.List[i])
		}
	}
	c.Hash = hex.EncodeToString(r.Sum.Sum(nil))[:12]
	c.warn(r)
	return c, nil
}

// reader reads a configuration of a document.
type reader struct {
	*document.Reader
	around environ.Surroundings
}

func newReader(path string, text []byte) *reader { return &reader{Reader: document.New(path, text)} }
