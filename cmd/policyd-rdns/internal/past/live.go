package past

import (
	"context"
	"log/slog"
	"sync"

	"policyd-rdns/cmd/policyd-rdns/internal/past/answer"
	"policyd-rdns/policy"
	"policyd-rdns/policy/history"
)

// Live is what is remembered, as a decision asks for it: policy/gather's History. Nothing
// is noted.
type Live struct {
	*history.History
	c   *Command
	mu  sync.Mutex
	err error
}

// Live gives what is remembered, for a decision about one client. Whom it asks is asked
// when the decision does.
func (c *Command) Live(ctx context.Context) *Live {
	l := &Live{c: c}
	l.History = history.New(history.Options{Settings: c.Config.History.Settings, Entries: 64, Store: (*asked)(l), Patience: daemonTime, Log: slog.New(slog.DiscardHandler)})
	l.Probe(ctx)
	return l
}

// Err is why it is not known what is remembered; nil: it is known, or nobody has asked.
func (l *Live) Err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

func (l *Live) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.err = err
	}
}

// Sender asks the daemon, and the store; without a daemon no domain is a correspondent.
func (l *Live) Sender(domain string, nearby bool) (is policy.Sender, wait func(context.Context) policy.Sender) {
	is, known := l.History.Sender(domain, nearby)
	if domain == "" || nearby {
		return is, known
	}
	return is, func(ctx context.Context) policy.Sender {
		if known != nil {
			is = known(ctx)
		}
		is.Correspondent = l.correspondent(ctx, domain)
		return is
	}
}

// correspondent is what the daemon says of a domain.
func (l *Live) correspondent(ctx context.Context, domain string) policy.Truth {
	w, err := l.c.find(ctx)
	if err != nil || w.address == "" {
		return policy.No
	}
	told, err := w.query(ctx, answer.Correspondent+" "+domain)
	if err != nil {
		l.fail(err)
	}
	if told[answer.Correspondent] == "yes" {
		return policy.Yes
	}
	return policy.No
}

// asked is who is asked, as a store.
type asked Live

// Key is none: what was deferred before is not told.
func (a *asked) Key(context.Context) (key history.Key, err error) { return key, nil }

// Load asks for each party.
func (a *asked) Load(ctx context.Context, parties []history.Party) ([]history.Record, error) {
	records := make([]history.Record, len(parties))
	if w, err := a.c.find(ctx); err == nil && w == (where{}) && a.c.Config.History.Store == "" {
		return records, nil // nobody remembers anything
	}
	for i, p := range parties {
		live, err := a.c.records(ctx, p.Name())
		if err != nil {
			(*Live)(a).fail(err)
			return nil, err
		}
		for _, s := range live {
			if s.Party == p {
				records[i] = s.Record
			}
		}
	}
	return records, nil
}

// Save and Delete are not called: nothing is noted.
func (a *asked) Save(context.Context, []history.Stored) error  { return nil }
func (a *asked) Delete(context.Context, []history.Party) error { return nil }
func (a *asked) Shared() bool                                  { return true }
func (a *asked) Close() error                                  { return nil }
