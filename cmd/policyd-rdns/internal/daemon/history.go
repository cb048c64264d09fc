package daemon

import (
	"context"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/sqlite"
	"policyd-rdns/policy/history/valkey"
)

// newHistory is the history that a configuration asks for. Trouble of its store is
// nothing that keeps a daemon from starting; what is an error the configuration is wrong
// about.
func newHistory(conf *config.Config, o Options) (*history.History, error) {
	store, err := OpenStore(conf)
	if err != nil {
		return nil, err
	}
	return history.New(history.Options{Settings: conf.History.Settings, Entries: conf.History.Entries, Store: store, Log: o.Log}), nil
}

// OpenStore is the store of history that a configuration names; nil: memory alone. It
// touches nothing yet. The error is about the configuration alone.
func OpenStore(conf *config.Config) (history.Store, error) {
	switch h := &conf.History; {
	case h.Store == "":
		return nil, nil
	case conf.OnServer():
		return valkey.Open(h.Store, h.PasswordFile, valkey.Options{Settings: h.Settings})
	default:
		return sqlite.Open(h.Store, sqlite.Options{Settings: h.Settings}), nil
	}
}

// remembered is the history as requests ask it: of an address that others stand behind
// nothing is remembered.
type remembered struct {
	*history.History
	nat *natGuard
}

// Begin is policy/gather's History.
func (r remembered) Begin(req *policy.Request, p *policy.Parties, nearby bool) (policy.Past, func(context.Context) policy.Past) {
	if r.nat.names(req.Client) {
		return policy.Past{Asked: true, NAT: true}, nil
	}
	return r.History.Begin(req, p, nearby)
}

// note notes what became of a request, as far as the rules look at such things.
func (d *Daemon) note(g *generation, req *policy.Request, f *policy.Facts, noted policy.Noted) {
	if noted == 0 || g.gatherer.History == nil || d.nat.names(req.Client) {
		return
	}
	if !f.Past.Asked && noted != policy.NotedCorrespondent {
		f.Parties, _ = g.conf.Rules.Parties(req, f)
	}
	d.history.Note(req, &f.Parties, noted)
}
