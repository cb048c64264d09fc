// Package checkup is one run of doctor: it reads the configuration and what Postfix and
// the machine say of themselves, has that examined, and prints what was found.
package checkup

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// Options are where a check-up looks.
type Options struct {
	Config   string // file, as [inforce.Path] has it; empty: that with which the systemd unit runs
	Postconf string // file with what postconf prints; empty: it is asked
	MasterCF string // file with what postconf -M prints, or master.cf
	JSON     bool   // one object
}

// entries is a cache large enough for the MX hosts of the domains that Postfix takes mail for.
const entries = 1000

// Run looks, prints what it found, and tells on stderr of which configuration. The error is [exit.ErrNotWell] if something has
// to be mended.
func Run(ctx context.Context, o *Options, stdin io.Reader, stdout, stderr io.Writer) error {
	read, err := o.postfix(stdin)
	if err != nil {
		return err
	}
	system := machine.NewSystem()
	unit := system.Unit(ctx)
	path := inforce.Path(o.Config)
	if unit.Loaded {
		unit.Config = inforce.Path(unit.Config) // as serve reads it
	}
	if o.Config == "" && unit.Loaded {
		path = unit.Config
	}
	conf, err := config.Load(path)
	if err != nil {
		return err
	}
	inforce.Tell(ctx, conf, o.Config, stderr)
	servers, err := conf.DNSServers()
	if err != nil {
		return err
	}
	view := View(conf, config.FindHost())
	dns, err := conf.NewResolver(entries)
	if err != nil {
		return err
	}
	defer dns.Close()
	system.Mail = dns
	m := doctor.Read(ctx, system, doctor.Wanted{Postfix: read, Unit: unit, View: view, Servers: servers})
	report := Report{Path: path, Folder: m.Postfix.Folder(), Findings: doctor.Examine(&m, view)}
	if o.JSON {
		err = report.json(stdout)
	} else {
		err = report.Print(stdout, plain.PaintFor(stdout))
	}
	if err != nil {
		return err
	}
	if report.count(doctor.Error) > 0 {
		return exit.ErrNotWell
	}
	return nil
}

// postfix reads the files of the flags; nil: there are none, and postconf is to
// be asked.
func (o *Options) postfix(stdin io.Reader) (*maincf.Postfix, error) {
	if o.Postconf == "" && o.MasterCF == "" {
		return nil, nil
	}
	if o.Postconf == "" {
		return nil, exit.Usage(fmt.Errorf("--mastercf %.60q: want --postconf FILE too", o.MasterCF))
	}
	var texts []string
	for _, path := range []string{o.Postconf, o.MasterCF} {
		if path == "" {
			continue
		}
		in, err := logfile.Open(path, stdin)
		if err != nil {
			return nil, err
		}
		text, err := io.ReadAll(io.LimitReader(in, maincf.MaxText))
		_ = in.Close() // it was only read
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		texts = append(texts, string(text))
	}
	p := maincf.ParsePostfix(texts...)
	return &p, nil
}

// View is what doctor needs to know of a configuration.
func View(c *config.Config, h config.Host) *doctor.View {
	return &doctor.View{
		Path:        c.Path,
		Listen:      c.Server.Listen,
		Deadline:    c.Server.Deadline,
		Connections: c.Server.Connections,
		Descriptors: c.Descriptors(),
		Networks:    c.Server.Networks,
		OwnNames:    c.HELO.OwnNames,
		LogFile:     c.Log.File,
		Builtin:     c.BuiltinExempt("logged in"),
		Tags:        tags(c.Rules),
		Defers:      defers(c.Rules),
		Contact:     c.Reply.Contact,
		Help:        c.Reply.Help,
		OwnsClient: func(a netip.Addr) bool {
			return c.Rules.Networks.Has(a) || slices.Contains(h.Addrs, a)
		},
		OwnsName: func(name string) bool {
			if a, err := netip.ParseAddr(name); err == nil {
				a = address.Plain(a)
				return c.Rules.OwnAddrs.Has(a) || slices.Contains(h.Addrs, a)
			}
			name = hostname.Normal(name)
			if hostname.Local(name) {
				return false
			}
			return c.Rules.OwnNames.Has(name) || slices.Contains(h.Names, name)
		},
	}
}

// tags are the names of the rules that tag mail.
func tags(r *policy.Rules) (names []string) {
	for i := range r.List {
		if rule := &r.List[i]; rule.Action == policy.Tag && !rule.Observe && r.Mode == policy.Enforce {
			names = append(names, rule.Name)
		}
	}
	return names
}

// defers reports whether rules have clients come again who are well otherwise: a reject
// that waits, or a defer by history.
func defers(r *policy.Rules) bool {
	if r.Mode != policy.Enforce {
		return false
	}
	for i := range r.List {
		switch rule := &r.List[i]; {
		case rule.Observe:
		case rule.Action == policy.Reject && rule.DeferFor == nil && r.DeferFor > 0,
			rule.Action == policy.Reject && rule.DeferFor != nil && *rule.DeferFor > 0,
			rule.Action == policy.Defer && looksAtHistory(rule):
			return true
		}
	}
	return false
}

func looksAtHistory(r *policy.Rule) bool {
	return slices.ContainsFunc(append(slices.Clone(r.Unless), r.When), func(t policy.Table) bool {
		return t.Has(policy.CheckHistory.String())
	})
}

// Report is what doctor found.
type Report struct {
	Path     string // of the configuration; empty: built-in
	Folder   string // of Postfix, if it is not the usual one
	Findings []doctor.Finding
}

func (r *Report) count(level doctor.Level) int {
	n := 0
	for _, f := range r.Findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// json is the report for programs. Its form is stable: fields are added, never
// renamed.
func (r *Report) json(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Config   string           `json:"config"`
		Errors   int              `json:"errors"`
		Warnings int              `json:"warnings"`
		Findings []doctor.Finding `json:"findings"`
	}{r.Path, r.count(doctor.Error), r.count(doctor.Warning), r.Findings})
}
