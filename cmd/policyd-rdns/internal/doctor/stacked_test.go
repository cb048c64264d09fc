package doctor

import (
	"strings"
	"testing"
)

// TestStacked: what else greylists, where our rules have clients come again.
func TestStacked(t *testing.T) {
	const (
		postscreen = "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n"
		behind     = "info postfix.postscreen"
	)
	front := strings.Replace(good, goodServices, postscreen, 1)
	for _, test := range []struct {
		name, postfix string
		want          []string
		id, do        string
	}{
		{"nothing", good, nil, "", ""},
		{"postscreen without deep tests", front + "postscreen_pipelining_enable = no\n", []string{behind}, "", ""},
		{
			"postscreen", front + "postscreen_pipelining_enable = yes\npostscreen_bare_newline_enable = yes\n",
			[]string{behind, "warning greylist.postscreen"},
			"greylist.postscreen", "postconf -e 'postscreen_pipelining_enable = no'\npostconf -e 'postscreen_bare_newline_enable = no'\npostfix reload",
		},
		{
			"in master.cf", strings.Replace(front, "postscreen\n", "postscreen -o postscreen_non_smtp_command_enable=yes\n", 1),
			[]string{behind, "warning greylist.postscreen"},
			"greylist.postscreen", "postconf -P 'smtp/inet/postscreen_non_smtp_command_enable=no'",
		},
		{"tests of no postscreen", good + "postscreen_pipelining_enable = yes\n", nil, "", ""},
		{
			"postgrey", withList(before + "POLICY, check_policy_service inet:127.0.0.1:10023"),
			[]string{"info call.other", "warning greylist.postgrey"},
			"greylist.postgrey", "# take \"check_policy_service inet:127.0.0.1:10023\" out of smtpd_recipient_restrictions\npostfix reload\nsystemctl disable --now postgrey",
		},
		{"postgrey by its own port", withList(before + "POLICY, check_policy_service inet:localhost:60000"), []string{"info call.other", "warning greylist.postgrey"}, "", ""},
		{"postgrey by a socket", withList(before + "POLICY, check_policy_service unix:private/postgrey"), []string{"info call.other", "warning greylist.postgrey"}, "", ""},
		{"postgrey by another socket", withList(before + "POLICY, check_policy_service unix:/var/spool/postfix/postgrey/socket"), []string{"info call.other", "warning greylist.postgrey"}, "", ""},
		{"postgrey in braces", withList(before + "POLICY, check_policy_service { inet:postgrey:10000, timeout=5s }"), []string{"info call.other", "warning greylist.postgrey"}, "", ""},
		{"sqlgrey", withList(before + "POLICY, check_policy_service inet:127.0.0.1:2501"), []string{"info call.other", "warning greylist.sqlgrey"}, "greylist.sqlgrey", "disable --now sqlgrey"},
		{"iRedAPD", withList(before + "POLICY, check_policy_service inet:127.0.0.1:7777"), []string{"info call.other", "info greylist.iredapd"}, "greylist.iredapd", "settings.py"},
		{"another service", withList(before + "POLICY, check_policy_service inet:127.0.0.1:12340"), []string{"info call.other"}, "", ""},
		{"rspamd", good + "smtpd_milters = inet:localhost:8891, inet:localhost:11332\n", []string{"info greylist.rspamd"}, "greylist.rspamd", "enabled = false;"},
		{"rspamd of mailcow", good + "smtpd_milters = inet:rspamd:9900\n", []string{"info greylist.rspamd"}, "", ""},
		{"rspamd by a socket", good + "smtpd_milters = unix:/run/rspamd/milter.sock\n", []string{"info greylist.rspamd"}, "", ""},
		{"rspamd in braces", good + "smtpd_milters = { inet:127.0.0.1:11332, default_action = accept }\n", []string{"info greylist.rspamd"}, "", ""},
		{"rspamd of one service", strings.Replace(good, "smtpd\n", "smtpd -o smtpd_milters=inet:antispam:11332\n", 1), []string{"info greylist.rspamd"}, "", ""},
		{"milter-greylist", good + "smtpd_milters = unix:/run/milter-greylist/milter-greylist.sock\n", []string{"warning greylist.milter-greylist"}, "greylist.milter-greylist", "out of smtpd_milters"},
		{"DKIM", good + "smtpd_milters = inet:localhost:8891\n", nil, "", ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			m, v := wellMachine(test.postfix), view()
			v.Defers = true
			check(t, m, v, test.want, test.id, test.do)
			v.Defers = false
			for _, s := range said(Examine(m, v)) {
				if strings.Contains(s, "greylist") {
					t.Errorf("%s, though our rules have nobody come again", s)
				}
			}
		})
	}
}
