package refusal

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/finding"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
)

// compare wants one finding whose level, id and title begin with want, and lines with do in
// them; none if want is empty.
func compare(t *testing.T, got []finding.Finding, want, do string) {
	t.Helper()
	if want == "" && len(got) == 0 {
		return
	}
	if len(got) != 1 {
		t.Errorf("%d findings, %+v; want %q", len(got), got, want)
		return
	}
	said, lines := string(got[0].Level)+" "+got[0].ID+" "+got[0].Title, strings.Join(got[0].Do, "\n")
	if want == "" || !strings.HasPrefix(said, want) || !strings.Contains(lines, do) || (do == "") != (lines == "") {
		t.Errorf("%s, do\n%s\nwant %s, do\n%s", said, lines, want, do)
	}
}

func TestFooter(t *testing.T) {
	for _, test := range []struct {
		footer string
		help   bool
		want   string
		do     string
	}{
		{"", true, "", ""},
		{"Call 0555 01", true, "ok reply.footer smtpd_reject_footer is a line of its own", ""},
		{`\c. Call 0555 01`, false, "ok reply.footer smtpd_reject_footer begins with \\c and stands behind our text, in its line (14 bytes)", ""},
		{`\c. Call 0555 01`, true, "warning reply.footer smtpd_reject_footer begins with \\c: its 14 bytes stand behind our URL", "set Call 0555 01"},
		{`\c; see $server_name ($client_address)\nsecond line`, true, "warning reply.footer smtpd_reject_footer begins with \\c: its 62 bytes stand", "set see $server_name ($client_address)\\nsecond line"},
		{`\c\nCall 0555 01`, true, "ok reply.footer ", ""}, // the URL is the end of its line
		{`\c ${localtime} $(client_port) $recipient`, true, "warning reply.footer smtpd_reject_footer begins with \\c: its 33 bytes", "set ${localtime}"},
	} {
		t.Run(test.footer, func(t *testing.T) {
			compare(t, Footer(test.footer, "mx.example.com", test.help, func(value string) []string { return []string{"set " + value} }), test.want, test.do)
		})
	}
}

const (
	local   = "myhostname = mx.example.com\nmydestination = $myhostname, example.com, localhost\nalias_maps = hash:/etc/aliases\n"
	aliased = "mydestination =\nvirtual_alias_domains = example.net example.org\nvirtual_alias_maps = hash:/etc/postfix/virtual\n"
	hosted  = "mydestination = localhost\nvirtual_mailbox_domains = example.net\nvirtual_mailbox_maps = mysql:/etc/postfix/boxes.cf\nvirtual_alias_maps = proxy:mysql:/etc/postfix/aliases.cf\n"
	relayed = "mydestination =\nrelay_domains = example.net\n"
)

func TestContact(t *testing.T) {
	for _, test := range []struct {
		name, postfix, contact string
		tables                 string // "table key" of what there is; "!table" cannot be asked
		want, do               string
	}{
		{"none", local, "", "", "", ""},
		{"an alias of the host", local, "postmaster", "hash:/etc/aliases postmaster", "ok reply.contact Postfix takes mail to the contact that replies name: postmaster@example.com", ""},
		{"a user of the host", local, "Mail.Help", "proxy:unix:passwd.byname mail.help", "ok reply.contact ", ""},
		{"no alias", local, "postmaster", "", "warning reply.contact Replies name a contact that does not exist: postmaster@example.com and postmaster@mx.example.com", "echo 'postmaster: root' >> /etc/aliases\nnewaliases"},
		{"no alias, of a word that a shell takes apart", local, "o'hara", "", "warning reply.contact ", "# add o'hara@example.com to local_recipient_maps"},
		{"a table that cannot be asked", local, "postmaster", "!hash:/etc/aliases", "info reply.contact Whether there is postmaster@example.com, whom replies name as the contact, is not known: hash:/etc/aliases: gone", ""},
		{"found behind one that cannot be asked", local, "postmaster", "!proxy:unix:passwd.byname, hash:/etc/aliases postmaster", "ok reply.contact ", ""},
		{"all users", local + "local_recipient_maps =\n", "postmaster", "", "ok reply.contact ", ""},
		{"an extension", local + "recipient_delimiter = +\n", "help+rdns", "hash:/etc/aliases help", "ok reply.contact ", ""},
		{"no extensions", local, "help+rdns", "hash:/etc/aliases help", "warning reply.contact ", "help+rdns: root"},
		{"by canonical_maps", local + "canonical_maps = hash:/etc/postfix/canonical\n", "postmaster@example.com", "hash:/etc/postfix/canonical postmaster@example.com", "ok reply.contact ", ""},
		{"one of two domains", aliased, "postmaster", "hash:/etc/postfix/virtual postmaster@example.net", "warning reply.contact Replies name a contact that does not exist: postmaster@example.org", "# add postmaster@example.org to virtual_alias_maps"},
		{"all of a domain", aliased, "postmaster", "hash:/etc/postfix/virtual @example.net, hash:/etc/postfix/virtual @example.org", "ok reply.contact ", ""},
		{"users are none of a virtual domain", aliased, "postmaster@example.net", "hash:/etc/postfix/virtual postmaster", "warning reply.contact ", "# add"},
		{"a mailbox", hosted, "help@example.net", "mysql:/etc/postfix/boxes.cf help@example.net", "ok reply.contact ", ""},
		{"an alias to a mailbox", hosted, "help@example.net", "proxy:mysql:/etc/postfix/aliases.cf help@example.net", "ok reply.contact ", ""},
		{"no mailbox", hosted, "postmaster", "", "warning reply.contact Replies name a contact that does not exist: postmaster@example.net", "# add postmaster@example.net to virtual_mailbox_maps"},
		{"relayed, whoever it is", relayed, "postmaster", "", "ok reply.contact Postfix takes mail to the contact that replies name: postmaster@example.net", ""},
		{"relayed, below", relayed, "help@mail.example.net", "", "ok reply.contact Postfix takes mail to the contact that replies name: help@mail.example.net", ""},
		{"relayed to those in a table", relayed + "relay_recipient_maps = hash:/etc/postfix/r\n", "postmaster", "", "warning reply.contact ", "to relay_recipient_maps"},
		{"elsewhere", local, "help@example.org", "", "ok reply.contact The contact of replies, help@example.org, is on another host", ""},
		{"perhaps in a table", local + "relay_domains = mysql:/etc/postfix/relay.cf\n", "help@example.org", "", "info reply.contact Whether there is the contact of replies, help@example.org, was not looked for: the domains are in mysql:/etc/postfix/relay.cf", ""},
		{"all domains in tables", "mydestination = localhost\nvirtual_mailbox_domains = mysql:/etc/postfix/d.cf\n", "postmaster", "", "info reply.contact Whether there is the contact", ""},
		{"ten domains of the same kind", "mydestination =\nvirtual_mailbox_maps = hash:/b\nvirtual_mailbox_domains = " + strings.Join(numbered(10), " ") + "\n", "postmaster", "", "warning reply.contact Replies name a contact that does not exist: postmaster@d0.example, postmaster@d1.example, postmaster@d2.example and 7 more", "# add"},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := maincf.Params(maincf.ParsePostfix(test.postfix).Values)
			found := map[machine.Lookup]machine.LookedUp{}
			for _, l := range Wanted(p, test.contact) {
				words := strings.Split(test.tables, ", ")
				found[l] = machine.LookedUp{Found: slices.Contains(words, l.Table+" "+l.Key)}
				if slices.Contains(words, "!"+l.Table) {
					found[l] = machine.LookedUp{Unread: "gone"}
				}
			}
			compare(t, Contact(p, test.contact, found), test.want, test.do)
			if got := Contact(p, test.contact, nil); len(Wanted(p, test.contact)) > 0 && got != nil {
				t.Errorf("nothing was looked up, and it says %+v", got)
			}
		})
	}
}

func numbered(n int) (domains []string) {
	for i := range n {
		domains = append(domains, fmt.Sprintf("d%d.example", i))
	}
	return domains
}

// TestWantedBounds: however many domains there are, few are looked up.
func TestWantedBounds(t *testing.T) {
	p := maincf.Params{"virtual_mailbox_domains": strings.Join(numbered(500), " "), "virtual_mailbox_maps": "hash:/b"}
	if got := len(Wanted(p, "postmaster")); got != 2*maxDomains {
		t.Errorf("%d lookups; want %d", got, 2*maxDomains)
	}
	if got := Wanted(p, ""); got == nil || len(got) != 0 {
		t.Errorf("without a contact: %v; want none, and not nil", got)
	}
}
