package daemon

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/helppage"
	"policyd-rdns/cmd/policyd-rdns/internal/helppage/look"
	"policyd-rdns/cmd/policyd-rdns/internal/web"
	"policyd-rdns/policy/builtin"
	"policyd-rdns/policy/casenumber"
)

// newLooker makes what looks addresses up for the page of the refused; nil: there is no
// such page.
func newLooker(conf *config.Config, servers []netip.AddrPort, o Options) (*look.Looker, error) {
	if conf.Reply.Listen == "" {
		return nil, nil
	}
	log := o.Log.With("for", "the page for the refused") // its resolver has nothing to do with mail
	return look.New(look.Config{Servers: servers, Timeout: conf.Resolver.Timeout, Log: log, Dial: o.Dial})
}

// serveHelp begins to answer those who were refused, if the configuration wants it, until
// stop is called.
func (d *Daemon) serveHelp(ctx context.Context) (stop func(), err error) {
	if d.looker == nil {
		return func() {}, nil
	}
	address := d.current.Load().conf.Reply.Listen
	l, err := listenHTTP(address)
	if err != nil {
		return nil, fmt.Errorf("reply.listen = %q: %w", address, err)
	}
	server := web.Public{Log: d.log, Handler: helppage.New(helppage.Source{Settings: d.helpSettings, Read: d.readCase, Look: d.look}, time.Now)}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	var serving sync.WaitGroup
	serving.Go(func() {
		if err := server.Serve(ctx, l); err != nil {
			d.log.Error("the page for the refused has ended", "error", err)
		}
	})
	d.log.Info("page for the refused", "listen", l.Addr().String(), "url", d.current.Load().conf.Reply.Help)
	return func() {
		cancel()
		serving.Wait()
	}, nil
}

// helpSettings are what the page has of the configuration in force.
func (d *Daemon) helpSettings() helppage.Settings {
	conf := d.current.Load().conf
	return helppage.Settings{Contact: conf.Reply.Contact, Open: builtin.TakesContact(conf.Rules.List, conf.Reply.Contact), Proxy: conf.Reply.Proxies.Has}
}

func (d *Daemon) readCase(text string, now time.Time) (casenumber.Case, error) {
	return d.current.Load().keys.Read(text, now)
}

// look looks at an address as the configuration in force would have it.
func (d *Daemon) look(ctx context.Context, client netip.Addr, again bool) look.Found {
	g := d.current.Load()
	return d.looker.Look(ctx, look.Site{Rules: g.conf.Rules, Addrs: g.host.Addrs, Names: g.host.Names}, client, again)
}
