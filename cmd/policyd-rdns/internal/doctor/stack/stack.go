// Package stack knows the mail systems that write Postfix's configuration themselves, by
// what stands in it, and where a change has to be made in each so that it lasts.
package stack

import (
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// A Stack is a mail system of which Postfix is a part.
type Stack struct {
	Name string
	// Page is the folder of contrib/stacks.
	Page string
	// Where is the place for lines that are to last, and how they come into force.
	Where string
	// Order is what its restrictions have that others have not, and what that does to the
	// daemon; empty: nothing.
	Order string
	// is reports whether Postfix's parameters are its.
	is func(p maincf.Params) bool
}

// stacks are those that are known, the ones whose mark is the surest first.
var stacks = []Stack{
	{
		Name: "mailcow", Page: "mailcow", Where: "data/conf/postfix/extra.cf, then: docker compose restart postfix-mailcow",
		Order: "Its reject_unknown_reverse_client_hostname stands before the call, and has clients without a reverse name come again by itself: the daemon does not see them.",
		is:    names("/opt/postfix/conf/"),
	},
	{
		Name: "docker-mailserver", Page: "docker-mailserver", Where: "user-patches.sh beside postfix-main.cf, then: docker restart of its container",
		Order: "The list grows at each start, by what else is switched on, so that the call is added to what is there.",
		is: func(p maincf.Params) bool {
			return p["dms_smtpd_sender_restrictions"] != "" || names("/tmp/docker-mailserver/")(p)
		},
	},
	{
		Name: "Mailu", Page: "mailu", Where: "overrides/postfix/postfix.cf, one line for each parameter, then: docker compose restart smtp",
		Order: "Its smtpd_client_restrictions end with permit, which ends that list alone: recipient restrictions are looked at all the same.",
		is:    names("socketmap:unix:/tmp/podop.socket"),
	},
	{
		Name: "NixOS", Page: "nixos", Where: "services.postfix in configuration.nix, then: nixos-rebuild switch",
		is: names("/nix/store/"),
	},
	{
		Name: "mail-in-a-box", Page: "mail-in-a-box", Where: "main.cf by tools/editconf.py, again after each upgrade of it",
		Order: "postgrey greylists every new client before the quota service: see what is said of greylisting.",
		is: func(p maincf.Params) bool {
			return names("/etc/postfix/virtual-mailbox-domains.cf")(p) && strings.Contains(p["smtpd_recipient_restrictions"], "inet:127.0.0.1:12340")
		},
	},
	{
		Name: "iRedMail", Page: "iredmail", Where: "main.cf, which an upgrade of it does not write anew",
		Order: "Its iRedAPD is called before reject_unauth_destination; this call belongs behind that.",
		is: func(p maincf.Params) bool {
			return strings.Contains(p["smtpd_recipient_restrictions"], "inet:127.0.0.1:7777") && strings.Contains(p["smtpd_end_of_data_restrictions"], "inet:127.0.0.1:7777")
		},
	},
	{
		Name: "modoboa", Page: "modoboa", Where: "main.cf, and the template of the installer if that is run again",
		Order: "reject_unverified_recipient asks the mailbox server about each recipient; the call stands behind it, so that nobody is looked up for recipients that are not there.",
		is:    names("/etc/postfix/sql-domains.cf"),
	},
	{
		Name: "ISPConfig", Page: "ispconfig", Where: "main.cf, and conf-custom/install/ of ISPConfig, from which an update writes main.cf anew",
		is: names("/etc/postfix/mysql-virtual_"),
	},
}

// names reports whether a parameter names a path, of those that say where domains,
// recipients and certificates are.
func names(path string) func(maincf.Params) bool {
	return func(p maincf.Params) bool {
		for _, name := range []string{
			"virtual_mailbox_domains", "virtual_mailbox_maps", "virtual_alias_maps", "relay_domains", "transport_maps", "podop",
			"smtpd_sender_restrictions", "smtpd_recipient_restrictions", "alias_maps", "daemon_directory", "command_directory",
		} {
			if strings.Contains(p[name], path) {
				return true
			}
		}
		return false
	}
}

// Find gives the stack that a Postfix is part of.
func Find(p maincf.Params) (s *Stack, ok bool) {
	for i := range stacks {
		if stacks[i].is(p) {
			return &stacks[i], true
		}
	}
	return nil, false
}

// All are the stacks that are known.
func All() []Stack { return stacks }

// Check tells of the stack, where changes belong: what postconf -e changes, the stack may
// write anew. called is whether Postfix calls the daemon.
func Check(p maincf.Params, called bool) []finding.Finding {
	s, ok := Find(p)
	if !ok {
		return nil
	}
	f := finding.Finding{
		ID: "postfix.stack", Level: finding.OK, Title: "Postfix is that of " + s.Name + ": lines that are to last go into " + s.Where,
	}
	if called {
		return []finding.Finding{f}
	}
	f.Level, f.Why = finding.Info, strings.TrimSpace("What postconf -e has changed in main.cf, "+s.Name+" may write anew. "+s.Order)
	f.Do = []string{"# see contrib/stacks/" + s.Page + ": the lines, how to look first, how to undo it"}
	return []finding.Finding{f}
}
