package e2e

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/doctor"
	"policyd-rdns/cmd/policyd-rdns/internal/doctor/machine"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
)

// fate is what a real Postfix does with a stranger's mail for a domain of ours.
type fate string

const (
	mailJudged   fate = "judged"   // the policy service is asked
	mailUnjudged fate = "unjudged" // it is accepted, and nobody asked
	mailRefused  fate = "refused"  // nobody is asked
	mailBroken   fate = "broken"   // 451, "Server configuration error"
	mailDies     fate = "dies"     // smtpd ends before its greeting
)

// listCase is what main.cf says, POLICY being the call and ADDR where it goes.
type listCase struct {
	name string
	main string
	want fate
}

const (
	ownClients = "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destination, "
	rcptList   = "smtpd_recipient_restrictions = "
	inClass    = "smtpd_restriction_classes = rdns\nrdns = POLICY\n"
)

func listCases() []listCase {
	return []listCase{
		{"good", rcptList + ownClients + "POLICY", mailJudged},
		{"none", rcptList + ownClients, mailUnjudged},
		{"permit", rcptList + ownClients + "permit, POLICY", mailUnjudged},
		{"warned-permit", rcptList + ownClients + "warn_if_reject permit, POLICY", mailUnjudged},
		{"auth-destination", rcptList + "permit_mynetworks, permit_auth_destination, permit_sasl_authenticated, POLICY, reject", mailUnjudged},
		{"auth-destination-level-2", "smtpd_relay_before_recipient_restrictions = no\nsmtpd_relay_restrictions =\n" + rcptList + "permit_mynetworks, permit_auth_destination, permit_sasl_authenticated, POLICY, reject", mailUnjudged},
		{"mx-backup", rcptList + ownClients + "permit_mx_backup, POLICY", mailUnjudged},
		{"relay-domains", rcptList + "permit_mynetworks, check_relay_domains, POLICY", mailUnjudged},
		{"static-ok", rcptList + ownClients + "check_client_access static:OK, POLICY", mailUnjudged},
		{"static-relay", rcptList + ownClients + "check_sender_access static:{RELAY now}, POLICY", mailUnjudged},
		{"static-number", rcptList + ownClients + "check_helo_access static:20261127, POLICY", mailUnjudged},
		{"static-dunno", rcptList + ownClients + "check_client_access static:DUNNO, POLICY", mailJudged},
		{"static-filter", rcptList + ownClients + "check_client_access static:{FILTER smtp:[127.0.0.1]:10024}, POLICY", mailJudged},
		{"static-defer-if-permit", rcptList + ownClients + "check_client_access static:defer_if_permit, POLICY", mailJudged},
		{"static-discard", rcptList + ownClients + "check_client_access static:DISCARD, POLICY", mailUnjudged},
		{"static-550", rcptList + ownClients + "check_client_access {static:{550 no}}, POLICY", mailBroken},
		{"static-reject", rcptList + ownClients + "check_client_access static:REJECT, POLICY", mailRefused},
		{"static-alone", rcptList + ownClients + "static:OK, POLICY", mailUnjudged},
		{"static-refuses", rcptList + ownClients + "check_client_access static:{550 no}, POLICY", mailRefused},
		{"reverse-ok", rcptList + ownClients + "check_reverse_client_hostname_access static:OK, POLICY", mailBroken},
		{"inline-ok", rcptList + ownClients + "check_recipient_access inline:{{example.com = OK}}, POLICY", mailUnjudged},
		{"inline-other", rcptList + ownClients + "check_recipient_access inline:{{example.net = OK}}, POLICY", mailJudged},
		{"inline-user", rcptList + ownClients + "check_recipient_access inline:{postmaster@example.com=OK}, POLICY", mailJudged},
		{"randmap", rcptList + ownClients + "check_client_access randmap:{OK}, POLICY", mailUnjudged},
		{"cidr-ok", rcptList + ownClients + "check_client_access cidr:{{0.0.0.0/0 OK}}, POLICY", mailUnjudged},
		{"cidr-halves", rcptList + ownClients + "check_client_access cidr:{{0.0.0.0/1 OK}, {128.0.0.0/1 OK}}, POLICY", mailUnjudged},
		{"cidr-not", rcptList + ownClients + "check_client_access cidr:{{!10.0.0.0/8 OK}}, POLICY", mailUnjudged},
		{"cidr-some", rcptList + ownClients + "check_client_access cidr:{{192.0.2.0/24 OK}, {0.0.0.0/0 DUNNO}, {0.0.0.0/0 OK}}, POLICY", mailJudged},
		{"regexp-ok", rcptList + ownClients + "check_sender_access regexp:{{/./ OK}}, POLICY", mailUnjudged},
		{"regexp-not", rcptList + ownClients + "check_helo_access regexp:{{!/^localhost/ OK}}, POLICY", mailUnjudged},
		{"regexp-some", rcptList + ownClients + "check_client_access regexp:{{/^unknown$$/ DUNNO}, {/dynamic/ REJECT}}, POLICY", mailJudged},
		{"file-cidr", rcptList + ownClients + "check_client_access cidr:DIR/all.cidr, POLICY", mailUnjudged},
		{"file-texthash", rcptList + ownClients + "check_recipient_access texthash:DIR/domains, POLICY", mailUnjudged},
		{"file-few", rcptList + ownClients + "check_client_access texthash:DIR/few, POLICY", mailJudged},
		{"class-permits", "smtpd_restriction_classes = all\nall = reject_non_fqdn_sender, permit\n" + rcptList + ownClients + "all, POLICY", mailUnjudged},
		{"class-of-a-table", inClass + rcptList + ownClients + "check_recipient_access static:rdns", mailJudged},
		{"class-of-a-domain", inClass + rcptList + ownClients + "check_recipient_access inline:{example.com=rdns}", mailJudged},
		{"class-of-a-file", inClass + rcptList + ownClients + "check_recipient_access texthash:DIR/classes", mailJudged},
		{"warned", rcptList + ownClients + "warn_if_reject reject, POLICY", mailJudged},
		{"reject", rcptList + ownClients + "REJECT, POLICY", mailRefused},
		{"defer", rcptList + ownClients + "defer, POLICY", mailRefused},
		{"defer-if-permit", rcptList + ownClients + "defer_if_permit, POLICY", mailJudged},
		{"client-permits", "smtpd_client_restrictions = permit\nsmtpd_helo_restrictions = permit_auth_destination\nsmtpd_sender_restrictions = static:OK\n" + rcptList + ownClients + "POLICY", mailJudged},
		{"client-list", "smtpd_client_restrictions = POLICY", mailJudged},
		{"client-list-behind", "smtpd_client_restrictions = permit_auth_destination, POLICY", mailUnjudged},
		{"client-list-early", "smtpd_delay_reject = no\nsmtpd_client_restrictions = permit_auth_destination, POLICY", mailJudged},
		{"client-rejects", "smtpd_client_restrictions = permit_sasl_authenticated, reject\n" + rcptList + ownClients + "POLICY", mailRefused},
		{"relay-permits", "smtpd_relay_restrictions = permit_auth_destination, reject\n" + rcptList + "POLICY", mailJudged},
		{"data", "smtpd_data_restrictions = POLICY", mailJudged},
		{"networks", "mynetworks = 127.0.0.0/8 0.0.0.0/0\n" + rcptList + ownClients + "POLICY", mailUnjudged},
		{"networks-halves", "mynetworks = 127.0.0.0/8 0.0.0.0/1 128.0.0.0/1\n" + rcptList + ownClients + "POLICY", mailUnjudged},
		{"family", "inet_protocols = ipv4\n" + rcptList + ownClients + "check_policy_service { inet:[::1]:PORT, timeout=2s, try_limit=1, default_action=DUNNO }", mailUnjudged},
		{"no-braces", rcptList + ownClients + "check_policy_service inet:ADDR, timeout=10s, default_action=DUNNO", mailBroken},
		{"no-word", rcptList + ownClients + "check_policy_service ADDR", mailDies},
		{"tcp", rcptList + ownClients + "check_policy_service { tcp:ADDR, default_action=DUNNO }", mailDies},
		{"no-colon", rcptList + ownClients + "check_policy_service policyd, POLICY", mailDies},
		{"misspelt", rcptList + "permit_mynetworks, permit_sasl_authenticated, reject_unauth_destinations, POLICY", mailBroken},
		{"quoted", rcptList + "\"permit_mynetworks\", permit_sasl_authenticated, POLICY", mailBroken},
		{"semicolons", rcptList + "permit_mynetworks; permit_sasl_authenticated; POLICY", mailBroken},
		{"list-in-braces", rcptList + "{ permit_mynetworks, permit_sasl_authenticated }, POLICY", mailBroken},
		{"class-not-declared", "rdns = POLICY\n" + rcptList + ownClients + "rdns", mailBroken},
		{"service-alone", rcptList + ownClients + "inet:ADDR, POLICY", mailBroken},
		{"equals-sign", rcptList + ownClients + "check_policy_service=inet:ADDR", mailBroken},
		{"no-guard", "smtpd_relay_restrictions =\n" + rcptList + "permit_mynetworks, POLICY", mailDies},
		{"guard-behind-permit", "smtpd_relay_restrictions =\n" + rcptList + "POLICY, permit, reject_unauth_destination", mailDies},
		{"guard-warned", "smtpd_relay_restrictions = permit_mynetworks, warn_if_reject reject_unauth_destination\n" + rcptList + "permit_mynetworks, POLICY", mailDies},
		{"guard-in-a-table", "smtpd_relay_restrictions = check_client_access static:reject_unauth_destination\n" + rcptList + "POLICY", mailDies},
		{"guard-in-a-class", "smtpd_restriction_classes = guard\nguard = permit_mynetworks, REJECT_UNAUTH_DESTINATION\nsmtpd_relay_restrictions = guard\n" + rcptList + "POLICY", mailJudged},
		{"guard-defer-if-permit", "smtpd_relay_restrictions = permit_mynetworks, defer_if_permit\n" + rcptList + "POLICY", mailJudged},
	}
}

// countingService is a policy service that only counts.
type countingService struct {
	addr  string
	asked atomic.Int64
}

func startCounting(t *testing.T) *countingService {
	t.Helper()
	l, err := net.Listen("tcp4", testbed.Loopback()+":0")
	if err != nil {
		t.Fatal(err)
	}
	s := &countingService{addr: l.Addr().String()}
	ctx, stop := context.WithCancel(context.Background())
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // closed
			}
			serving.Go(func() { s.serve(ctx, conn) })
		}
	})
	t.Cleanup(func() {
		stop()
		l.Close()
		serving.Wait()
	})
	return s
}

func (s *countingService) serve(ctx context.Context, conn net.Conn) {
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	lines := bufio.NewScanner(conn)
	for lines.Scan() {
		if lines.Text() != "" {
			continue
		}
		s.asked.Add(1)
		if _, err := io.WriteString(conn, "action=DUNNO\n\n"); err != nil {
			return
		}
	}
}

// listWorld is a real Postfix with a service for each case.
type listWorld struct {
	*postfixInstance
	service *countingService
	words   *strings.Replacer
}

func newListWorld(t *testing.T) *listWorld {
	t.Helper()
	w := &listWorld{postfixInstance: newPostfix(t), service: startCounting(t)}
	for name, text := range map[string]string{
		"all.cidr": "# everybody\n0.0.0.0/0\n\tOK\n::/0 OK\n",
		"domains":  "example.com OK\n",
		"few":      "partner.example.org OK\n192.0.2 OK\n",
		"classes":  "example.com rdns\n",
	} {
		testbed.WriteFile(t, w.path(name), text)
	}
	_, port, _ := net.SplitHostPort(w.service.addr)
	w.words = strings.NewReplacer("POLICY", policyService("inet:"+w.service.addr), "ADDR", w.service.addr, "PORT", port, "DIR", w.dir)
	return w
}

// options are the lines of a main.cf for one service.
func (w *listWorld) options(name, main string) []string {
	return append(strings.Split(strings.TrimSpace(w.words.Replace(main)), "\n"), "syslog_name = case-"+name)
}

// fate brings a stranger's mail to a service.
func (w *listWorld) fate(t *testing.T, name string) fate {
	t.Helper()
	before := w.service.asked.Load()
	conn, err := net.DialTimeout("tcp", w.addrs[name], patience)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	first := make(chan fate, 1)
	go func() { // one of the two comes
		if _, err := bufio.NewReader(conn).Peek(1); err == nil {
			first <- ""
		}
	}()
	go func() {
		if w.process.awaitQuietly("case-"+name+"/smtpd", "fatal:") {
			first <- mailDies
		}
	}()
	if f := <-first; f != "" {
		return f
	}
	conn.Close()
	c := dialSMTP(t, w.addrs[name])
	c.must(t, "XCLIENT ADDR=203.0.113.10 NAME=mail.example.net")
	c.must(t, "EHLO mail.example.net")
	if reply := c.say(t, "MAIL FROM:<user@example.net>"); reply[0] != '2' {
		return mailRefused
	}
	reply := c.say(t, "RCPT TO:<someone@example.com>")
	if reply[0] == '2' {
		reply = c.say(t, "DATA")
	}
	asked := w.service.asked.Load() > before
	switch {
	case strings.Contains(reply, "onfiguration error"):
		return mailBroken
	case asked:
		return mailJudged
	case reply[0] == '2' || reply[0] == '3':
		return mailUnjudged
	}
	return mailRefused
}

// awaitQuietly is await for who does not mind if the line never comes.
func (p *process) awaitQuietly(parts ...string) bool {
	for {
		text, more := p.out.read()
		if _, ok := findLine(text, parts); ok {
			return true
		}
		select {
		case <-more:
		case <-p.done:
			return false
		}
	}
}

// folder writes a configuration for doctor and postconf.
func (w *listWorld) folder(t *testing.T, c listCase) string {
	t.Helper()
	dir := w.path("case-" + c.name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf(postfixMain, w.dir)
	text = strings.ReplaceAll(text, "smtpd_relay_restrictions =\n", "")
	testbed.WriteFile(t, filepath.Join(dir, "main.cf"), text+w.words.Replace(c.main)+"\n")
	testbed.WriteFile(t, filepath.Join(dir, "master.cf"), "smtp inet n - n - - smtpd\n")
	testbed.Age(t, filepath.Join(dir, "main.cf"))
	return dir
}

// findings are what doctor says of a folder.
func (w *listWorld) findings(t *testing.T, dir string) []doctor.Finding {
	t.Helper()
	system := machine.NewSystem()
	run := system.Run
	system.Run = func(ctx context.Context, name string, args ...string) ([]byte, error) {
		return run(ctx, name, append([]string{"-c", dir}, args...)...)
	}
	system.Dial = func(context.Context, string, string) (net.Conn, error) { return nil, os.ErrDeadlineExceeded }
	never := func(netip.Addr) bool { return false }
	view := &doctor.View{Listen: []string{w.service.addr}, Deadline: 5 * time.Second, Connections: 2000, Builtin: true, OwnsClient: never, OwnsName: func(string) bool { return true }}
	m := doctor.Read(t.Context(), system, doctor.Wanted{View: view})
	m.Answers = nil
	return doctor.Examine(&m, view)
}

// told is the fate of strangers' mail by what doctor says.
func told(findings []doctor.Finding) []fate {
	has := func(id string) bool {
		return slices.ContainsFunc(findings, func(f doctor.Finding) bool { return f.ID == id })
	}
	switch {
	case has("postfix.relay"), has("call.syntax"):
		return []fate{mailDies, mailBroken}
	case has("postfix.restriction"):
		return []fate{mailBroken}
	case has("call.found"):
		return []fate{mailJudged}
	case has("call.dead"):
		return []fate{mailUnjudged, mailRefused}
	case has("call.missing"), has("call.family"):
		return []fate{mailUnjudged}
	}
	return []fate{mailRefused}
}

// TestDoctorAndPostfix: what doctor says becomes of a stranger's mail is what a
// real Postfix does with it; and once the commands for all errors and warnings are
// carried out, that Postfix asks.
func TestDoctorAndPostfix(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("starts Postfix twice")
	}
	w := newListWorld(t)
	cases := listCases()
	folders := map[string]string{}
	var services, mended []smtpdService
	for _, c := range cases {
		services = append(services, smtpdService{name: c.name, options: w.options(c.name, "smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination\n"+c.main)})
		folders[c.name] = w.folder(t, c)
	}
	w.start(t, services...)
	for _, c := range cases {
		if got := w.fate(t, c.name); got != c.want {
			t.Errorf("%s: Postfix: %s; want %s", c.name, got, c.want)
		}
		findings := w.findings(t, folders[c.name])
		if got := told(findings); !slices.Contains(got, c.want) {
			t.Errorf("%s: doctor: %s of %q; want %s", c.name, got, errorsOf(findings), c.want)
		}
		if well := doctor.Worst(slices.DeleteFunc(slices.Clone(findings), func(f doctor.Finding) bool { return strings.HasPrefix(f.ID, "unit.") })) != doctor.Error; well && (c.want == mailUnjudged || c.want == mailDies || c.want == mailBroken) {
			t.Errorf("%s: doctor finds no error", c.name)
		}
		commands := testbed.Commands(findings)
		if len(commands) == 0 || c.want == mailRefused {
			continue
		}
		w.carryOut(t, folders[c.name], commands)
		if left := w.findings(t, folders[c.name]); told(left)[0] != mailJudged || len(errorsOf(left)) > 0 {
			t.Errorf("%s: after\n%s\ndoctor says %q; want judged", c.name, strings.Join(commands, "\n"), errorsOf(left))
		}
		mended = append(mended, smtpdService{name: "mended-" + c.name, options: w.settings(t, folders[c.name], c)})
	}
	again := newListWorld(t)
	again.service = w.service
	again.start(t, mended...)
	for _, s := range mended {
		if got := again.fate(t, s.name); got != mailJudged {
			t.Errorf("%s: %s; want judged, with\n%s", s.name, got, strings.Join(s.options, "\n"))
		}
	}
}

func (w *listWorld) carryOut(t *testing.T, dir string, commands []string) {
	t.Helper()
	for _, line := range commands {
		if out, err := exec.Command("sh", "-c", line).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
	}
	testbed.Age(t, filepath.Join(dir, "main.cf"))
}

// settings are what the folder has now of what matters.
func (w *listWorld) settings(t *testing.T, dir string, c listCase) []string {
	t.Helper()
	names := []string{"smtpd_relay_restrictions", "smtpd_recipient_restrictions", "mynetworks"}
	for _, line := range strings.Split(c.main, "\n") {
		if name, _, ok := strings.Cut(line, " ="); ok && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	out, err := exec.Command(testbed.NeedProgram(t, "postconf", "postfix"), append([]string{"-c", dir}, names...)...).Output()
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(bytes.TrimSpace(out))), "\n")
	return append(lines, "syslog_name = case-mended-"+c.name)
}

// errorsOf are the errors, for messages.
func errorsOf(findings []doctor.Finding) []string {
	var all []string
	for _, f := range findings {
		if f.Level == doctor.Error {
			all = append(all, f.ID+": "+f.Title)
		}
	}
	return all
}
