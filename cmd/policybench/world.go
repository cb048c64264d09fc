package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"policyd-rdns/cmd/policybench/internal/crowd"
	"policyd-rdns/cmd/policybench/internal/zone"
)

// maxDelay bounds --delay: beyond it replies that wait would be lost.
const maxDelay = time.Minute

func newWorld() *cobra.Command {
	s := zone.Server{Zone: &zone.Zone{}}
	var address string
	cmd := &cobra.Command{
		Use:   "world",
		Short: "a synthetic DNS that knows millions of clients",
		Long: `world plays a recursive DNS server, over UDP and TCP. It knows 131,072 clients
of IPv4 (240.18.0.0/15, which nobody has) and 2^32 of IPv6
(2001:db8::/32), and computes what they are from their address:

  named     a name that resolves back; says HELO it
  other     the same, but says HELO another name, which resolves back too
  literal   the same, but says HELO its address
  generic   a name made from the address; the HELO does not resolve
  nameless  no name; the HELO resolves back
  mismatch  a name, and a HELO, that resolve to another address

Given the same --mix and --seed, "policybench load" asks about the same clients.

It prints "listening ADDRESS" when it does, and when it is told to stop (SIGTERM,
SIGINT) what it was asked. Meanwhile that is the TXT record of stats.invalid.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := onLoopback(address); err != nil {
				return err
			}
			if s.Delay < 0 || s.Delay > maxDelay {
				return errUsage{fmt.Errorf("--delay %v: want 0 to %v", s.Delay, maxDelay)}
			}
			pc, l, err := zone.Listen(address)
			if err != nil {
				return err
			}
			tellAddress(cmd.OutOrStdout(), l)
			err = s.Serve(cmd.Context(), pc, l)
			fmt.Fprintln(cmd.OutOrStdout(), s.Zone.Counts())
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&address, "listen", "127.0.0.1:0", "`address` of the loopback, and port; 0: any")
	f.DurationVar(&s.Delay, "delay", 0, "of each reply")
	f.DurationVar(&s.Zone.TTL, "ttl", time.Hour, "of each record, in whole seconds")
	f.Var(&s.Zone.Loss, "loss", "share of the replies over UDP that are not sent: 1% or 0.01")
	f.Var(&s.Zone.Servfail, "servfail", "share of the names that are answered with SERVFAIL")
	f.Var(&s.Zone.Truncate, "truncate", "share of the names that are truncated over UDP")
	crowdFlags(f, &s.Zone.Crowd)
	return cmd
}

// crowdFlags are those by which load and world agree.
func crowdFlags(f *pflag.FlagSet, c *crowd.Crowd) {
	f.Uint64Var(&c.Seed, "seed", 1, "of everything that looks like chance")
	f.Var(&c.Mix, "mix", "shares of the kinds of clients: named=60,other=15,generic=10,nameless=10,mismatch=5")
}
