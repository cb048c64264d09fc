package machine

import (
	"context"
	"strings"
)

// Unit asks systemd about the daemon's units.
func (s *System) Unit(ctx context.Context) Unit {
	out, err := s.Run(ctx, "systemctl", "show", "policyd-rdns.service", "-p",
		"LoadState,ActiveState,UnitFileState,MainPID,NRestarts,ExecStart")
	if err != nil {
		return Unit{Unread: err.Error()}
	}
	u := parseUnit(string(out))
	out, err = s.Run(ctx, "systemctl", "show", "policyd-rdns.socket", "-p", "ActiveState,Listen,BindIPv6Only")
	if err == nil {
		u.Socket = parseSocketUnit(string(out))
	}
	return u
}

// parseUnit reads what "systemctl show" prints: Key=value.
func parseUnit(text string) Unit {
	var u Unit
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "LoadState":
			u.Loaded = value == "loaded"
		case "ActiveState":
			u.Active = value
		case "UnitFileState":
			u.Enabled = value
		case "MainPID":
			u.PID = number(value)
		case "NRestarts":
			u.Restarts = number(value)
		case "ExecStart":
			u.Config = configOf(value)
		}
	}
	return u
}

// configOf finds -c FILE in "{ path=… ; argv[]=… ; … }".
func configOf(execStart string) string {
	_, rest, _ := strings.Cut(execStart, "argv[]=")
	args, _, _ := strings.Cut(rest, " ; ")
	words := strings.Fields(args)
	for i, word := range words {
		if file, ok := strings.CutPrefix(word, "--config="); ok {
			return file
		}
		if (word == "-c" || word == "--config") && i+1 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// parseSocketUnit reads lines such as "Listen=127.0.0.1:10040 (Stream)". Sockets
// of a unit that is not active are nobody's. A socket of systemd's at [::] is one
// for IPv4 too, but where BindIPv6Only= says otherwise (systemd.socket(5)).
func parseSocketUnit(text string) SocketUnit {
	var u SocketUnit
	var listen []string
	both := true
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		switch key {
		case "ActiveState":
			u.Active = value
		case "BindIPv6Only":
			both = value != "ipv6-only"
		case "Listen":
			words := strings.Fields(value)
			for i, word := range words {
				if i+1 == len(words) || words[i+1] != "(Stream)" {
					continue
				}
				if strings.HasPrefix(word, "/") {
					word = "unix:" + word
				}
				listen = append(listen, word)
			}
		}
	}
	if u.Active != "active" {
		return u
	}
	u.Listen = listen
	for _, address := range listen {
		if port, ok := strings.CutPrefix(address, "[::]:"); ok && both {
			u.Listen = append(u.Listen, "0.0.0.0:"+port)
		}
	}
	return u
}
