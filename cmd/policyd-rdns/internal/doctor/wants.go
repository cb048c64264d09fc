package doctor

import (
	"context"
	"net"
	"net/netip"
	"path"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/refusal"
	"policyd-rdns/cmd/policyd-rdns/internal/smtpd"
)

// Wanted says which machine to read.
type Wanted struct {
	// Postfix, unless nil, is what was read of it elsewhere.
	Postfix *maincf.Postfix
	Unit    machine.Unit // by System.Unit
	View    *View
	// Servers are the DNS servers that the daemon queries.
	Servers []netip.AddrPort
}

// Read reads a machine: Postfix first, which says what else to look at.
func Read(ctx context.Context, s *machine.System, w Wanted) machine.Machine {
	m := machine.Machine{Unit: w.Unit}
	if w.Postfix != nil {
		m.Postfix = *w.Postfix
	} else {
		m.Postfix = s.Postfix(ctx)
	}
	x := examination{m: &m, v: w.View}
	wanted := machine.Wanted{
		Postfix: m.Postfix, Unit: w.Unit, Account: x.params().Expand("$mail_owner"), Listen: x.listening(),
		LogFile: w.View.LogFile, Servers: w.Servers,
	}
	if m.Postfix.Unread == "" {
		wanted.Domains = x.params().Domains()
	}
	x.want(&wanted, w.Postfix == nil)
	if w.Postfix == nil {
		x.wantHeaders(&wanted)
		wanted.Lookups = refusal.Wanted(x.params(), w.View.Contact)
	}
	return s.Read(ctx, wanted)
}

// want adds what Postfix's lists name: sockets, and, where they are of this very
// machine (here), lookup tables and policy services of others.
func (x *examination) want(w *machine.Wanted, here bool) {
	for _, address := range w.Listen {
		if file, ok := strings.CutPrefix(address, "unix:"); ok {
			w.Sockets = append(w.Sockets, path.Clean(file))
		}
	}
	w.Tables = map[string]string{}
	for _, p := range places(&x.m.Postfix) {
		for at := range p.steps {
			s := &p.steps[at]
			if here {
				wantTable(w, s.Name) // alone
				wantTable(w, s.Arg)
			}
			if s.Name == smtpd.CallName {
				c := parseCall(p, at)
				x.wantService(w, c, here)
			}
		}
	}
}

func wantTable(w *machine.Wanted, name string) {
	if file, ok := smtpd.TableFile(name); ok {
		w.Tables[name] = file
	}
}

func (x *examination) wantService(w *machine.Wanted, c *call, here bool) {
	ours := x.isOurs(c)
	for _, s := range c.services {
		service := machine.Service{Text: c.Endpoint.Text, Network: "tcp", Target: net.JoinHostPort(c.Endpoint.Host, c.Endpoint.Port)}
		if c.Endpoint.Network == "unix" {
			service.Network, service.Target = "unix", c.Endpoint.File(x.queue(), x.m.Postfix.Chrooted(s))
			w.Sockets = withNew(w.Sockets, service.Target)
		}
		if here && !ours && c.Endpoint.Valid() {
			w.Services = withNew(w.Services, service)
		}
	}
}
