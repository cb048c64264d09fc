package doctor

import (
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// checkPaths looks whether smtpd gets to the daemon's unix sockets.
func checkPaths(x *examination, c *call) []Finding {
	var all []Finding
	if c.Endpoint.Network != "unix" || c.Bad != "" || c.silent != "" {
		return nil
	}
	for _, s := range c.services {
		all = append(all, x.checkPath(c, s)...)
	}
	return all
}

func (x *examination) checkPath(c *call, s *maincf.Service) []Finding {
	chroot := x.m.Postfix.Chrooted(s)
	file := c.Endpoint.File(x.queue(), chroot)
	where := fmt.Sprintf("%s in %s (%s)", brief(c.Endpoint.Text), c.Param, brief(s.String()))
	if !x.reaches(c, s) {
		return []Finding{x.wrongRoot(c, s, chroot, file)}
	}
	p, known := x.m.Paths[file]
	switch {
	case !known:
		return nil
	case p.Unread != "":
		return []Finding{{ID: "socket.read", Level: Info, Title: "The socket " + brief(file) + " could not be looked at: " + brief(p.Unread)}}
	case !p.Exists:
		return []Finding{{
			"socket.missing", Error, "There is no socket " + brief(file),
			"Postfix calls " + where + ", and the daemon is to listen there. It does not run, or may not make it: under systemd such a socket comes from policyd-rdns.socket.",
			[]string{"systemctl enable --now policyd-rdns.socket", "systemctl restart policyd-rdns"},
		}}
	case p.File.Mode.Type() != fs.ModeSocket:
		return []Finding{{
			"socket.type", Error, brief(file) + " is not a socket",
			"Something else has made a file of that name, and the daemon does not replace it.",
			[]string{"rm -i " + finding.QuoteShell(file), "systemctl restart policyd-rdns"},
		}}
	}
	return x.checkAccess(c, s, p, chroot)
}

// reaches reports whether the daemon listens where the call is for, as the service takes
// it.
func (x *examination) reaches(c *call, s *maincf.Service) bool {
	return slices.ContainsFunc(x.listening(), func(address string) bool {
		return c.Endpoint.Listens(address, x.queue(), x.m.Postfix.Chrooted(s)) && x.speaks(s, address)
	})
}

// wrongRoot is about a path that Postfix takes from another root than the daemon.
func (x *examination) wrongRoot(c *call, s *maincf.Service, chroot bool, file string) Finding {
	f := Finding{ID: "socket.chroot", Level: Error}
	f.Title = fmt.Sprintf("%s is %s for Postfix (%s), where the daemon does not listen", brief(c.Endpoint.Text), brief(file), brief(s.String()))
	inside := path.Clean(x.queue()) + "/"
	daemon := c.Endpoint.Path // the daemon's own, by isOurs
	switch {
	case chroot && strings.HasPrefix(path.Clean(daemon), inside):
		f.Why = "smtpd runs in a chroot (master.cf): every path begins at the queue directory. Write it as relative to that."
		f.Do = x.rewire(c.place)
	case chroot:
		moved := inside + insideQueue
		f.Why = "smtpd runs in a chroot (master.cf) and sees nothing outside of the queue directory. The socket has to be in there."
		f.Do = append([]string{"# in policyd-rdns.socket, or as unix:" + moved + " in server.listen:", "ListenStream=" + moved},
			x.rewire(c.place)...)
	default:
		f.Why = "Relative paths begin at the queue directory (queue_directory = " + brief(x.queue()) + ")."
		f.Do = x.rewire(c.place)
	}
	return f
}

// checkAccess looks at the permissions on the way to a socket: every folder has
// to let smtpd's user through (search), and the socket itself has to be writable
// (unix(7)). In its queue directory smtpd is already.
func (x *examination) checkAccess(c *call, s *maincf.Service, p machine.Path, chroot bool) []Finding {
	who := &x.m.Account
	if who.Unread != "" {
		return []Finding{{
			ID: "socket.read", Level: Info,
			Title: "Whether Postfix may use " + brief(p.File.Path) + " is not known: " + brief(who.Unread),
		}}
	}
	relative := chroot || !strings.HasPrefix(c.Endpoint.Path, "/")
	for _, folder := range p.Folders {
		if relative && !strings.HasPrefix(folder.Path, path.Clean(x.queue())+"/") {
			continue
		}
		if !who.May(folder, 1) {
			return []Finding{{
				"socket.folder", Error, fmt.Sprintf("Postfix's user %s may not enter %s (%s)", brief(who.Name), brief(folder.Path), folder.Rights()),
				fmt.Sprintf("So its smtpd (%s) cannot get to the socket %s, and takes default_action for all mail.", brief(s.String()), brief(p.File.Path)),
				[]string{"# let the group of Postfix in, or move the socket:", "chgrp " + brief(who.Name) + " " + finding.QuoteShell(folder.Path) + " && chmod g+x " + finding.QuoteShell(folder.Path)},
			}}
		}
	}
	if who.May(p.File, 2) {
		return []Finding{{ID: "socket.access", Level: OK, Title: fmt.Sprintf("Postfix's user %s may use the socket %s", brief(who.Name), brief(p.File.Path))}}
	}
	f := Finding{
		"socket.access", Error, fmt.Sprintf("Postfix's user %s may not write to the socket %s (%s)", brief(who.Name), brief(p.File.Path), p.File.Rights()),
		"So its smtpd cannot connect, and takes default_action for all mail.",
		[]string{"# in " + x.file() + ":", "[server]", `socket_mode = "0660"`, `socket_group = "` + brief(who.Name) + `"`},
	}
	if slices.Contains(x.m.Unit.Socket.Listen, "unix:"+p.File.Path) {
		f.Do = []string{"# in policyd-rdns.socket, below [Socket]:", "SocketUser=" + brief(who.Name), "SocketMode=0600"}
	}
	return []Finding{f}
}
