package config

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/config/document"
	"policyd-rdns/cmd/policyd-rdns/internal/config/listening"
	"policyd-rdns/cmd/policyd-rdns/internal/config/refusal"
	"policyd-rdns/cmd/policyd-rdns/internal/config/writable"
	"policyd-rdns/cmd/policyd-rdns/internal/keyfile"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/policy/reply"
)

// HasKeys reports whether there have to be keys of case numbers: somebody has a page that
// reads them.
func (c *Config) HasKeys() bool { return c.Reply.Listen != "" || c.Reply.KeyFile != "" }

// StateFile is a file of the folder in which the daemon keeps what outlives it: systemd
// names it to the daemon, and only to that.
func StateFile(name string) string {
	folder, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":") // systemd.exec(5)
	return filepath.Join(cmp.Or(folder, StateFolder), name)
}

// StateKeys is the file of the state folder that has the keys where reply.key_file names
// none.
const StateKeys = "case.keys"

// CaseKeys reads the keys of case numbers as they are now, wherever they are; nil: there
// are none.
func (c *Config) CaseKeys() (*casenumber.Keys, error) {
	path := cmp.Or(c.Reply.KeyFile, StateFile(StateKeys))
	if !c.HasKeys() {
		return nil, nil
	}
	keys, err := keyfile.Read(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Reply.KeyFile == "":
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("reply.key_file = %q: %w", path, pathless(err))
	}
	return keys, nil
}

// Texts makes the texts of replies by the rules in force.
func (c *Config) Texts(keys *casenumber.Keys) *reply.Texts {
	return reply.New(c.Rules, reply.Settings{Contact: c.Reply.Contact, Help: c.Reply.Help, ByCause: !c.HasKeys(), Keys: keys})
}

// pathless is an error without the path that it names.
func pathless(err error) error {
	if perr := new(fs.PathError); errors.As(err, &perr) {
		return perr.Err
	}
	return err
}

func checkContact(t *document.Table, key string, c *Config) {
	if wrong := refusal.BadContact(c.Reply.Contact); wrong != "" {
		t.Bad(key, c.Reply.Contact, wrong)
	}
}

func checkHelp(t *document.Table, key string, c *Config) {
	if wrong := refusal.BadHelp(c.Reply.Help); wrong != "" {
		t.Bad(key, c.Reply.Help, wrong)
	}
}

func checkReplyListen(t *document.Table, key string, c *Config) {
	checkHostPort(t, key, c.Reply.Listen, "127.0.0.1:10042", c)
	if listening.Overlap(listening.Sockets(c.Reply.Listen), listening.Sockets(c.HTTP.Listen)) {
		t.Bad(key, c.Reply.Listen, "is http.listen, the status page for the administrator: want a port of its own")
	}
}

func checkKeyFile(t *document.Table, key string, c *Config) {
	file := c.Reply.KeyFile
	if file == "" {
		return
	}
	if !filepath.IsAbs(file) {
		t.Bad(key, file, "want an absolute path")
		return
	}
	const remedy = `: want keys, one a line, such as of "openssl rand -hex 16"`
	switch _, err := keyfile.Read(file); {
	case errors.Is(err, fs.ErrPermission): // of who asks, perhaps; the daemon says so itself
	case errors.Is(err, fs.ErrNotExist):
		t.Bad(key, file, "does not exist"+remedy)
	case err != nil:
		t.Bad(key, file, pathless(err).Error())
	}
}

// warnReply notes a page that nobody is told of, and keys that others have.
func (c *Config) warnReply(r *reader) {
	p := &c.Reply
	if host, _, err := net.SplitHostPort(p.Listen); err == nil && !isLoopback(host) {
		r.Doubtful("reply.listen", "reply.listen = %q: not on the loopback, and nothing is encrypted: want a reverse proxy before it", p.Listen)
	}
	if p.Help == "" && p.Listen != "" {
		r.Doubtful("reply.listen", "reply.listen = %q: without reply.help no reply names the page", p.Listen)
	}
	if p.Help == "" && p.KeyFile != "" {
		r.Doubtful("reply.key_file", "reply.key_file = %q: without reply.help no reply has a case number", p.KeyFile)
	}
	for i := range c.Rules.List {
		rule, o := &c.Rules.List[i], &c.Origins[i]
		for placeholder, key := range map[string]string{"{help}": "help", "{contact}": "contact"} {
			if empty := map[string]bool{"help": p.Help == "", "contact": p.Contact == ""}[key]; empty && o.path != "" && strings.Contains(rule.Text, placeholder) {
				r.Doubtful(o.path+".text", "%stext: %s stands for nothing: reply.%s is empty", o.shown, placeholder, key)
			}
		}
	}
	if !c.HasKeys() {
		return
	}
	file := cmp.Or(p.KeyFile, StateFile(StateKeys))
	const then = "who has a key makes case numbers, and reads the page about any address"
	if why := keyfile.Others(file); why != "" {
		r.Doubtful("reply.key_file", "reply.key_file = %q: %s: %s; want chmod 600, and the daemon's user as its owner", file, why, then)
	}
	if why := writable.ByStrangers(file); why != "" {
		r.Doubtful("reply.key_file", "reply.key_file = %q: %s: %s; want a folder that only root and the daemon's user may write to", file, why, then)
	}
}
