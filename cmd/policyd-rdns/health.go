package main

import (
	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/health"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
)

func newHealth() *cobra.Command {
	var (
		path   string
		nagios bool
	)
	cmd := &cobra.Command{
		Use:   "health",
		Short: "ask the running daemon how it is",
		Long: `health asks the running daemon, where the configuration has it listen, whether it
can serve Postfix: it answers, and a DNS server answers it. It is for the health check
of a container, and for monitoring systems. A unix socket answers root and the daemon's
own user alone.

With --nagios it prints the line of a Nagios plugin, with perfdata: the time that it
took, decisions, those that were refused, lines of the log that were lost, and
connections. Icinga, Naemon, Zabbix and others read it too. It is critical if nobody
listens or no DNS server answers, and a warning if a file is not in force for its
mistakes or has changed, lines were lost, or Postfix does not see who its clients are.

Exit status 1 if it is not well. With --nagios: 0 OK, 1 warning, 2 critical, 3 not known.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return health.Run(cmd.Context(), inforce.Path(path), nagios, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &path)
	f.BoolVar(&nagios, "nagios", false, "print the line of a Nagios plugin, and end with its exit status")
	cmd.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error {
		if nagios {
			cmd.PrintErrf("policyd-rdns: %v\n", err)
			return exit.With(int(health.Unknown))
		}
		return exit.Usage(err)
	})
	return cmd
}
