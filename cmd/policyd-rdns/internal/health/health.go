// Package health asks the running daemon how it is, and says so to a person, to the health
// check of a container, or to a monitoring system in the way of Nagios' plugins, which
// Icinga, Naemon, Zabbix and others take too.
package health

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/ask"
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// Level is how things are, as Nagios counts, which is its exit status.
type Level int

// The levels.
const (
	OK Level = iota
	Warning
	Critical
	Unknown
)

func (l Level) String() string { return [...]string{"OK", "WARNING", "CRITICAL", "UNKNOWN"}[l] }

// Limit bounds the asking, of all addresses together: below the ten seconds after which
// Nagios gives a plugin up, and above the five that a daemon takes to say that no DNS
// server answers.
const Limit = 8 * time.Second

// counters are what the daemon counts, as perfdata has them: the key of its answer, the
// unit ("c" is a counter), and the key of the limit.
var counters = []struct{ key, unit, most string }{
	{"decisions", "c", ""},
	{"refused", "c", ""},
	{"lost", "c", ""},
	{"connections", "", "max_connections"},
}

// Health is how a daemon is.
type Health struct {
	Level  Level
	Why    []string // what is not well, the worst first; what there is to say if all is
	Took   time.Duration
	Counts map[string]string // numbers, by their keys
}

// Ask asks the daemon of a configuration. It takes [Limit] at most.
func Ask(ctx context.Context, conf *config.Config) Health {
	ctx, cancel := context.WithTimeout(ctx, Limit)
	defer cancel()
	begin := time.Now()
	answer, hash, err := daemon(ctx, conf.Server.Listen)
	h := judge(answer, err)
	h.Took = time.Since(begin)
	if err == nil && hash != "" && hash != conf.Hash {
		h.add(Warning, "the configuration is not the one in force: "+conf.Hash+" in the file, "+plain.Line(hash)+" in the daemon")
	}
	return h
}

// daemon gives the answer of the first address at which the daemon answers.
func daemon(ctx context.Context, listen []string) (answer map[string]string, hash string, err error) {
	if len(listen) == 0 {
		listen = []string{"unix:" + ask.SocketPath}
	}
	var first error
	for _, address := range listen {
		answer, err := ask.Query(ctx, address, "health")
		if err == nil {
			told, _ := ask.Query(ctx, address, "hash") // without it nothing is said of it
			return answer, told["hash"], nil
		}
		if first == nil {
			first = err
		}
	}
	return nil, "", first
}

// judge is what an answer means, or that there was none.
func judge(answer map[string]string, err error) Health {
	h := Health{Counts: map[string]string{}}
	switch {
	case errors.Is(err, ask.ErrRefused):
		h.add(Unknown, "only root and the daemon's own user may ask: "+plain.Line(err.Error()))
		return h
	case err != nil:
		h.add(Critical, plain.Line(err.Error()))
		return h
	}
	switch answer["ready"] {
	case "yes":
	case "no":
		h.add(Critical, plain.Line(answer["why"]))
	default:
		h.add(Unknown, "the answer does not say whether it is ready")
	}
	for _, key := range slices.Sorted(maps.Keys(answer)) {
		if strings.HasPrefix(key, "trouble_") {
			h.add(Warning, plain.Line(answer[key]))
		}
	}
	for key, value := range answer {
		if _, err := strconv.ParseUint(value, 10, 64); err == nil {
			h.Counts[key] = value
		}
	}
	if h.Level == OK {
		h.Why = []string{strings.Join(h.summary(answer["mode"]), ", ")}
	}
	return h
}

// summary is what there is to say of a daemon that is well.
func (h *Health) summary(mode string) []string {
	var parts []string
	switch {
	case mode == "enforce":
		parts = append(parts, "enforcing")
	case mode != "":
		parts = append(parts, "observing")
	}
	for _, key := range []string{"decisions", "refused"} {
		if n := h.Counts[key]; n != "" {
			parts = append(parts, n+" "+key)
		}
	}
	return parts
}

// add notes what is not well. Critical comes before unknown, and that before a warning.
func (h *Health) add(l Level, why string) {
	rank := [...]int{OK: 0, Warning: 1, Unknown: 2, Critical: 3}
	if rank[l] > rank[h.Level] {
		h.Why = append([]string{why}, h.Why...)
		if h.Level == OK {
			h.Why = h.Why[:1] // what was said while all was well
		}
		h.Level = l
		return
	}
	h.Why = append(h.Why, why)
}

// Print says it in a line.
func (h *Health) Print(w io.Writer) error {
	word := "well"
	if h.Level != OK {
		word = "not well"
	}
	_, err := fmt.Fprintf(w, "%s: %s\n", word, strings.Join(h.Why, "; "))
	return err
}

// PrintNagios says it in the line of a plugin, with what was counted behind a bar, which
// the text itself must not have.
func (h *Health) PrintNagios(w io.Writer) error {
	_, err := fmt.Fprintf(w, "POLICYD_RDNS %s - %s | %s\n", h.Level, strings.ReplaceAll(strings.Join(h.Why, "; "), "|", "/"), strings.Join(h.perfdata(), " "))
	return err
}

func (h *Health) perfdata() []string {
	all := []string{fmt.Sprintf("time=%.3fs;;;0;%.0f", h.Took.Seconds(), Limit.Seconds())}
	for _, c := range counters {
		if n := h.Counts[c.key]; n != "" {
			text := c.key + "=" + n + c.unit
			if c.most != "" && h.Counts[c.most] != "" {
				text += ";;;0;" + h.Counts[c.most]
			}
			all = append(all, text)
		}
	}
	return all
}

// Run asks and prints, in Nagios' way or ours, which the exit status follows. What cannot
// be asked for is told in that way too: a monitoring system reads nothing else.
func Run(ctx context.Context, path string, nagios bool, stdout io.Writer) error {
	conf, err := config.Load(path)
	switch {
	case err != nil && !nagios:
		return err
	case err != nil:
		h := Health{Level: Unknown, Why: []string{plain.Line(strings.ReplaceAll(err.Error(), "\n", "; "))}}
		return errors.Join(h.PrintNagios(stdout), exit.With(int(Unknown)))
	}
	h := Ask(ctx, conf)
	if nagios {
		return errors.Join(h.PrintNagios(stdout), exit.With(int(h.Level)))
	}
	if err := h.Print(stdout); err != nil || h.Level == OK || h.Level == Warning {
		return err
	}
	return exit.ErrNotWell
}
