package doctor

import (
	"fmt"
	"strings"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
)

// checkAnswers looks at what the running daemon answered.
func checkAnswers(x *examination) []Finding {
	var all []Finding
	for _, a := range x.m.Answers {
		word, _, _ := strings.Cut(a.Action, " ")
		f := Finding{ID: "daemon.answer", Level: OK}
		switch {
		case a.Unread != "":
			f.Level = Error
			f.Title = fmt.Sprintf("The daemon does not answer on %s: %s", brief(a.Address), brief(a.Unread))
			f.Why = "Postfix takes default_action for all mail: with DUNNO nothing is judged, without one nothing comes in."
			f.Do = []string{"systemctl restart policyd-rdns", "journalctl -u policyd-rdns -n 50"}
			if len(x.v.Listen) == 0 && len(x.m.Unit.Socket.Listen) == 0 {
				f.Why += " server.listen is empty, so that systemd has to listen for it, and policyd-rdns.socket is not known to."
				f.Do = []string{"systemctl enable --now policyd-rdns.socket", "systemctl restart policyd-rdns"}
			}
		case word != "DUNNO" && word != "INFO":
			f.Level = Warning
			f.Title = fmt.Sprintf("Asked about 127.0.0.1 on %s, the daemon answers %s, in %s", brief(a.Address), brief(a.Action), short(a.Took))
			f.Why = "The rules refuse this host itself: its own mail, if Postfix asks about that."
			f.Do = []string{"[[rule]]", `name   = "own client"`, `when   = { client = ["loopback", "own"] }`, `action = "dunno"`}
		case a.Took > machine.SlowAnswer:
			f.Level = Warning
			f.Title = fmt.Sprintf("The daemon takes %s to answer on %s", short(a.Took), brief(a.Address))
			f.Why = "That request needs no DNS. The machine is overloaded, or connections wait (server.max_connections)."
		default:
			f.Title = fmt.Sprintf("The daemon answers %s on %s in %s", brief(a.Action), brief(a.Address), short(a.Took))
		}
		all = append(all, f)
	}
	return all
}

// short is a duration for people.
func short(d time.Duration) string {
	return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
}
