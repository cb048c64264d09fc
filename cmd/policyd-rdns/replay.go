package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/replay"
)

func newReplay() *cobra.Command {
	var o replay.Options
	cmd := &cobra.Command{
		Use:   "replay -c NEW FILE...",
		Short: "judge recorded decisions again under another configuration",
		Long: `replay judges the decisions of decision logs again under another configuration,
by the facts that they hold, without asking the DNS, and says what would change:
how many of each action before and after, and who would be newly rejected or
deferred and who no longer, by the organisational domain of their name (in
brackets if it is not confirmed) or by network. With --against, before is not
what was done but what the rules of another file come to.

Where the new rules ask for what a line does not hold, because the rules that
were in force did not need it, the decision is counted as undecided, with what
is missing. A rule in mode observe before all others has its facts logged
without deciding.

If NEW only observes, what its rules come to is compared, as if it were carried
out.

With --postfix the files are Postfix's own mail logs, for sites that have no
decision log yet: the clients whose mail was accepted are looked up in the DNS, as
it is today, and judged. Their HELO is mostly not logged: what depends on it
is undecided. What the DNS cannot say is held against nobody. Each client counts as
one that came back, and SPF is not asked: whom it would spare counts as refused.

Files are read as log does: compressed or not, from syslog, the journal, containers
and collectors. If one is not read to its end, the status is 1.

  policyd-rdns replay -c new.toml /var/log/policyd-rdns/decisions.log*
  policyd-rdns replay -c new.toml --against old.toml --fail-on newly-rejected week.log.gz
  policyd-rdns replay --postfix --networks 192.0.2.0/24 /var/log/mail.log*`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return exit.Usage(errors.New("replay wants decision logs, or - for standard input"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := checkPostfixFlags(cmd, &o.Postfix); err != nil {
				return err
			}
			named := o.Config
			o.Config = inforce.Path(named)
			o.Loaded = func(conf *config.Config) { inforce.Tell(cmd.Context(), conf, named, cmd.ErrOrStderr()) }
			return replay.Run(cmd.Context(), args, &o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.Config)
	f.StringVar(&o.Against, "against", "", "TOML `file` to compare with, instead of what was done")
	_ = cmd.MarkFlagFilename("against", "toml")
	f.StringSliceVar(&o.FailOn, "fail-on", nil, "exit with status 1 if there is one of these `changes`: "+strings.Join(replay.Changes(), ", "))
	_ = cmd.RegisterFlagCompletionFunc("fail-on", cobra.FixedCompletions(replay.Changes(), cobra.ShellCompDirectiveNoFileComp))
	f.BoolVar(&o.List, "list", false, "print each decision that changes, before the summary")
	f.BoolVar(&o.JSON, "json", false, "print JSON, an object a line")
	f.BoolVar(&o.UTC, "utc", false, "print times as in the log, not those of this place")
	f.BoolVar(&o.Decided, "decided", false, "compare what the rules come to, whether it is carried out or not")
	f.IntVar(&o.Top, "top", 20, "print this `many` groups of each change; 0: all")
	postfixFlags(cmd, &o.Postfix)
	return cmd
}

// postfixFlags are those that go with --postfix.
func postfixFlags(cmd *cobra.Command, o *replay.PostfixOptions) {
	f := cmd.Flags()
	f.BoolVar(&o.On, "postfix", false, "read Postfix's own mail logs, and look their clients up in the DNS of today")
	f.IntVar(&o.Rate, "rate", 20, "with --postfix: look up at most this `many` clients a second")
	f.StringSliceVar(&o.Networks, "networks", nil, "with --postfix: our own `networks`, as mynetworks, beside those of the configuration")
	f.StringVar(&o.Timezone, "timezone", "", "with --postfix: the `zone` of times without one, such as Europe/Berlin (default: that of this place)")
}

// checkPostfixFlags refuses flags that mean nothing.
func checkPostfixFlags(cmd *cobra.Command, o *replay.PostfixOptions) error {
	for _, flag := range []string{"rate", "networks", "timezone"} {
		if !o.On && cmd.Flags().Changed(flag) {
			return exit.Usage(fmt.Errorf("--%s goes with --postfix", flag))
		}
	}
	return nil
}
