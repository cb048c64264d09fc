package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/past"
	"policyd-rdns/policy/history"
	"policyd-rdns/policy/history/sqlite"
)

// historyOptions are the flags of history.
type historyOptions struct {
	config   string
	json     bool
	forget   bool
	postgrey string
}

func newHistory() *cobra.Command {
	var o historyOptions
	cmd := &cobra.Command{
		Use:   "history [ADDRESS|DOMAIN]",
		Short: "what is remembered of a client, and how to forget it",
		Long: `history shows what is remembered of an address, with its /64 if it is one of IPv6,
or of a domain: an organisation by the confirmed names of its hosts, or a HELO that
resolves to the client. It tells when the first and the last message came, when one
passed last and how long the client is known by that, when it came back with a message
that it had been deferred for, and since when there are objections to it. Without an
argument it tells how many are remembered.

  policyd-rdns history 192.0.2.1
  policyd-rdns history example.com --forget

The running daemon is asked, on its unix socket, which root may do and the daemon's own
user. Without a daemon history.store is opened. Where the daemon listens on TCP alone,
the store is opened to read, and nothing is forgotten.

--import-postgrey takes over what postgrey knows. The folder has its whitelists
(whitelist_clients, postgrey_whitelist_recipients and their like), and as text what its
databases hold:

  db_dump -p /var/lib/postgrey/postgrey_clients.db > FOLDER/clients.dump
  db_dump -p /var/lib/postgrey/postgrey.db > FOLDER/postgrey.dump

Clients that came back go to the store; whitelists become [[exempt]] blocks on standard
output, to be pasted at the end of the configuration. What cannot be taken over is named.

Exit status 1 if nothing is remembered.`,
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := inforce.Load(cmd.Context(), o.config, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			c := historyCommand(conf, cmd.OutOrStdout(), cmd.ErrOrStderr())
			c.JSON = o.json
			return o.run(cmd.Context(), c, args)
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.BoolVar(&o.json, "json", false, "print JSON")
	f.BoolVar(&o.forget, "forget", false, "forget it")
	f.StringVar(&o.postgrey, "import-postgrey", "", "take over what postgrey has in this `folder`")
	_ = cmd.MarkFlagDirname("import-postgrey")
	return cmd
}

// historyCommand asks what a configuration's daemon remembers, or its store.
func historyCommand(conf *config.Config, stdout, stderr io.Writer) *past.Command {
	return &past.Command{
		Config: conf, Stdout: stdout, Stderr: stderr, Now: time.Now(), Socket: past.Socket,
		Open: func(ctx context.Context, a past.Access) (history.Store, error) { return openStore(ctx, conf, a) },
	}
}

// check refuses what cannot be meant.
func (o *historyOptions) check(args []string) error {
	switch {
	case o.postgrey != "" && (len(args) > 0 || o.forget || o.json):
		return exit.Usage(errors.New("--import-postgrey stands alone"))
	case o.forget && len(args) == 0:
		return exit.Usage(errors.New("--forget wants an address or a domain"))
	case len(args) > 1:
		return exit.Usage(errors.New("history wants one address or domain"))
	}
	return nil
}

func (o *historyOptions) run(ctx context.Context, c *past.Command, args []string) error {
	switch {
	case o.postgrey != "":
		return c.ImportPostgrey(ctx, o.postgrey)
	case len(args) == 0:
		return c.Totals(ctx)
	case o.forget:
		return c.Forget(ctx, args[0])
	}
	return c.Show(ctx, args[0])
}

// openStore opens the store that a configuration names.
func openStore(ctx context.Context, conf *config.Config, a past.Access) (history.Store, error) {
	switch h := &conf.History; {
	case conf.OnServer():
	case a == past.Read:
		return sqlite.OpenReadOnly(ctx, h.Store)
	case a == past.Change:
		return sqlite.OpenExisting(h.Store, sqlite.Options{Settings: h.Settings}), nil
	}
	s, err := daemon.OpenStore(conf)
	if err == nil && conf.OnServer() {
		_, err = s.Key(ctx) // connects
	}
	return s, err
}
