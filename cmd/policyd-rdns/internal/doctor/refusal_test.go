package doctor

import (
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
)

// TestRefusal: what keeps those who are refused from doing what the reply says.
func TestRefusal(t *testing.T) {
	const ours = "mydestination = example.com\nalias_maps = hash:/etc/aliases\n"
	for _, test := range []struct {
		name, postfix string
		want          []string
		id, do        string
	}{
		{"nothing", ours + good, nil, "", ""},
		{
			"Debian as it comes", "mydestination = $myhostname, example.com, localhost.example.com, localhost\nalias_maps = hash:/etc/aliases\nsmtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination\nsmtpd_reject_footer =\nrecipient_delimiter = +\n" + good,
			nil, "", "",
		},
		{
			"a footer in the line", ours + good + "smtpd_reject_footer = \\c. Call 0555 01\n",
			[]string{"warning reply.footer"},
			"reply.footer", "postconf -e 'smtpd_reject_footer = Call 0555 01'",
		},
		{
			"of one service", ours + strings.Replace(good, " smtpd\n", " smtpd -o smtpd_reject_footer=\\c.\n", 1), []string{"warning reply.footer"}, "reply.footer", "postconf -P 'smtp/inet/smtpd_reject_footer='",
		},
		{"a footer below", ours + good + "smtpd_reject_footer = Call 0555 01\n", nil, "reply.footer", ""},
		{
			"a block list behind", ours + withList(before+"POLICY, reject_rbl_client bl.example.org, reject_non_fqdn_helo_hostname"),
			[]string{"info reply.contact-refused"},
			"reply.contact-refused", "default_action=DUNNO }, check_recipient_access inline:{postmaster@=permit_auth_destination}, reject_rbl_client bl.example.org, reject_non_fqdn_helo_hostname'",
		},
		{
			"reverse names, in another list", ours + good + "smtpd_client_restrictions = permit_mynetworks, reject_unknown_client_hostname\n",
			[]string{"warning reply.contact-refused"},
			"reply.contact-refused", "postconf -e 'smtpd_client_restrictions = permit_mynetworks, check_recipient_access inline:{postmaster@=permit_auth_destination}, reject_unknown_client_hostname'",
		},
		{
			"in a class", ours + withList("smtpd_restriction_classes = strict\nstrict = reject_unknown_reverse_client_hostname\n"+before+"POLICY, strict"),
			[]string{"warning reply.contact-refused"},
			"reply.contact-refused", "permit_auth_destination}, strict'",
		},
		{"let pass, as proposed", ours + withList(before+"POLICY, check_recipient_access inline:{postmaster@=permit_auth_destination}, reject_rbl_client bl.example.org"), nil, "", ""},
		{"let pass behind it", ours + withList(before+"POLICY, reject_rbl_client bl.example.org, check_recipient_access inline:{postmaster@=OK}"), []string{"info reply.contact-refused"}, "", ""},
		{"let pass, perhaps", ours + withList(before+"POLICY, check_recipient_access mysql:/etc/postfix/r.cf, reject_rbl_client bl.example.org"), nil, "", ""},
		{"only a warning", ours + withList(before+"POLICY, warn_if_reject reject_rbl_client bl.example.org"), nil, "", ""},
		{"behind the end", ours + withList(before+"POLICY, permit, reject_rbl_client bl.example.org"), nil, "", ""},
		{"by sender", ours + withList(before+"reject_unknown_sender_domain, reject_non_fqdn_sender, POLICY"), nil, "", ""},
		{"without tables in main.cf", ours + "mail_version = 2.10.1\nsmtpd_client_restrictions = reject_rbl_client bl.example.org\n", nil, "", ""}, // and no call
	} {
		t.Run(test.name, func(t *testing.T) {
			m, v := wellMachine(test.postfix), view()
			v.Contact, v.Help = "postmaster", "https://mx.example.com/help"
			m.Lookups = map[machine.Lookup]machine.LookedUp{}
			for _, table := range []string{"proxy:unix:passwd.byname", "hash:/etc/aliases"} {
				for _, at := range []string{"", "@example.com", "@mx.example.com"} {
					m.Lookups[machine.Lookup{Table: table, Key: "postmaster" + at}] = machine.LookedUp{Found: table == "hash:/etc/aliases" && at == ""}
				}
			}
			got := Examine(m, v)
			var about []string
			for _, s := range said(got) {
				if strings.Contains(s, " reply.") {
					about = append(about, s)
				}
			}
			if !slices.Equal(about, test.want) || test.id != "" && !strings.Contains(do(got, test.id), test.do) {
				t.Errorf("findings = %q; want %q; %s: do\n%s\nwant\n%s", about, test.want, test.id, do(got, test.id), test.do)
			}
		})
	}
}
