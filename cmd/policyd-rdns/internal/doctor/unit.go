package doctor

import (
	"fmt"
	"strconv"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
)

// checkUnit looks at the systemd unit.
func checkUnit(x *examination) []Finding {
	u := &x.m.Unit
	switch {
	case u.Unread != "":
		return []Finding{{
			ID: "unit.read", Level: Info, Title: "What systemd says is not known: " + brief(u.Unread),
			Why: "Whether the daemon is started with the machine, and again after a crash, is then up to you.",
		}}
	case !u.Loaded:
		return []Finding{{
			"unit.missing", Warning, "There is no systemd unit policyd-rdns.service",
			"Nothing starts the daemon with the machine, or again after a crash.",
			[]string{"cp systemd/policyd-rdns.service /etc/systemd/system/", "systemctl daemon-reload", "systemctl enable --now policyd-rdns"},
		}}
	}
	var all []Finding
	if u.Active != "active" {
		all = append(all, Finding{
			"unit.active", Error, "The unit policyd-rdns.service is " + brief(u.Active),
			"Postfix takes default_action for all mail.",
			[]string{"systemctl start policyd-rdns", "journalctl -u policyd-rdns -n 50"},
		})
	}
	if u.Enabled == "disabled" && x.m.Unit.Socket.Active != "active" {
		all = append(all, Finding{
			"unit.enabled", Warning, "The unit policyd-rdns.service is not enabled",
			"After the next start of the machine there is no daemon.",
			[]string{"systemctl enable policyd-rdns"},
		})
	}
	if u.Restarts > 0 {
		all = append(all, Finding{
			"unit.restarts", Warning, fmt.Sprintf("systemd has started the daemon again %d times", u.Restarts),
			"It crashed or was killed. Its log says why.",
			[]string{"journalctl -u policyd-rdns -p warning -n 50"},
		})
	}
	if u.Active == "active" && u.Config != x.v.Path {
		all = append(all, Finding{
			"unit.config", Warning, fmt.Sprintf("The unit runs with %s, and doctor looked at %s", orBuiltin(u.Config), orBuiltin(x.v.Path)),
			"What is said here of the configuration may not be what is in force.", nil,
		})
		if u.Config != "" {
			all[len(all)-1].Do = []string{"policyd-rdns doctor -c " + finding.QuoteShell(u.Config)}
		}
	}
	if x.m.Process.Unread == "" && x.m.Process.UID == 0 && u.Active == "active" {
		all = append(all, Finding{
			"unit.root", Warning, "The daemon runs as root",
			"It needs no right that a plain user has not; a fault in it would have all of them.",
			[]string{"systemctl edit policyd-rdns", "# [Service]", "# DynamicUser=yes"},
		})
	}
	if len(all) == 0 {
		all = append(all, Finding{ID: "unit.active", Level: OK, Title: "The unit policyd-rdns.service is active and " + brief(u.Enabled)})
	}
	return all
}

func orBuiltin(path string) string {
	if path == "" {
		return "the built-in configuration"
	}
	return brief(path)
}

// checkDescriptors compares the process's limit to what it may need.
func checkDescriptors(x *examination) []Finding {
	need := x.v.Descriptors
	p := &x.m.Process
	if p.Unread != "" || p.Descriptors == 0 || p.Descriptors >= need {
		return nil
	}
	return []Finding{{
		"limits.descriptors", Warning, fmt.Sprintf("The daemon may have %d file descriptors, and with all its connections and lookups needs %d", p.Descriptors, need),
		"Without one, a lookup is a temperror, and a new connection waits.",
		[]string{"systemctl edit policyd-rdns", "# [Service]", "# LimitNOFILE=" + strconv.FormatUint(need*2, 10)},
	}}
}
