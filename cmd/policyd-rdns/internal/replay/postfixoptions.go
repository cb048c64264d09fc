package replay

import (
	"fmt"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
)

// PostfixOptions are those of a replay of Postfix's own mail logs.
type PostfixOptions struct {
	On       bool     // read such logs, and look their clients up in the DNS
	Rate     int      // at most so many a second
	Networks []string // our own, beside those of the configuration
	Timezone string   // of times without one; empty: that of this place
}

// maxRate bounds --rate: more would be a load test of somebody's DNS.
const maxRate = 1000

// check refuses a rate that nobody means.
func (o *PostfixOptions) check() error {
	if o.On && (o.Rate < 1 || o.Rate > maxRate) {
		return exit.Usage(fmt.Errorf("--rate %d: want 1 to %d", o.Rate, maxRate))
	}
	return nil
}

// place is where the clock of the logs stood.
func (o *PostfixOptions) place() (*time.Location, error) {
	if o.Timezone == "" {
		return time.Local, nil
	}
	place, err := time.LoadLocation(o.Timezone)
	if err != nil {
		return nil, exit.Usage(fmt.Errorf("--timezone %.60q: want a name such as Europe/Berlin or UTC", o.Timezone))
	}
	return place, nil
}

// own adds the networks to those of a configuration.
func (o *PostfixOptions) own(configs ...*config.Config) error {
	for _, c := range configs {
		if c == nil {
			continue
		}
		for _, n := range o.Networks {
			if err := c.Rules.Networks.Add(n); err != nil {
				return exit.Usage(fmt.Errorf("--networks %w", err))
			}
		}
	}
	return nil
}
