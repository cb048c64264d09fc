package main

import (
	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
)

func newServe() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "run the daemon",
		Long: `serve answers Postfix's policy requests until it is told to stop (SIGTERM,
SIGINT). SIGHUP reads the configuration and /etc/resolv.conf again and reopens
the decision log; if the new configuration has errors the old one stays in
force. Without a file (see -c) it runs on built-in defaults, listening on
127.0.0.1:10040.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return daemon.Serve(cmd.Context(), inforce.Path(path), versionText(), cmd.ErrOrStderr())
		},
	}
	configFlag(cmd, &path)
	return cmd
}
