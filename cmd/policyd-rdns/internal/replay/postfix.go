package replay

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/replay/maillog"
	"policyd-rdns/policy"
	"policyd-rdns/policy/gather"
)

// mailReplay judges the mail of Postfix's logs.
type mailReplay struct {
	*replayer
	enforcedBefore *policy.Rules // of before; nil: as was done
	grounds        map[string]grounds
	learner        *learner
	mails          chan *mail
	counts         maillog.Counts
}

// maxMails bounds the recipients that wait for what is learnt of their clients.
const maxMails = 1000

// mail is an attempt on its way.
type mail struct {
	maillog.Attempt
	learning *learning // nil: nothing to be learnt
}

func newMailReplay(p *replayer, o *PostfixOptions) (*mailReplay, error) {
	if err := o.own(p.before, p.after); err != nil {
		return nil, err
	}
	r, err := p.after.NewResolver(p.after.Resolver.CacheEntries)
	if err != nil {
		return nil, err
	}
	h := config.FindHost()
	g := &gather.Gatherer{DNS: r, Deadline: p.after.Server.Deadline, HostAddrs: h.Addrs, HostNames: h.Names, Complete: true}
	m := &mailReplay{replayer: p, learner: newLearner(g, r, o.Rate), mails: make(chan *mail, maxMails)}
	p.enforced = withoutObserved(p.after.Rules) // with the networks
	m.grounds = groundsOf(p.enforced)
	if p.before != nil {
		m.enforcedBefore = withoutObserved(p.before.Rules)
	}
	return m, nil
}

// replayPostfix is replay of Postfix's logs.
func replayPostfix(ctx context.Context, p *replayer, o *Options, logs *declog.Logs, out *output) (*tally, error) {
	place, err := o.Postfix.place()
	if err != nil {
		return nil, err
	}
	m, err := newMailReplay(p, &o.Postfix)
	if err != nil {
		return nil, err
	}
	defer m.learner.close()
	t := newTally()
	t.mail = &mailCounts{}
	r := &maillog.Reader{Inputs: mailInputs(logs), Place: place, OnDamage: out.damaged.Tell}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var reading sync.WaitGroup
	var readErr error
	reading.Go(func() {
		defer close(m.mails)
		m.counts, readErr = maillog.Read(ctx, r, func(a *maillog.Attempt) error { return m.take(ctx, a) })
	})
	err = m.tally(t, out)
	cancel()
	reading.Wait()
	t.lines.Other, t.lines.Damaged = m.counts.Other, m.counts.Damaged
	t.mail.queried = m.learner.queried
	if err == nil {
		err = readErr
	}
	return t, err
}

// mailInputs are the logs with the times at which they were written last.
func mailInputs(logs *declog.Logs) []maillog.Input {
	inputs := make([]maillog.Input, len(logs.Inputs))
	for i, in := range logs.Inputs {
		inputs[i] = maillog.Input{Input: in, Modified: logs.Modified(i)}
	}
	return inputs
}

// take begins to learn what is not known of a client, and hands the attempt on. It
// is called from one goroutine.
func (m *mailReplay) take(ctx context.Context, a *maillog.Attempt) error {
	one := &mail{Attempt: *a}
	if judgedAttempt(a) {
		q := mailRequest(a)
		f := m.learner.known(&q)
		if m.open(&q, &f) {
			var err error
			if one.learning, err = m.learner.learn(ctx, a); err != nil {
				return err
			}
		}
	}
	select {
	case m.mails <- one:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// judgedAttempt reports whether there is something to judge: what Postfix has refused
// stays so, and what came back from a filter was taken in before.
func judgedAttempt(a *maillog.Attempt) bool {
	return a.Outcome <= maillog.Discarded && !a.Forwarded
}

// open reports whether the rules need the DNS.
func (m *mailReplay) open(q *policy.Request, f *policy.Facts) bool {
	for _, rules := range []*policy.Rules{m.enforcedBefore, m.enforced} {
		if rules != nil && len(rules.Possible(q, f)) == 0 {
			return true
		}
	}
	return false
}

// tally judges and counts all that is taken, in order.
func (m *mailReplay) tally(t *tally, out *output) error {
	for one := range m.mails {
		j, ok := m.judgeMail(one, t.mail)
		if !ok {
			continue
		}
		t.add(&j)
		out.bar.Draw(time.Now(), t.decisions)
		if err := out.list.add([]judged{j}); err != nil {
			return err
		}
	}
	return nil
}

// mailRequest is what Postfix would have asked, as far as its log tells.
func mailRequest(a *maillog.Attempt) policy.Request {
	return policy.Request{
		Time: a.Time, Client: a.Client, ClientText: a.ClientText, ClientName: a.ClientName,
		HELO: a.HELO.Text, State: "RCPT", Sender: a.Sender.Text, Recipient: a.Recipient.Text,
		Instance: a.Message, QueueID: a.QueueID, Authenticated: a.Authenticated, Encrypted: a.Encrypted,
		Server:  netip.Addr{}, // not logged
		Unknown: unknownKeys(a),
	}
}

// unknownKeys are what the log does not tell.
func unknownKeys(a *maillog.Attempt) policy.Attributes {
	keys := policy.AttrContext
	for _, u := range []struct {
		unknown bool
		key     policy.Attributes
	}{
		{!a.HELO.Known, policy.AttrHELO},
		{!a.Sender.Known, policy.AttrSender},
		{!a.Recipient.Known, policy.AttrRecipient},
		{!a.Encrypted, policy.AttrEncrypted},
		{a.Time.IsZero(), policy.AttrTime},
	} {
		if u.unknown {
			keys |= u.key
		}
	}
	return keys
}
