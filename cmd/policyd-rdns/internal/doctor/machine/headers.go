package machine

import (
	"context"
	"errors"
	"os/exec"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Headers are headers to look up in Postfix's header_checks, and the tables there.
type Headers struct {
	Tables  []string
	Headers []string
}

// HeaderChecks is what Postfix does with headers (header_checks(5)).
type HeaderChecks struct {
	// Unread is why that is not known.
	Unread string
	// Actions are by header: "IGNORE"; empty: the header passes.
	Actions map[string]string
}

// HeaderTables are those tables of a value of header_checks that are looked up in: the
// text files of patterns, which nothing but this host is needed for.
func HeaderTables(value string) (tables []string, others bool) {
	for _, word := range smtpd.Split(value, smtpd.Separators) {
		kind, _, _ := strings.Cut(word, ":")
		switch kind {
		case "regexp", "pcre":
			tables = append(tables, word)
		default:
			others = true
		}
	}
	return tables, others
}

// headerChecks asks postmap(1): the first table with a result decides.
func (s *System) headerChecks(ctx context.Context, w Headers) HeaderChecks {
	c := HeaderChecks{Actions: map[string]string{}}
	for _, header := range w.Headers {
		for _, table := range w.Tables[:min(len(w.Tables), maxTables)] {
			out, err := s.Run(ctx, "postmap", "-q", header, table)
			var status *exec.ExitError
			if errors.As(err, &status) {
				continue // nothing is found; what is wrong with a table is another error
			}
			if err != nil {
				c.Unread = err.Error()
				return c
			}
			if action := strings.TrimSpace(string(out)); action != "" {
				c.Actions[header] = action
				break
			}
		}
	}
	return c
}
