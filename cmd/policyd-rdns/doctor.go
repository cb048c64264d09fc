package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/hostname"
)

// doctorOptions are the flags of doctor.
type doctorOptions struct {
	config   string
	postconf string
	mastercf string
	json     bool
}

func newDoctor() *cobra.Command {
	var o doctorOptions
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "look whether Postfix, the DNS and this machine are set up properly",
		Long: `doctor reads what Postfix says of itself (postconf, postconf -M), what systemd,
logrotate and the files say, asks each DNS server five questions and the running
daemon one on each of its addresses, and prints what it found: an error has to
be mended, a warning should be, then what there is to know, and what is well.
With each come the lines to paste. It changes nothing. It goes through Postfix's
restrictions as a stranger's mail does, one by one: all is well only if that
would be judged.

Run it as root on the mail host. MAIL_CONFIG names another instance of Postfix,
as for Postfix's own commands. Where Postfix runs elsewhere, take its output
along:

  { postconf -x; postconf -M; } > postfix.txt
  policyd-rdns doctor -c config.toml --postconf postfix.txt

Without -c it looks at the file with which the systemd unit runs.

The question to the daemon is about the client 127.0.0.1; in the decision log it
has instance=policyd-rdns-doctor. The DNS servers are asked for the root zone,
for a name that does not exist (policyd-rdns-doctor.), for what they are
(version.bind), and for the MX hosts of the domains that Postfix takes mail for.

With --json it prints one object: "config", the file; "errors" and "warnings",
how many; "findings", a list of objects with "id", which names the check, "level"
(error, warning, info, ok), "title", "why", and "do", the lines to paste.

Exit status 1 if there is an error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return runDoctor(cmd.Context(), o, cmd.InOrStdin(), cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.postconf, "postconf", "", "`file` with what postconf, or postconf -n, prints; postconf -M too")
	f.StringVar(&o.mastercf, "mastercf", "", "`file` with what postconf -M prints, or master.cf itself")
	f.BoolVar(&o.json, "json", false, "print JSON")
	return cmd
}

// doctorEntries is enough for the MX hosts of the domains that Postfix takes mail for.
const doctorEntries = 1000

func runDoctor(ctx context.Context, o doctorOptions, stdin io.Reader, stdout io.Writer) error {
	read, err := o.postfix(stdin)
	if err != nil {
		return err
	}
	system := machine.NewSystem()
	unit := system.Unit(ctx)
	path := o.config
	if path == "" {
		path = unit.Config // empty if there is no unit
	}
	conf, err := config.Load(path)
	if err != nil {
		return err
	}
	servers, err := conf.DNSServers()
	if err != nil {
		return err
	}
	view := doctorView(conf, config.FindHost())
	dns, err := conf.NewResolver(doctorEntries)
	if err != nil {
		return err
	}
	defer dns.Close()
	system.Mail = dns
	m := doctor.Read(ctx, system, doctor.Wanted{Postfix: read, Unit: unit, View: view, Servers: servers})
	report := doctorReport{path, m.Postfix.Folder(), doctor.Examine(&m, view)}
	if o.json {
		err = report.json(stdout)
	} else {
		err = report.print(stdout, plain.PaintFor(stdout))
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
func (o *doctorOptions) postfix(stdin io.Reader) (*maincf.Postfix, error) {
	if o.postconf == "" && o.mastercf == "" {
		return nil, nil
	}
	if o.postconf == "" {
		return nil, exit.Usage(fmt.Errorf("--mastercf %.60q: want --postconf FILE too", o.mastercf))
	}
	var texts []string
	for _, path := range []string{o.postconf, o.mastercf} {
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

// doctorView is what doctor needs to know of a configuration.
func doctorView(c *config.Config, h config.Host) *doctor.View {
	return &doctor.View{
		Path:        c.Path,
		Listen:      c.Server.Listen,
		Deadline:    c.Server.Deadline,
		Connections: c.Server.Connections,
		Descriptors: daemon.Descriptors(c),
		Networks:    c.Server.Networks,
		OwnNames:    c.HELO.OwnNames,
		LogFile:     c.Log.File,
		Builtin:     c.Builtin,
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

// doctorReport is what doctor found.
type doctorReport struct {
	path     string
	folder   string // of Postfix, if it is not the usual one
	findings []doctor.Finding
}

func (r *doctorReport) count(level doctor.Level) int {
	n := 0
	for _, f := range r.findings {
		if f.Level == level {
			n++
		}
	}
	return n
}

// json is the report for programs. Its form is stable: fields are added, never
// renamed.
func (r *doctorReport) json(out io.Writer) error {
	enc := json.NewEncoder(out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(struct {
		Config   string           `json:"config"`
		Errors   int              `json:"errors"`
		Warnings int              `json:"warnings"`
		Findings []doctor.Finding `json:"findings"`
	}{r.path, r.count(doctor.Error), r.count(doctor.Warning), r.findings})
}
