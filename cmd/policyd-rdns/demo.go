package main

import (
	"bufio"
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"strings"
	"sync"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver/world"
)

//go:embed demo.zone
var demoZone string

// demoConfig is the built-in one but for our name.
const demoConfig = `
[server]
listen = ["127.0.0.1:0"]
[helo]
own_names = ["mx.example.net"]
`

// demoClient is one client of the demonstration.
type demoClient struct {
	what    string
	address string
	helo    string
	more    string // further attributes
}

func demoClients() []demoClient {
	return []demoClient{
		{"no reverse name", "203.0.113.10", "mail.example.org", ""},
		{"a provider's name that does not resolve", "203.0.113.11", "ip-203-0-113-10.provider.local", ""},
		{"a numbered name that does not resolve", "203.0.113.12", "vps123.hosting.internal", ""},
		{"generic name, HELO of a fresh install", "203.0.113.13", "ubuntu", ""},
		{"generic name, HELO is its own", "203.0.113.13", "ip-203-0-113-13.dyn.example.net", ""},
		{"a user behind that name, logged in", "203.0.113.13", "laptop", "sasl_method=plain\nsasl_username=user\n"},
		{"name resolves to somebody else", "203.0.113.14", "mail.example.org", ""},
		{"well set up", "203.0.113.20", "mail.example.com", ""},
		{"well set up, IPv6", "2001:db8::20", "mail.example.com", ""},
		{"well set up, delegated by RFC 2317", "203.0.113.21", "relay.example.com", ""},
		{"two names, one resolves back", "203.0.113.22", "lists.example.com", ""},
		{"says HELO its address literal", "203.0.113.20", "[203.0.113.20]", ""},
		{"says HELO localhost", "203.0.113.20", "localhost", ""},
		{"says HELO somebody else's name", "203.0.113.20", "mail.example.org", ""},
		{"HELO is our name", "203.0.113.20", "mx.example.net", ""},
		{"name with hostile bytes", "203.0.113.23", "mail.example.com", ""},
		{"reverse zone fails", "203.0.113.30", "mail.example.com", ""},
		{"forward zone fails", "203.0.113.31", "mail.broken.example", ""},
	}
}

func newDemo() *cobra.Command {
	return &cobra.Command{
		Use:   "demo",
		Short: "walk a dozen clients through the daemon, with no network",
		Long: `demo serves a small DNS world on the loopback, starts the daemon with the
built-in rules on it, asks it about some clients through its socket as Postfix
would, and prints what it answered and why.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return demo(cmd.Context(), cmd.OutOrStdout())
		},
	}
}

func demo(ctx context.Context, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()

	w, err := world.Parse(demoZone)
	if err != nil {
		return err
	}
	pc, l, err := world.Listen()
	if err != nil {
		return err
	}
	running.Go(func() { _ = w.Serve(ctx, pc, l) })

	records, err := runDemo(ctx, pc.LocalAddr().(*net.UDPAddr).AddrPort(), demoClients())
	if err != nil {
		return err
	}
	printDemo(out, paint(isTerminal(out)), demoClients(), records)
	return nil
}

// runDemo asks a daemon about the clients, one after the other, and reads its
// decision log.
func runDemo(ctx context.Context, server netip.AddrPort, clients []demoClient) ([]journal.Record, error) {
	conf, err := config.Parse("demo.toml", []byte(demoConfig))
	if err != nil {
		return nil, err
	}
	conf.Resolver.Servers = []netip.AddrPort{server}
	var log bytes.Buffer
	decisions := logwriter.New(&log, nil)
	d, err := newDaemon(conf, slog.New(slog.DiscardHandler), decisions, config.Host{})
	if err != nil {
		return nil, err
	}
	defer d.resolver.Close()
	err = d.ask(ctx, conf.Server.Listen[0], clients)
	if err := errors.Join(err, closeLog(decisions)); err != nil {
		return nil, err
	}
	var records []journal.Record
	lines := bufio.NewScanner(&log)
	for lines.Scan() {
		r, err := journal.Parse(lines.Bytes())
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, lines.Err()
}

// ask listens, and asks about the clients over one connection.
func (d *daemon) ask(ctx context.Context, address string, clients []demoClient) error {
	l, err := postfix.Listen(address, 0, "")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer stop()
	serving.Go(func() {
		server := postfix.Server{Handler: d.handle}
		_ = server.Serve(ctx, l)
	})
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", l.Addr().String())
	if err != nil {
		return err
	}
	defer conn.Close()
	replies := bufio.NewReader(conn)
	for _, c := range clients {
		_, err := fmt.Fprintf(conn, "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n"+
			"client_address=%s\nhelo_name=%s\nsender=sender@example.org\nrecipient=user@example.net\n%s\n", c.address, c.helo, c.more)
		if err != nil {
			return err
		}
		if _, err := replies.ReadString('\n'); err != nil {
			return err
		}
		if _, err := replies.ReadString('\n'); err != nil {
			return err
		}
	}
	return nil
}

func printDemo(out io.Writer, p paint, clients []demoClient, records []journal.Record) {
	t := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "CLIENT\tADDRESS\tSAYS HELO\tPTR\tFCRDNS\tNAME\tHELO\tACTION\tRULE")
	for i := range records {
		r := &records[i]
		rule := r.Decision.Rule
		for _, v := range r.Decision.Would {
			rule = strings.TrimPrefix(rule+"; would "+v.Action.String()+": "+v.Rule, "; ")
		}
		c := &r.Decision.Checks
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", clients[i].what, r.Request.Client, safe(r.Request.HELO),
			shownResult(c[policy.CheckPTR]), shownResult(c[policy.CheckFCrDNS]), shownResult(c[policy.CheckName]), shownResult(c[policy.CheckHELO]),
			r.Decision.Action, rule)
	}
	_ = t.Flush()
	fmt.Fprintf(out, "\nA check that shows - was not needed: the rules had decided. What the senders read:\n\n")
	for i := range records {
		reply := "(nothing: accepted as far as we are concerned)"
		if r := &records[i]; r.Reply != "" {
			reply = p.action(r.Decision.Action, wrapped(&r.Request, &r.Facts, r.Decision.Action, r.Reply, "recipient"))
		}
		fmt.Fprintf(out, "%s\n  %s\n", clients[i].what, reply)
	}
}

func shownResult(r policy.Result) string {
	if r == policy.NotLearnt {
		return "-"
	}
	return r.String()
}
