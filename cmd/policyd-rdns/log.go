package main

import (
	"strings"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/declog"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/policy"
)

func newLogCommand() *cobra.Command {
	var o declog.Options
	cmd := &cobra.Command{
		Use:   "log [WORD...] [FILE...]",
		Short: "print decisions for people",
		Long: `log prints the decisions of decision logs, one line for each message and what
became of it: time, action, client, name, HELO, rule, and the reason in
words, sender and recipients, and the id of the decision. A name in brackets is not confirmed: it does not
resolve back to the client, or was not queried. An action in brackets was not carried
out, since the mode was observe.

It reads logfmt and JSON, compressed (gzip, bzip2, xz, zstd) or not, as it is or in
lines of syslog, the journal, containers and collectors, and "-", standard input;
several files in order of time. Without a file it reads the one that the
configuration names (-c), with --since also those that were rotated from it; or else
standard input, or, at a terminal, the last 7 days of the journal. What it cannot
read it counts and names, and goes on.

A WORD is what is no file: an address, a network, a name, a mail address, a HELO or
the id of a decision, as "why" takes it. Only decisions that one of them is in are
printed: of the files that are named, or of the last 7 days of the log in force.

  policyd-rdns log 192.0.2.1
  policyd-rdns log --action reject --since 2h /var/log/policyd-rdns/decisions.log
  journalctl -u policyd-rdns -o cat | policyd-rdns log --name .example.com -

A filter that is given more than once holds if one of its values does. Times are
2006-01-02, "2006-01-02 15:04", 15:04 (today), RFC 3339, or how long ago: 90m,
2h, 7d.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			named := o.Config
			o.Config = inforce.Path(named)
			o.Loaded = func(conf *config.Config) { inforce.Tell(cmd.Context(), conf, named, cmd.ErrOrStderr()) }
			return showLog(cmd, args, &o)
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.Config)
	f.BoolVarP(&o.Follow, "follow", "f", false, "go on with what is written, through rotation; begins with the last lines")
	f.BoolVar(&o.JSON, "json", false, "print the records as JSON, one for each recipient")
	f.BoolVar(&o.UTC, "utc", false, "print times as in the log, not those of this place")
	choiceFlags(cmd, &o.Choice)
	return cmd
}

func showLog(cmd *cobra.Command, args []string, o *declog.Options) error {
	files, err := o.Arguments(args)
	if err != nil {
		return err
	}
	return declog.Show(cmd.Context(), files, o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
}

// choiceFlags are the flags that choose decisions.
func choiceFlags(cmd *cobra.Command, c *declog.Choice) {
	f := cmd.Flags()
	f.StringArrayVar(&c.Clients, "client", nil, "only of this `address` or network, as 192.0.2.0/24")
	f.StringArrayVar(&c.Names, "name", nil, "only of clients with this PTR `name`, confirmed or not; .example.com: all under it")
	f.StringArrayVar(&c.HELOs, "helo", nil, "only of clients with this HELO, or one under .example.com: `name`")
	f.StringArrayVar(&c.Senders, "sender", nil, "only from this `address`: user@example.com, example.com, .example.com, user@ or <>")
	f.StringArrayVar(&c.Recipients, "recipient", nil, "only to this `address`, likewise")
	f.StringArrayVar(&c.Actions, "action", nil, "only of this `action`, also if it was not carried out: "+actionNames())
	f.StringArrayVar(&c.Rules, "rule", nil, "only by rules with this `text` in their names, observed ones too")
	f.StringArrayVar(&c.IDs, "id", nil, "only the decision with this `id`")
	f.StringVar(&c.Since, "since", "", "only at this `time` or later, or this long ago at most")
	f.StringVar(&c.Until, "until", "", "only before this `time`")
	var actions []string
	for _, a := range policy.Actions(false) {
		actions = append(actions, a.String())
	}
	_ = cmd.RegisterFlagCompletionFunc("action", cobra.FixedCompletions(actions, cobra.ShellCompDirectiveNoFileComp))
}

// actionNames lists the actions for a flag's help.
func actionNames() string {
	var names []string
	for _, a := range policy.Actions(false) {
		names = append(names, a.String())
	}
	return strings.Join(names, ", ")
}
