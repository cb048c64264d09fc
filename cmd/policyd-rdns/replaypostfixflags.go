package main

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
)

// postfixOptions are the flags of replay that go with --postfix.
type postfixOptions struct {
	on       bool
	rate     int
	networks []string
	timezone string
}

// maxRate bounds --rate: more would be a load test of somebody's DNS.
const maxRate = 1000

func (o *postfixOptions) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.BoolVar(&o.on, "postfix", false, "read Postfix's own mail logs, and look their clients up in the DNS of today")
	f.IntVar(&o.rate, "rate", 20, "with --postfix: look up at most this `many` clients a second")
	f.StringSliceVar(&o.networks, "networks", nil, "with --postfix: our own `networks`, as mynetworks, beside those of the configuration")
	f.StringVar(&o.timezone, "timezone", "", "with --postfix: the `zone` of times without one, such as Europe/Berlin (default: that of this place)")
}

// check refuses flags that mean nothing.
func (o *postfixOptions) check(changed func(string) bool) error {
	for _, flag := range []string{"rate", "networks", "timezone"} {
		if !o.on && changed(flag) {
			return exit.Usage(fmt.Errorf("--%s goes with --postfix", flag))
		}
	}
	if o.rate < 1 || o.rate > maxRate {
		return exit.Usage(fmt.Errorf("--rate %d: want 1 to %d", o.rate, maxRate))
	}
	return nil
}

// place is where the clock of the logs stood.
func (o *postfixOptions) place() (*time.Location, error) {
	if o.timezone == "" {
		return time.Local, nil
	}
	place, err := time.LoadLocation(o.timezone)
	if err != nil {
		return nil, exit.Usage(fmt.Errorf("--timezone %.60q: want a name such as Europe/Berlin or UTC", o.timezone))
	}
	return place, nil
}

// own adds the networks to those of a configuration.
func (o *postfixOptions) own(configs ...*config.Config) error {
	for _, c := range configs {
		if c == nil {
			continue
		}
		for _, n := range o.networks {
			if err := c.Rules.Networks.Add(n); err != nil {
				return exit.Usage(fmt.Errorf("--networks %w", err))
			}
		}
	}
	return nil
}
