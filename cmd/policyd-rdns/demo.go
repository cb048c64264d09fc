package main

import (
	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/demo"
)

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "walk a dozen clients through the daemon, with no network",
		Long: `demo serves a small DNS world on the loopback, starts the daemon with the
built-in rules on it, asks it about some clients through its socket as Postfix
would, and prints what it answered and why.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo.Run(cmd.Context(), cmd.OutOrStdout())
		},
	}
}
