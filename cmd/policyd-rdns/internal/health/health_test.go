package health

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/ask"
)

// TestJudge: what the daemon answers, as Nagios reads it and as people do.
func TestJudge(t *testing.T) {
	well := func(more ...string) map[string]string {
		all := map[string]string{
			"ready": "yes", "mode": "observe", "decisions": "1234", "refused": "0", "lost": "0", "connections": "7", "max_connections": "2000",
		}
		for i := 0; i < len(more); i += 2 {
			all[more[i]] = more[i+1]
		}
		return all
	}
	const counts = "| time=0.003s;;;0;8 decisions=1234c refused=0c lost=0c connections=7;;;0;2000\n"
	tests := []struct {
		answer map[string]string
		err    error
		level  Level
		nagios string
		people string
	}{
		{well(), nil, OK, "POLICYD_RDNS OK - observing, 1234 decisions, 0 refused " + counts, "well: observing, 1234 decisions, 0 refused\n"},
		{well("mode", "enforce"), nil, OK, "POLICYD_RDNS OK - enforcing, ", "well: enforcing, "},
		{well("lost", "3"), nil, OK, "POLICYD_RDNS OK - observing, ", "well: observing, "}, // that was once
		{well("lost", "3", "trouble_log", "lines of the decision log cannot be written"), nil, Warning, "POLICYD_RDNS WARNING - lines of the decision log cannot be written | ", "not well: lines of"},
		{
			well("ready", "no", "why", "no DNS server answers: a|b", "trouble_reload", "the configuration has mistakes"), nil, Critical,
			"POLICYD_RDNS CRITICAL - no DNS server answers: a/b; the configuration has mistakes " + counts, "not well: no DNS server answers: a|b; the",
		},
		{map[string]string{"ready": "\x1b[31m", "decisions": "many; DROP"}, nil, Unknown, "POLICYD_RDNS UNKNOWN - the answer does not say whether it is ready | time=0.003s;;;0;8\n", "not well: "},
		{nil, fmt.Errorf("127.0.0.1:10040: %w", ask.ErrNobody), Critical, "POLICYD_RDNS CRITICAL - 127.0.0.1:10040: no daemon listens | time=", "not well: 127.0.0.1:10040: no daemon listens\n"},
		{nil, fmt.Errorf("unix:/x: %w", ask.ErrRefused), Unknown, "POLICYD_RDNS UNKNOWN - only root", "not well: only root"},
		{nil, errors.New("an answer\nof two lines"), Critical, "POLICYD_RDNS CRITICAL - an answer", "not well: an answer"},
	}
	for _, tt := range tests {
		h := judge(tt.answer, tt.err)
		h.Took = 3 * time.Millisecond
		var nagios, people strings.Builder
		if err := errors.Join(h.PrintNagios(&nagios), h.Print(&people)); err != nil {
			t.Fatal(err)
		}
		if h.Level != tt.level || !strings.HasPrefix(nagios.String(), tt.nagios) || !strings.HasPrefix(people.String(), tt.people) {
			t.Errorf("%v, %v: %v, %q, %q; want %v, %q, %q", tt.answer, tt.err, h.Level, &nagios, &people, tt.level, tt.nagios, tt.people)
		}
		if strings.Count(nagios.String(), "\n") != 1 || strings.Count(nagios.String(), "|") != 1 || strings.ContainsAny(nagios.String(), "\x1b") {
			t.Errorf("%q is not one line with one bar", &nagios)
		}
	}
}
