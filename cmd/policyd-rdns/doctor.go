package main

import (
	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/checkup"
)

func newDoctor() *cobra.Command {
	var o checkup.Options
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "look whether Postfix, the DNS and this machine are set up properly",
		Long: `doctor reads what Postfix says of itself (postconf, postconf -M), what systemd,
logrotate and the files say, sends each DNS server five queries and asks the running
daemon once on each of its addresses, and prints what it found: an error has to
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

The request to the daemon is about the client 127.0.0.1; in the decision log it
has instance=policyd-rdns-doctor. The DNS servers are queried for the root zone,
for a name that does not exist (policyd-rdns-doctor.), for what they are
(version.bind), and for the MX hosts of the domains that Postfix takes mail for.

With --json it prints one object: "config", the file; "errors" and "warnings",
how many; "findings", a list of objects with "id", which names the check, "level"
(error, warning, info, ok), "title", "why", and "do", the lines to paste.

Exit status 1 if there is an error.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return checkup.Run(cmd.Context(), &o, cmd.InOrStdin(), cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.Config)
	f.StringVar(&o.Postconf, "postconf", "", "`file` with what postconf, or postconf -n, prints; postconf -M too")
	f.StringVar(&o.MasterCF, "mastercf", "", "`file` with what postconf -M prints, or master.cf itself")
	f.BoolVar(&o.JSON, "json", false, "print JSON")
	return cmd
}
