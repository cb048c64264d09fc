package machine

import (
	"context"
	"errors"
	"os/exec"
	"strings"
)

// Lookup is a key to look up in one of Postfix's tables, "hash:/etc/aliases". One that is
// reached through proxymap(8) is asked directly.
type Lookup struct{ Table, Key string }

// LookedUp is what came of a lookup.
type LookedUp struct {
	Unread string // why it is not known
	Found  bool
}

// maxLookups bounds the lookups.
const maxLookups = 300

// lookups asks postmap(1), for as long as one program may run. A table that cannot be asked
// is not asked again. Without lookups it is nil.
func (s *System) lookups(ctx context.Context, wanted []Lookup) map[Lookup]LookedUp {
	if wanted == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, runTime)
	defer cancel()
	all, bad := map[Lookup]LookedUp{}, map[string]string{}
	for _, l := range wanted[:min(len(wanted), maxLookups)] {
		if _, ok := all[l]; ok {
			continue
		}
		if bad[l.Table] == "" && ctx.Err() != nil {
			bad[l.Table] = "there was no time left to look"
		}
		if why := bad[l.Table]; why != "" {
			all[l] = LookedUp{Unread: why}
			continue
		}
		out, err := s.Run(ctx, "postmap", "-q", l.Key, strings.TrimPrefix(l.Table, "proxy:"))
		var status *exec.ExitError
		switch {
		case err == nil:
			all[l] = LookedUp{Found: len(strings.TrimSpace(string(out))) > 0}
		case errors.As(err, &status) && status.ExitCode() == 1: // nothing is found; what is wrong with a table is another error
			all[l] = LookedUp{}
		default:
			bad[l.Table] = err.Error()
			all[l] = LookedUp{Unread: err.Error()}
		}
	}
	return all
}
