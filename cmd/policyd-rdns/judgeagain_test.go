package main

import (
	"fmt"

	"policyd-rdns/policy"
)

// summary is what a log line says of a decision.
func summary(d *policy.Decision) string {
	return fmt.Sprint(d.Action, " ", d.Decided, " ", d.Rule, " ", d.Downgraded, " ", d.Would, " ", d.Mode, " ", d.Checks)
}
