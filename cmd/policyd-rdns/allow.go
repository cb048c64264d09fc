package main

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/allow"
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/journal"
)

// allowOptions are the flags of allow.
type allowOptions struct {
	config string
	list   bool
	remove string
	allow.Options
}

func newAllow() *cobra.Command {
	var o allowOptions
	cmd := &cobra.Command{
		Use:   "allow CLIENT",
		Short: "never refuse a client: an exemption, in force within seconds",
		Long: `allow makes an exemption of an address, a network, or a name that the client's
address has and that resolves back to it (mail.example.org; .example.org: all
below). With --sender it is one of an address in MAIL FROM, which anyone may claim.

The exemption is written to the file that the configuration names as exempt_file, and
the daemon takes it from there within 5 seconds. The administrator's own file stays as
it is. Another one for the same replaces it. What makes more of an exemption than there
is has to be confirmed, or called with --yes.

  policyd-rdns allow 192.0.2.1 --for 30d --why "ticket 4711"
  policyd-rdns allow mail.example.org --until 2027-03-31
  policyd-rdns allow --list
  policyd-rdns allow --remove 192.0.2.1

--list shows how often each was used in the last 7 days, as the decision log has it.
Those that ended over 30 days ago are taken out at the next change.`,
		Args: func(_ *cobra.Command, args []string) error { return o.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return o.run(cmd.Context(), args, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.For, "for", "", "how long: a `duration` such as 30d or 12h (default: for good)")
	f.StringVar(&o.Until, "until", "", "until the end of a `date`, or until a time with its offset (2027-03-31T18:00:00+02:00)")
	f.StringVar(&o.Why, "why", "", "`text` for whoever reads it later")
	f.BoolVar(&o.Sender, "sender", false, "of the address in MAIL FROM, which anyone may claim")
	f.BoolVar(&o.Yes, "yes", false, "do not ask before an exemption becomes more than it was")
	f.BoolVar(&o.list, "list", false, "print the exemptions that there are")
	f.StringVar(&o.remove, "remove", "", "take the exemption of this `client` out, or that of this name")
	return cmd
}

// check refuses what cannot be meant.
func (o *allowOptions) check(args []string) error {
	switch {
	case (o.list || o.remove != "") && (len(args) > 0 || o.Options != (allow.Options{})), o.list && o.remove != "":
		return exit.Usage(errors.New("--list and --remove stand alone"))
	case o.list || o.remove != "":
		return nil
	case len(args) != 1:
		return exit.Usage(errors.New("allow wants one address, network or name"))
	}
	return nil
}

// usedTime is how far back it is looked for the use of exemptions, and for names.
const usedTime = 7 * 24 * time.Hour

// entries is a cache large enough for the addresses of a name.
const entries = 100

func (o *allowOptions) run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) error {
	conf, err := inforce.Load(ctx, o.config, stderr)
	if err != nil {
		return err
	}
	now := time.Now()
	c := allow.Command{
		Config: conf, Terminal: plain.Interactive(stdin) && plain.Interactive(stderr), Stdin: stdin, Stdout: stdout, Stderr: stderr, Now: now,
		Recorded: func(ctx context.Context, each func(*journal.Record) bool) error {
			return declog.Recent(ctx, conf, now.Add(-usedTime), each)
		},
	}
	switch {
	case o.list:
		return c.List(ctx)
	case o.remove != "":
		return c.Remove(o.remove)
	}
	return add(ctx, &c, conf, args[0], &o.Options)
}

// add makes an exemption, with a resolver for the name.
func add(ctx context.Context, c *allow.Command, conf *config.Config, subject string, o *allow.Options) error {
	dns, err := conf.NewResolver(entries)
	if err != nil {
		return err
	}
	defer dns.Close()
	c.DNS = dns
	return c.Add(ctx, subject, o)
}
