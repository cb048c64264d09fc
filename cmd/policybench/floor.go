package main

import (
	"net"
	"strings"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policybench/internal/floor"
)

func newFloor() *cobra.Command {
	var address, lookups string
	var epoll bool
	cmd := &cobra.Command{
		Use:   "floor",
		Short: "a policy service that decides nothing",
		Long: `floor answers every request with DUNNO: a goroutine for each connection, a
buffered reader, and no look at what is in the request. What another service
takes beyond that is what its decisions cost. With --epoll it is one thread that waits
for all connections at once (epoll(7)), which is cheaper and needs Linux. With
--lookups it asks a DNS server for the names of each client and what the first of them
resolves to, one after the other, and keeps nothing: what a new client costs at least. It prints "listening ADDRESS" when
it does, and runs until it is told to stop (SIGTERM, SIGINT).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			network, where := "unix", strings.TrimPrefix(address, "unix:")
			if where == address {
				if err := onLoopback(address); err != nil {
					return err
				}
				network = "tcp"
			}
			l, err := net.Listen(network, where)
			if err != nil {
				return err
			}
			tellAddress(cmd.OutOrStdout(), l)
			if lookups != "" {
				if err := onLoopback(lookups); err != nil {
					return err
				}
				return floor.ServeLookups(cmd.Context(), l, lookups)
			}
			if epoll {
				return floor.ServeEpoll(cmd.Context(), l)
			}
			return floor.Serve(cmd.Context(), l)
		},
	}
	cmd.Flags().StringVar(&address, "listen", "127.0.0.1:0", "`address` of the loopback, and port; 0: any; or unix:/path")
	cmd.Flags().BoolVar(&epoll, "epoll", false, "one thread, instead of a goroutine for each connection")
	cmd.Flags().StringVar(&lookups, "lookups", "", "make the two lookups of FCrDNS, at the DNS server of that `address` and port of the loopback")
	cmd.MarkFlagsMutuallyExclusive("epoll", "lookups")
	return cmd
}
