package config

import (
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/cmd/policyd-rdns/internal/config/writable"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// maxDeferFor bounds how long a client is told to come again.
const (
	maxDeferFor = 7 * plain.Day
	deferForWhy = ": who sends gives up after some 5 days"
)

// Schemes of history.store, and those of them with TLS.
var (
	storeSchemes    = []string{"valkey", "redis", "valkeys", "rediss"}
	storeSchemesTLS = storeSchemes[2:]
)

// StateFolder is where the packaged daemon keeps what outlives it; its unit makes it at
// the start.
const StateFolder = "/var/lib/policyd-rdns"

// OnServer reports whether history is kept by a server that several MX may share.
func (c *Config) OnServer() bool { return strings.Contains(c.History.Store, "://") }

func checkStore(t *document.Table, key string, c *Config) {
	store := c.History.Store
	if c.OnServer() {
		if why := badStoreURL(store); why != "" {
			t.Bad(key, shownURL(store), why)
		}
		return
	}
	switch info, err := os.Stat(store); {
	case store == "":
		return
	case !filepath.IsAbs(store):
		t.Bad(key, store, "want an absolute path, or valkey://HOST:PORT/DB")
		return
	case err == nil && info.IsDir():
		t.Bad(key, store, "is a folder; want a file in it")
	}
	for name, path := range map[string]string{"log.file": c.Log.File, "exempt_file": c.ExemptFile, "the configuration itself": t.R.File} {
		if path != "" && listening.RealPath(absolute(path)) == listening.RealPath(store) {
			t.Bad(key, store, "is "+name+": want a file of its own")
		}
	}
}

// badStoreURL says what is wrong with a URL of a store.
func badStoreURL(text string) string {
	const form = "want valkey://HOST:PORT/DB, such as valkey://192.0.2.7:6379/0"
	u, err := url.Parse(text)
	if err != nil || u.Opaque != "" {
		return form
	}
	if _, has := u.User.Password(); has {
		return "holds a password, which is shown and logged: put it in history.password_file"
	}
	_, bad := strconv.ParseUint(u.Port(), 10, 16)
	db := strings.TrimPrefix(u.Path, "/")
	switch n, err := strconv.ParseUint(db, 10, 16); {
	case !slices.Contains(storeSchemes, u.Scheme):
		return "want a path, or " + plain.List(storeSchemes, "or") + " before ://"
	case !isHost(u.Hostname()) || u.Port() != "" && bad != nil:
		return form
	case db != "" && (err != nil || strconv.FormatUint(n, 10) != db):
		return "the database is a number: " + form
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return "nothing may stand behind the database: " + form
	}
	return ""
}

// shownURL is a URL without what may be a password.
func shownURL(text string) string {
	scheme, rest, _ := strings.Cut(text, "://")
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		user, _, secret := strings.Cut(rest[:at], ":")
		if secret {
			user += ":xxxxx"
		}
		rest = user + rest[at:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + "://" + rest
}

func checkPasswordFile(t *document.Table, key string, c *Config) {
	if file := c.History.PasswordFile; file != "" && !filepath.IsAbs(file) {
		t.Bad(key, file, "want an absolute path")
	}
}

func checkWindow(t *document.Table, key string, c *Config) {
	if h := &c.History; h.Window <= h.Delay {
		t.Bad(key, plain.DurationText(h.Window), fmt.Sprintf("want more than history.delay (%q): nobody could return in time", plain.DurationText(h.Delay)))
	}
}

func checkKeep(t *document.Table, key string, c *Config) {
	if h := &c.History; h.Keep < h.Window {
		t.Bad(key, plain.DurationText(h.Keep), fmt.Sprintf("want no less than history.window (%q): who passed is remembered longer than who only came", plain.DurationText(h.Window)))
	}
}

// warnHistory notes a store that others can reach, or that is not there.
func (c *Config) warnHistory(r *reader) {
	const then = "who can reach it can make strangers known and shorten defer_for"
	store := c.History.Store
	if c.History.PasswordFile != "" && !c.OnServer() {
		r.Doubtful("history.password_file", "history.password_file: history.store is no server that could ask for it")
	}
	if c.OnServer() {
		if u, err := url.Parse(store); err == nil && !slices.Contains(storeSchemesTLS, u.Scheme) && !isLoopback(u.Hostname()) {
			r.Doubtful("history.store", "history.store = %q: not on the loopback, and nothing is encrypted: %s; want valkeys:// or a network of your own", store, then)
		}
		return
	}
	if store == "" {
		return
	}
	if why := writable.ByStrangers(store); why != "" {
		r.Doubtful("history.store", "history.store = %q: %s: %s; want a folder that only root and the daemon's user may write to", store, why, then)
	}
}

// missingFolder reports whether the folder of the store is not there, and nobody makes it.
func (c *Config) missingFolder() bool {
	if c.History.Store == "" || c.OnServer() || filepath.Dir(c.History.Store) == StateFolder {
		return false
	}
	_, err := os.Stat(filepath.Dir(c.History.Store))
	return errors.Is(err, fs.ErrNotExist)
}
