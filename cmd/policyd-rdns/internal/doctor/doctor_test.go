package doctor

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/maincf"
	"policyd-rdns/resolver"
)

// goodServices and good are a Postfix that is set up well.
const (
	goodServices = "smtp inet n - y - - smtpd\n"
	good         = `mail_version = 3.7.11
compatibility_level = 3.6
myhostname = mx.example.com
mydomain = example.com
mynetworks = 127.0.0.0/8 [::1]/128
smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }
` + goodServices
)

// main is a Postfix with other restrictions; each "POLICY" is the proper call.
func withList(list string) string {
	return strings.Replace(good, "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }\n",
		strings.ReplaceAll(list, "POLICY", "check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }")+"\n", 1)
}

const before = "smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unlisted_recipient, "

// view is a configuration of the daemon.
func view() *View {
	own := netip.MustParseAddr("198.51.100.25")
	return &View{
		Listen: []string{"127.0.0.1:10040"}, Deadline: 5 * time.Second, Connections: 2000, Descriptors: 2600, Builtin: true,
		OwnNames:   []string{"mx.example.com", "example.com"},
		OwnsClient: func(a netip.Addr) bool { return a == own },
		OwnsName:   func(name string) bool { return name == "mx.example.com" || name == "example.com" },
	}
}

// machine is one on which all is well but for its Postfix.
func wellMachine(postfix string) *machine.Machine {
	return &machine.Machine{
		Postfix: maincf.ParsePostfix(postfix),
		Account: machine.Account{Name: "postfix", UID: 101, GIDs: []int{101}},
		Servers: []machine.Server{{Addr: netip.MustParseAddrPort("127.0.0.1:53"), Examination: resolver.Examination{
			Took: time.Millisecond, Recursive: true, Validates: true, Negative: time.Minute,
		}}},
		Unit:    machine.Unit{Loaded: true, Active: "active", Enabled: "enabled", PID: 100},
		Process: machine.Process{UID: 65000, Descriptors: 8192},
		Answers: []machine.Answer{{Address: "127.0.0.1:10040", Action: "DUNNO", Took: time.Millisecond}},
	}
}

// said are the findings that are not OK, as "level id".
func said(findings []Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Level != OK {
			all = append(all, string(f.Level)+" "+f.ID)
		}
	}
	return all
}

// do are the lines of a finding.
func do(findings []Finding, id string) string {
	i := slices.IndexFunc(findings, func(f Finding) bool { return f.ID == id })
	if i < 0 {
		return "(no finding " + id + ")"
	}
	return strings.Join(findings[i].Do, "\n")
}

// check compares what is said of a machine, and what to do about one thing.
func check(t *testing.T, m *machine.Machine, v *View, want []string, id, wantDo string) {
	t.Helper()
	got := Examine(m, v)
	if !slices.Equal(said(got), want) {
		t.Errorf("findings = %q; want %q", said(got), want)
	}
	if id != "" && !strings.Contains(do(got, id), wantDo) {
		t.Errorf("%s: do\n%s\nwant\n%s", id, do(got, id), wantDo)
	}
	for _, f := range got {
		if f.Level == Error && len(f.Do) == 0 && f.ID != "call.missing" && f.ID != "dns.recursion" {
			t.Errorf("%s is an error, and there is nothing to do", f.ID)
		}
	}
}

// TestGood: where all is well nothing else is said.
func TestGood(t *testing.T) {
	got := Examine(wellMachine(good), view())
	if len(said(got)) > 0 || Worst(got) != OK || len(got) < 6 {
		t.Errorf("findings = %q, worst %s; want only OK, at least six", said(got), Worst(got))
	}
}

// TestWiring: where Postfix calls the daemon, and where it should.
func TestWiring(t *testing.T) {
	for _, test := range []struct {
		name    string
		postfix string
		want    []string
		id      string
		do      string
	}{
		{
			"nothing read", "",
			[]string{"error postfix.read"},
			"postfix.read", "policyd-rdns doctor --postconf postfix.txt",
		},
		{
			"no list", withList(""),
			[]string{"error call.missing"},
			"call.missing", "postconf -e 'smtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }'",
		},
		{
			"not called", withList("smtpd_recipient_restrictions = reject_unauth_destination, check_client_access hash:/etc/postfix/c, permit"),
			[]string{"error call.missing"},
			"call.missing", "= reject_unauth_destination, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, check_client_access hash:/etc/postfix/c, permit'",
		},
		{
			"another port", withList(before + "check_policy_service inet:127.0.0.1:10023"),
			[]string{"error call.missing", "info call.other"},
			"call.missing", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, check_policy_service inet:127.0.0.1:10023'",
		},
		{
			"dead", withList(before + "permit, POLICY"),
			[]string{"error call.missing", "error call.dead"},
			"call.dead", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, permit'",
		},
		{
			"dead in capitals", withList(before + "REJECT POLICY"), []string{"error call.missing", "error call.dead"}, "", "",
		},
		{
			"not dead behind a warning", withList(before + "warn_if_reject reject POLICY"), nil, "", "",
		},
		{
			"relay first", withList("compatibility_level = 2\nsmtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated reject_unlisted_recipient POLICY reject_unauth_destination"),
			[]string{"warning call.before-relay-check"},
			"call.before-relay-check", "= permit_mynetworks, permit_sasl_authenticated, reject_unlisted_recipient, reject_unauth_destination, check_policy_service {",
		},
		{
			// The list for relaying is looked at later there.
			"relay restrictions later", withList("compatibility_level = 2\nsmtpd_recipient_restrictions = permit_mynetworks, reject_unlisted_recipient, POLICY"),
			[]string{"warning call.before-relay-check", "info call.no-permit"},
			"call.no-permit", "= permit_mynetworks, reject_unlisted_recipient, permit_sasl_authenticated, reject_unauth_destination, check_policy_service {",
		},
		{
			// From level 3.6 on the relay restrictions come first.
			"relay restrictions first", withList("smtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated reject_unlisted_recipient POLICY"), nil, "", "",
		},
		{
			"before the permits", withList("smtpd_recipient_restrictions = reject_unlisted_recipient POLICY permit_mynetworks permit_sasl_authenticated reject_unauth_destination"),
			[]string{"warning call.before-permit"},
			"call.before-permit", "= reject_unlisted_recipient, permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, check_policy_service {",
		},
		{
			"no permits", withList("smtpd_client_restrictions = POLICY"),
			[]string{"info call.no-permit", "info call.unlisted"},
			"call.no-permit", "= permit_mynetworks, permit_sasl_authenticated, reject_unlisted_recipient, check_policy_service {",
		},
		{
			"twice", withList(before + "POLICY POLICY"), []string{"warning call.twice"}, "call.twice", before + "check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }'",
		},
		{
			"two stages", withList("smtpd_helo_restrictions = permit_mynetworks permit_sasl_authenticated POLICY\n" + before + "POLICY"),
			[]string{"warning call.twice"},
			"call.twice", "postconf -e 'smtpd_helo_restrictions = permit_mynetworks, permit_sasl_authenticated'",
		},
		{
			"data", withList("smtpd_data_restrictions = permit_mynetworks permit_sasl_authenticated POLICY"),
			[]string{"warning call.data"},
			"call.data", "postconf -e 'smtpd_data_restrictions = permit_mynetworks, permit_sasl_authenticated'\npostconf -e 'smtpd_recipient_restrictions = permit_mynetworks, ",
		},
		{
			"etrn", withList("smtpd_etrn_restrictions = permit_mynetworks permit_sasl_authenticated POLICY"), []string{"error call.missing", "info call.etrn"}, "", "",
		},
		{
			"warn only", withList(before + "warn_if_reject POLICY"), []string{"warning call.warn-only"}, "call.warn-only", "reject_unlisted_recipient, check_policy_service {",
		},
		{
			"unlisted", withList("smtpd_recipient_restrictions = permit_mynetworks permit_sasl_authenticated reject_unauth_destination POLICY"),
			[]string{"info call.unlisted"},
			"call.unlisted", "reject_unauth_destination, reject_unlisted_recipient, check_policy_service {",
		},
		{
			"by a name of a parameter", withList("own = permit_mynetworks, permit_sasl_authenticated,\n reject_unauth_destination reject_unlisted_recipient\nwhere = inet:127.0.0.1:10040\nsmtpd_recipient_restrictions = $own,\n  # and\n  check_policy_service { ${where}, timeout = 10s, default_action=DUNNO }"),
			// "timeout = 10s" is three words to Postfix.
			[]string{"error call.syntax"},
			"call.syntax", "= $own, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }'",
		},
		{
			"in a class", withList("smtpd_restriction_classes = judged\njudged = POLICY\n" + before + "judged"), nil, "", "",
		},
		{
			"a class that permits", withList("smtpd_restriction_classes = judged\njudged = permit\n" + before + "judged POLICY"),
			[]string{"error call.missing", "error call.dead"},
			"", "",
		},
		{
			"a permit for our domains", withList("smtpd_recipient_restrictions = permit_mynetworks, permit_auth_destination, permit_sasl_authenticated, reject_unlisted_recipient, POLICY, reject"),
			[]string{"error call.missing", "error call.dead"},
			"call.dead", "= permit_mynetworks, permit_sasl_authenticated, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, permit_auth_destination, reject_unlisted_recipient, reject'",
		},
		{
			// Relaying is refused by that list alone here.
			"a permit for our domains, at level 2", withList("compatibility_level = 2\nsmtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks, permit_auth_destination, POLICY, reject"),
			[]string{"error call.missing", "error call.dead"},
			"call.dead", "= permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, permit_auth_destination, reject'",
		},
		{
			"one of two domains", withList("mydestination = example.com, example.net\n" + before + "check_recipient_access inline:{example.net=OK}, POLICY"),
			[]string{"warning call.missing"},
			"", "",
		},
		{
			"half of the world", withList(before + "check_client_access cidr:{{::/0 OK}}, POLICY"),
			[]string{"error call.missing", "error call.dead"},
			"call.dead", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, check_client_access cidr:{{::/0 OK}}'",
		},
		{
			"a table of exceptions", withList(before + "check_client_access inline:{192.0.2=OK}, POLICY, check_client_access hash:/etc/postfix/c"), nil, "", "",
		},
		{
			"tables that cannot be read", withList(before + "check_client_access hash:/etc/postfix/friends, check_sender_access mysql:/etc/postfix/s.cf POLICY"),
			[]string{"info call.unread-table"},
			"", "",
		},
		{
			"a class that a table names", withList("smtpd_restriction_classes = judged\njudged = POLICY\n" + before + "check_recipient_access hash:/etc/postfix/wanted"),
			[]string{"info call.by-table"},
			"", "",
		},
		{
			"a class that another service names", withList("smtpd_restriction_classes = judged\njudged = POLICY\n" + before + "check_policy_service inet:127.0.0.1:10041"),
			[]string{"info call.by-table", "info call.other"},
			"", "",
		},
		{
			"a class that a table names for a domain", withList("mydestination = example.com\nsmtpd_restriction_classes = judged\njudged = POLICY\n" + before + "check_recipient_access inline:{example.com=judged}"), nil, "", "",
		},
		{
			"a class that nobody names", withList("smtpd_restriction_classes = judged\njudged = POLICY\n" + before + "reject_non_fqdn_sender"),
			[]string{"error call.missing"},
			"", "",
		},
		{
			"closed by a list for clients", good + "10587 inet n - n - - smtpd -o smtpd_recipient_restrictions= -o smtpd_client_restrictions=permit_sasl_authenticated,reject\n", nil, "", "",
		},
		{
			"closed by a list for relaying", good + "2528 inet n - n - - smtpd -o smtpd_recipient_restrictions= -o smtpd_relay_restrictions=permit_tls_clientcerts,reject\n", nil, "", "",
		},
		{
			"closed by a table", good + "2529 inet n - n - - smtpd -o { smtpd_client_restrictions = permit_mynetworks, check_client_access static:{550 users only} } -o smtpd_recipient_restrictions=\n", nil, "", "",
		},
		{
			"no service for strangers", strings.Replace(good, goodServices, "pickup unix n - y 60 1 pickup\n", 1),
			[]string{"error call.nobody"},
			"call.nobody", "# doctor is for the Postfix that takes mail",
		},
		{
			"all are refused", withList("smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, reject\n" + before + "POLICY"),
			[]string{"error call.nobody"},
			"", "",
		},
		{
			// The name of a port closes nothing.
			"submission for all", good + "submission inet n - y - - smtpd -o smtpd_recipient_restrictions=permit_sasl_authenticated,reject_unauth_destination\n",
			[]string{"warning call.missing"},
			"call.missing", "postconf -P 'submission/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,reject_unauth_destination,check_policy_service,{inet:127.0.0.1:10040,timeout=10s,default_action=DUNNO}'",
		},
		{
			"no refusal to relay", withList("smtpd_relay_restrictions =\nsmtpd_recipient_restrictions = permit_mynetworks, reject_unlisted_recipient, POLICY"),
			[]string{"error postfix.relay", "info call.no-permit"},
			"postfix.relay", "= permit_mynetworks, reject_unlisted_recipient, permit_sasl_authenticated, reject_unauth_destination, check_policy_service {",
		},
		{
			"a refusal to relay that is only logged", withList("smtpd_relay_restrictions = permit_mynetworks, warn_if_reject reject_unauth_destination, permit\nsmtpd_recipient_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unlisted_recipient, POLICY"),
			[]string{"error postfix.relay"},
			"postfix.relay", "postconf -e 'smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination'",
		},
		{
			"an argument without its restriction", withList(before + "POLICY, check_client_access, cidr:/etc/postfix/c, timeout=10s"),
			[]string{"error postfix.restriction"},
			"postfix.restriction", "default_action=DUNNO }, check_client_access cidr:/etc/postfix/c'",
		},
		{
			"restrictions that are none", withList("smtpd_recipient_restrictions = \"permit_mynetworks\", permit_sasl_authenticated; reject_unauth_destinations, { reject_unlisted_recipient, reject_non_fqdn_sender }, undeclared, inet:127.0.0.1:10041, POLICY"),
			[]string{"error postfix.restriction"},
			"postfix.restriction", "= permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, reject_non_fqdn_sender'",
		},
		{
			"a restriction of a later Postfix", withList("mail_version = 3.99.1\n" + before + "reject_something_new, POLICY"),
			nil, "", "",
		},
		{
			"without braces", withList(before + "check_policy_service inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO, reject_rbl_client bl.example.org"),
			[]string{"error call.syntax"},
			"call.syntax", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, reject_rbl_client bl.example.org'",
		},
		{
			"another service's call that ends smtpd", withList(before + "check_policy_service 127.0.0.1:10023, POLICY"),
			[]string{"error call.syntax"},
			"call.syntax", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }'",
		},
		{
			"behind a DNS allow list", withList(before + "permit_dnswl_client wl.example.org, POLICY"),
			[]string{"warning call.softened"},
			"call.softened", "reject_unlisted_recipient, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, permit_dnswl_client wl.example.org'",
		},
		{
			"behind a DNS allow list that comes first", withList("smtpd_recipient_restrictions = permit_dnswl_client wl.example.org, permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, reject_unlisted_recipient, POLICY"),
			[]string{"warning call.softened"},
			"call.softened", "# put the call before permit_dnswl_client",
		},
		{
			"an address family that Postfix leaves out", withList("inet_protocols = ipv6\n" + before + "POLICY"),
			[]string{"error call.missing", "error call.family"},
			"call.family", "postconf -e 'inet_protocols = all'",
		},
		{
			"a class in a circle", withList("smtpd_restriction_classes = a b\na = b b\nb = a a\n" + before + "a POLICY"), nil, "", "",
		},
		{
			"one way in of two", good + "192.0.2.25:2525 inet n - y - - smtpd\n  -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination\n",
			[]string{"warning call.missing"},
			"call.missing",
			"postconf -P '192.0.2.25:2525/inet/smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination,check_policy_service,{inet:127.0.0.1:10040,timeout=10s,default_action=DUNNO}'",
		},
		{
			"filter", good + "127.0.0.1:10025 inet n - n - 10 smtpd -o content_filter= -o { smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO } }\n",
			[]string{"warning call.filter-port"},
			"call.filter-port",
			"postconf -P '127.0.0.1:10025/inet/smtpd_recipient_restrictions=permit_mynetworks,reject'",
		},
		{
			// What is in main.cf holds on the filter's port too, and lets it pass.
			"filter that inherits", good + "127.0.0.1:10025 inet n - n - 10 smtpd -o content_filter=\n", nil, "", "",
		},
		{
			"submission", good + "submission inet n - y - - smtpd -o smtpd_recipient_restrictions=check_policy_service,inet:127.0.0.1:10040,permit_sasl_authenticated,reject\n",
			[]string{"warning call.before-permit", "warning call.default-action", "warning call.timeout"},
			"call.before-permit",
			"postconf -P 'submission/inet/smtpd_recipient_restrictions=permit_sasl_authenticated,check_policy_service,{inet:127.0.0.1:10040,timeout=10s,default_action=DUNNO},reject'",
		},
		{
			// A value with spaces in it is beyond postconf -P.
			"by hand", good + "submission inet n - y - - smtpd -o { smtpd_recipient_restrictions = check_policy_service { inet:127.0.0.1:10040, timeout=10s, { default_action = DEFER 4.3.5 no } } permit_sasl_authenticated }\n",
			[]string{"warning call.before-permit", "info call.default-action"},
			"call.before-permit",
			"# in master.cf, below submission/inet, for what is there of smtpd_recipient_restrictions:\n  -o { smtpd_recipient_restrictions = permit_sasl_authenticated, check_policy_service { inet:127.0.0.1:10040, timeout=10s, { default_action = DEFER 4.3.5 no } } }",
		},
		{
			"postscreen", withList(before+"POLICY") + "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n", []string{"info postfix.postscreen"}, "", "",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, wellMachine(test.postfix), view(), test.want, test.id, test.do)
		})
	}
}

// TestOptions: how Postfix calls the daemon.
func TestOptions(t *testing.T) {
	for _, test := range []struct {
		call string
		want []string
		id   string
		do   string
	}{
		{"inet:127.0.0.1:10040", []string{"warning call.default-action", "warning call.timeout"}, "call.timeout", "{ inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }"},
		{"inet:10040", []string{"warning call.default-action", "warning call.timeout", "info call.name"}, "call.name", "{ inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }"},
		{"{ inet:localhost:10040, timeout=20, default_action=DUNNO }", []string{"info call.name"}, "call.name", "{ inet:127.0.0.1:10040, timeout=20, default_action=DUNNO }"},
		{"{ inet:127.0.0.1:10040 timeout=5s default_action=DUNNO policy_context=mx }", []string{"error call.timeout"}, "call.timeout", "{ inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO, policy_context=mx }"},
		{"{ inet:127.0.0.1:10040, timeout=ten, default_action=DUNNO }", []string{"error call.timeout"}, "", ""},
		{"{ inet:127.0.0.1:10040, timeout=2m, default_action=DUNNO }", []string{"info call.timeout"}, "", ""},
		{"{ inet:127.0.0.1:10040, timeout=10s, default_action=OK }", []string{"error call.default-action"}, "call.default-action", "default_action=DUNNO"},
		{"{ inet:127.0.0.1:10040, timeout=10s, default_action=550 }", []string{"error call.default-action"}, "", ""},
		{"{ inet:127.0.0.1:10040, timeout=10s, { default_action = 550 5.7.1 no } }", []string{"error call.default-action"}, "", ""},
		{"{ inet:127.0.0.1:10040, timeout=10s, { default_action = DEFER_IF_PERMIT 4.3.5 later } }", []string{"info call.default-action"}, "", ""},
		{"{ inet:127.0.0.1:10040, timeout=10s, default_action=DEFER 4.3.5 later }", []string{"error call.syntax", "info call.default-action"}, "", ""},
		{"{ inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO, retries=3 }", []string{"error call.syntax"}, "call.syntax", "default_action=DUNNO }"},
		{"{ inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO, request_limit=1 }", []string{"info call.request-limit"}, "call.request-limit", "default_action=DUNNO }"},
	} {
		t.Run(test.call, func(t *testing.T) {
			want := test.want
			if slices.Contains(want, "error call.syntax") {
				want = []string{"error call.syntax"} // of a call that cannot be read nothing else is said
			}
			check(t, wellMachine(withList(before+"check_policy_service "+test.call)), view(), want, test.id, test.do)
		})
	}
}

// TestVersions: what an older Postfix cannot do.
func TestVersions(t *testing.T) {
	old := strings.NewReplacer("3.7.11", "2.11.3", "compatibility_level = 3.6\n", "").Replace(good)
	check(t, wellMachine(old), view(), []string{"error call.braces"}, "call.braces",
		"reject_unlisted_recipient, check_policy_service inet:127.0.0.1:10040'\npostconf -e 'smtpd_policy_service_timeout = 10s'")
	bare := strings.Replace(old, "{ inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }", "inet:127.0.0.1:10040", 1)
	check(t, wellMachine(bare), view(), []string{"info call.default-action", "warning call.timeout"}, "call.timeout", "postconf -e 'smtpd_policy_service_timeout = 10s'")
	check(t, wellMachine(bare+"smtpd_policy_service_timeout = 20s\n"), view(), []string{"info call.default-action"}, "", "")
}

// TestParameters: what else in Postfix changes what the daemon sees or does.
func TestParameters(t *testing.T) {
	for _, test := range []struct {
		name    string
		postfix string
		want    []string
		id      string
		do      string
	}{
		{"defaults for all", withList(before + "check_policy_service inet:127.0.0.1:10040\nsmtpd_policy_service_timeout = 10s\nsmtpd_policy_service_default_action = DUNNO"), nil, "", ""},
		{
			"no delay", withList("smtpd_delay_reject = no\nsmtpd_client_restrictions = permit_mynetworks permit_sasl_authenticated POLICY"),
			[]string{"error postfix.delay-reject"},
			"postfix.delay-reject", "postconf -e 'smtpd_delay_reject = yes'",
		},
		{
			"no delay, and a permit for our domains", withList("smtpd_delay_reject = no\nsmtpd_client_restrictions = permit_mynetworks permit_sasl_authenticated permit_auth_destination POLICY"),
			[]string{"error postfix.delay-reject"},
			"postfix.delay-reject", "postconf -e 'smtpd_client_restrictions = permit_mynetworks, permit_sasl_authenticated, check_policy_service { inet:127.0.0.1:10040, timeout=10s, default_action=DUNNO }, permit_auth_destination'",
		},
		{"no delay, at the recipient", good + "smtpd_delay_reject = no\n", nil, "", ""},
		{"no names", good + "smtpd_peername_lookup = no\n", []string{"info postfix.peername"}, "", ""},
		{"soft", good + "smtp inet n - y - - smtpd -o soft_bounce=yes\n", []string{"warning postfix.soft-bounce"}, "postfix.soft-bounce", "postconf -P 'smtp/inet/soft_bounce=no'"},
		{"XCLIENT", good + "smtpd_authorized_xclient_hosts = 192.0.2.7\n", []string{"info postfix.xclient"}, "", ""},
		{"XCLIENT for all", good + "smtpd_authorized_xclient_hosts = 0.0.0.0/0\n", []string{"error postfix.xclient"}, "postfix.xclient", "postconf -e 'smtpd_authorized_xclient_hosts = '"},
		{"proxy", good + "smtpd_upstream_proxy_protocol = haproxy\n", []string{"info postfix.proxy"}, "", ""},
		{
			"proxy behind postscreen", strings.Replace(good, goodServices, "smtp inet n - y - 1 postscreen\nsmtpd pass - - y - - smtpd\n", 1) + "smtpd_upstream_proxy_protocol = haproxy\n",
			[]string{"error postfix.proxy", "info postfix.postscreen"},
			"postfix.proxy", "postconf -P 'smtpd/pass/smtpd_upstream_proxy_protocol='",
		},
		{"many processes", good + "default_process_limit = 2500\n", []string{"warning limits.connections"}, "limits.connections", "max_connections = 2700"},
		{"any number of processes", strings.Replace(good, "n - y - - smtpd", "n - y - 0 smtpd", 1), []string{"warning limits.connections"}, "", ""},
		{"networks of NAT64", good + "mynetworks = 127.0.0.0/8 [64:ff9b::192.0.2.0]/120 [64:ff9b::198.51.100.25]\n", []string{"info own.networks"}, "own.networks", `networks = ["192.0.2.0/24"]`},
		{"networks", good + "mynetworks = 127.0.0.0/8 [::ffff:127.0.0.0]/104 192.0.2.0/24 198.51.100.25 !192.0.2.9 [2001:db8::]/32\n", []string{"info own.networks"}, "own.networks", `networks = ["192.0.2.0/24", "2001:db8::/32"]`},
		{
			"networks of the whole world", good + "mynetworks = 127.0.0.0/8 0.0.0.0/0 192.0.2.0/24\n",
			[]string{"error call.missing", "error call.dead", "error postfix.mynetworks", "info own.networks"},
			"postfix.mynetworks", "postconf -e 'mynetworks = 127.0.0.0/8, 192.0.2.0/24'",
		},
		{
			"networks too wide", good + "mynetworks = 127.0.0.0/8 172.0.0.0/8 192.0.0.0/8 10.0.0.0/8\n",
			[]string{"error postfix.mynetworks"},
			"postfix.mynetworks", "postconf -e 'mynetworks = 127.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, 10.0.0.0/8'",
		},
		{
			"networks too wide together", good + "mynetworks = 127.0.0.0/8 198.0.0.0/9 203.0.0.0/10 203.64.0.0/10\n",
			[]string{"error postfix.mynetworks"},
			"postfix.mynetworks", "postconf -e 'mynetworks = 127.0.0.0/8'",
		},
		{
			"networks of one service too wide", strings.Replace(good, goodServices, "smtp inet n - y - - smtpd -o mynetworks=0.0.0.0/0\n", 1),
			[]string{"error call.missing", "error call.dead", "error postfix.mynetworks"},
			"call.dead", "postconf -P 'smtp/inet/mynetworks=127.0.0.0/8'",
		},
		{
			"networks too wide, IPv6", good + "mynetworks = 127.0.0.0/8 [2001:d80::]/19 [2001:db8::]/32\n",
			[]string{"error postfix.mynetworks", "info own.networks"},
			"own.networks", `networks = ["2001:db8::/32"]`,
		},
		{"networks that are private", good + "mynetworks = 127.0.0.0/8 [fe80::]/64 172.17.0.0/16 [fd00::]/8\n", nil, "", ""},
		{"another folder", good + "config_directory = /srv/mail/etc\nsoft_bounce = yes\n", []string{"warning postfix.soft-bounce"}, "postfix.soft-bounce", "postconf -c '/srv/mail/etc' -e 'soft_bounce = no'"},
		{"networks in a table", good + "mynetworks = 127.0.0.0/8 cidr:/etc/postfix/nets /etc/postfix/more\n", []string{"info own.networks-unseen"}, "", ""},
		{"networks, asked before", withList("smtpd_client_restrictions = POLICY") + "mynetworks = 192.0.2.0/24\n", []string{"info call.no-permit", "info call.unlisted", "warning own.networks"}, "", ""},
		{"name", good + "myhostname = mail.example.org\nmydomain=example.com\n", []string{"warning own.names"}, "own.names", `own_names = ["mx.example.com", "example.com", "mail.example.org"]`},
		{"address outside", good + "proxy_interfaces = 203.0.113.7\n", []string{"warning own.names"}, "own.names", `"203.0.113.7"]`},
		{"name of many hosts", good + "myhostname = mail\nmydomain=localdomain\n", []string{"info own.names"}, "own.names", "# myhostname, and the host, ought to have a name of the public DNS"},
		{"name of a site", good + "myhostname = mx1.internal\nmydomain=internal\n", []string{"info own.names"}, "own.names", "# myhostname, and the host, ought to have a name of the public DNS"},
		{"domain", good + "mydomain = example.org\n", []string{"info own.domain"}, "own.domain", `own_names = ["mx.example.com", "example.com", "example.org"]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			check(t, wellMachine(test.postfix), view(), test.want, test.id, test.do)
		})
	}
}
