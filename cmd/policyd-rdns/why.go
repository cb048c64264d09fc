package main

import (
	"errors"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/why"
)

// whyOptions are the flags of why.
type whyOptions struct {
	config string
	why.Options
}

func newWhy() *cobra.Command {
	var o whyOptions
	cmd := &cobra.Command{
		Use:   "why ANYTHING",
		Short: "what became of somebody's mail, in prose, and what would let it pass",
		Long: `why looks for ANYTHING in the decisions of the last 7 days and tells, newest first,
what became of the mail, how often and for which reason, what the sender read, and
the command that would let it pass. It may be

  an address or a network   192.0.2.1, 192.0.2.0/24: of clients, and in HELO
  a name                    mail.example.org: a name of clients, confirmed or not,
                            HELO, or the domain of senders; an organisational
                            domain (example.org) is all names under it, too, and
                            .example.org these alone
  a mail address            user@example.org, user@, @example.org: of senders and
                            recipients; "<>" is the null sender
  the id of a decision      as log prints it
  the number of a case      which the refused were told, or the URL that it ends
  any other text            a HELO

What it can be in several ways is looked for as all of them, and the first line
says what it was. Decisions of one client that came out alike are one paragraph; so
are those of more than three clients. A message of several recipients counts once.

It reads the log that the configuration names, with its rotated ones (.1, .2.gz,
-20261120.xz), or, if decisions go to standard error, the journal of the unit
policyd-rdns; or else what --file names, as a copied log or an export of the
journal. Exit status 1 if there is nothing; it then tells what was searched.

  policyd-rdns why mail.example.org
  policyd-rdns why 192.0.2.0/24 --since yesterday
  journalctl -u policyd-rdns -o cat --since -30d | policyd-rdns why e13wu1p5 --since 30d --file -

Times are as in "log": today, yesterday, 2d, 1w, 2026-11-20, "2026-11-20 09:30".`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.Usage(errors.New("why wants one address, network, name, mail address, id of a decision or number of a case"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			conf, err := inforce.Load(cmd.Context(), o.config, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			c := why.Command{
				Config: conf, Stdin: cmd.InOrStdin(), Stdout: cmd.OutOrStdout(), Stderr: cmd.ErrOrStderr(), Now: time.Now(),
			}
			return c.Run(cmd.Context(), args[0], &o.Options)
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.Since, "since", "", "only at this `time` or later, or this long ago at most (default: 7 days ago)")
	f.StringVar(&o.Until, "until", "", "only before this `time`")
	f.StringArrayVar(&o.Files, "file", nil, "search this `file`, not the log in force; \"-\" is standard input; may be given more than once")
	f.BoolVar(&o.Block, "block", false, "print the exemption as a block for the configuration, too")
	f.BoolVar(&o.UTC, "utc", false, "print times as in the log, not those of this place")
	return cmd
}
