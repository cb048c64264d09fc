package status

import (
	"fmt"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
)

// overloadMinutes is how long an overload is told of after it.
const overloadMinutes = 5

// fullShare is the part of the connections, in percent, above which there are
// nearly too many.
const fullShare = 90

// maxEnding bounds the exemptions that are told of, one by one.
const maxEnding = 20

// health is how the daemon does, in words.
type health struct {
	Level string // well, warning or trouble: the worst of its notes
	Text  string
	Notes []note
}

// note is one thing that an administrator should know.
type note struct {
	Level string // trouble, warning or note
	Text  string
	Then  string // what that means, or what to do
}

// diagnose looks for what is not well. recent is what was decided in the last
// overloadMinutes.
func diagnose(s *State, recent tally, now time.Time) health {
	h := health{Level: "well", Text: "All is well"}
	add := func(holds bool, level, text, then string) {
		if holds {
			h.Notes = append(h.Notes, note{level, text, then})
		}
	}
	add(!s.Listening, "trouble", "Not listening for Postfix", "The daemon is starting or stopping.")
	if r := &s.Resolver; r.Outage {
		add(true, "trouble", fmt.Sprintf("No DNS server has answered for %s", ago(now.Sub(r.Since))),
			"What cannot be known is not held against clients until one does. Tried: "+r.Why+".")
	} else {
		for i := range r.Servers {
			add(r.Servers[i].Failing, "warning", fmt.Sprintf("DNS server %v did not answer the last time", r.Servers[i].Addr), "It is queried last until it does.")
		}
	}
	add(s.Unseen != "", "trouble", "Postfix does not see who its clients are", s.Unseen)
	add(recent.Overload > 0, "trouble", fmt.Sprintf("%d decisions in the last %d minutes found no room for a lookup", recent.Overload, overloadMinutes),
		"Clients that the cache does not know pass. A warning in the log names the zone and the network that hold most. If that is nobody, and the DNS server is not slow, raise resolver.max_inflight.")
	add(s.MaxConnections > 0 && int(s.Server.Open)*100 >= s.MaxConnections*fullShare, "warning",
		fmt.Sprintf("%d of %d connections are open", s.Server.Open, s.MaxConnections), "For one more the longest idle gives way, or it waits: raise server.max_connections.")
	add(s.ReloadFailed != "", "warning", "The configuration could not be read again", "The previous one stays in force: "+s.ReloadFailed)
	add(s.ExemptFailed != "", "warning", "exempt_file is damaged", "The exemptions of before stay in force: "+s.ExemptFailed)
	add(s.History != nil && s.History.Store && !s.History.StoreAnswers, "warning", "The store of what is remembered does not answer",
		"Memory alone tells who came before: known clients may be deferred once more, and nobody is refused for that. The log says what is wrong.")
	add(s.LostLines > 0, "warning", fmt.Sprintf("%d lines of the decision log were lost since the start", s.LostLines), "Is its disk full, or does its reader hang?")
	add(s.Server.Panics > 0 || s.Resolver.Panics > 0, "warning", fmt.Sprintf("The program failed over %d requests since the start", uint64(s.Server.Panics)+s.Resolver.Panics),
		"They were answered DUNNO, or their connection was closed; the log tells of each, with a stack to report.")
	add(s.Mode == "observe", "note", "Nothing is carried out: mode = \"observe\"", "What is shown as refused was only logged.")
	if n := len(s.Ending); n > 0 {
		shown := strings.Join(s.Ending[:min(n, maxEnding)], "; ")
		if n > maxEnding {
			shown += fmt.Sprintf("; and %d more", n-maxEnding)
		}
		ends := "1 exemption ends within a day"
		if n > 1 {
			ends = plain.Number(n) + " exemptions end within a day"
		}
		add(true, "note", ends, shown+".")
	}
	for _, n := range h.Notes {
		if n.Level == "trouble" && h.Level != "trouble" || n.Level == "warning" && h.Level == "well" {
			h.Level, h.Text = n.Level, n.Text
		}
	}
	return h
}

// ago is a time in words: 42 s, 5 min, 3 h, 2 days.
func ago(d time.Duration) string {
	switch {
	case d < 2*time.Minute:
		return fmt.Sprintf("%d s", max(int(d.Seconds()), 0))
	case d < 2*time.Hour:
		return fmt.Sprintf("%d min", int(d.Minutes()))
	case d < 48*time.Hour:
		return fmt.Sprintf("%d h", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}
