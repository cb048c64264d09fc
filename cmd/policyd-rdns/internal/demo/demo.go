// Package demo walks a dozen clients through the daemon, on a DNS world of its own
// on the loopback: the product in ten seconds, with no network.
package demo

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

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
	"policyd-rdns/policy/postfix"
	"policyd-rdns/resolver/world"
)

// Zone is the DNS world of the clients.
//
//go:embed demo.zone
var Zone string

// settings is the built-in one but for our name.
const settings = `
[server]
listen = ["127.0.0.1:0"]
[helo]
own_names = ["mx.example.net"]
`

// Client is one client of the demonstration.
type Client struct {
	What    string
	Address string
	HELO    string
	More    string // further attributes of its request, each with a newline
}

// Clients are those who are asked about, in this order.
func Clients() []Client {
	return []Client{
		{"no reverse name", "203.0.113.10", "mail.example.org", ""},
		{"a provider's name that does not resolve", "203.0.113.11", "ip-203-0-113-10.provider.local", ""},
		{"a numbered name that does not resolve", "203.0.113.12", "vps123.hosting.internal", ""},
		{"generic name, HELO of another host", "203.0.113.13", "mail.example.org", ""},
		{"generic name, HELO of a fresh install", "203.0.113.13", "ubuntu", ""},
		{"generic name, HELO is its own", "203.0.113.13", "ip-203-0-113-13.dyn.example.net", ""},
		{"a user behind that name, logged in", "203.0.113.13", "laptop", "sasl_method=plain\nsasl_username=user\n"},
		{"name resolves to somebody else", "203.0.113.14", "mail.example.org", ""},
		{"well set up", "203.0.113.20", "mail.example.com", ""},
		{"well set up, IPv6", "2001:db8::20", "mail.example.com", ""},
		{"well set up, delegated by RFC 2317", "203.0.113.21", "relay.example.com", ""},
		{"two names, one resolves to it", "203.0.113.22", "lists.example.com", ""},
		{"HELO is its address literal", "203.0.113.20", "[203.0.113.20]", ""},
		{"HELO is localhost", "203.0.113.20", "localhost", ""},
		{"HELO is somebody else's name", "203.0.113.20", "mail.example.org", ""},
		{"HELO is our name", "203.0.113.20", "mx.example.net", ""},
		{"name with hostile bytes", "203.0.113.23", "mail.example.com", ""},
		{"reverse zone fails", "203.0.113.30", "mail.example.com", ""},
		{"forward zone fails", "203.0.113.31", "mail.broken.example", ""},
	}
}

// Run serves the world, asks a daemon about the clients through its socket, and
// prints what it answered and why.
func Run(ctx context.Context, out io.Writer) error {
	ctx, stop := context.WithCancel(ctx)
	var running sync.WaitGroup
	defer running.Wait()
	defer stop()

	w, err := world.Parse(Zone)
	if err != nil {
		return err
	}
	pc, l, err := world.Listen()
	if err != nil {
		return err
	}
	running.Go(func() { _ = w.Serve(ctx, pc, l) })

	records, err := ask(ctx, pc.LocalAddr().(*net.UDPAddr).AddrPort(), Clients())
	if err != nil {
		return err
	}
	print(out, plain.PaintFor(out), Clients(), records)
	return nil
}

// ask asks a daemon about the clients, one after the other, and reads its
// decision log.
func ask(ctx context.Context, server netip.AddrPort, clients []Client) ([]journal.Record, error) {
	conf, err := config.Parse("demo.toml", []byte(settings))
	if err != nil {
		return nil, err
	}
	conf.Resolver.Servers = []netip.AddrPort{server}
	var log bytes.Buffer
	decisions := logwriter.New(&log, nil)
	d, err := daemon.New(conf, daemon.Options{Log: slog.New(slog.DiscardHandler), Decisions: decisions})
	if err != nil {
		return nil, err
	}
	defer d.Close()
	err = talk(ctx, d, conf.Server.Listen[0], clients)
	if err := errors.Join(err, decisions.Close(ctx)); err != nil {
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

// talk listens, and asks about the clients over one connection.
func talk(ctx context.Context, d *daemon.Daemon, address string, clients []Client) error {
	l, err := postfix.Listen(address, 0, "")
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(ctx)
	var serving sync.WaitGroup
	defer serving.Wait()
	defer stop()
	serving.Go(func() {
		server := postfix.Server{Handler: d.Handle}
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
			"client_address=%s\nhelo_name=%s\nsender=sender@example.org\nrecipient=user@example.net\n%s\n", c.Address, c.HELO, c.More)
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

func print(out io.Writer, p plain.Paint, clients []Client, records []journal.Record) {
	rows := [][]string{{"CLIENT", "ADDRESS", "SAYS HELO", "PTR", "FCRDNS", "NAME", "HELO", "ACTION", "RULE"}}
	for i := range records {
		r := &records[i]
		rule := r.Decision.Rule
		for _, v := range r.Decision.Would {
			rule = strings.TrimPrefix(rule+"; would "+v.Action.String()+": "+v.Rule, "; ")
		}
		c := &r.Decision.Checks
		rows = append(rows, []string{
			clients[i].What, r.Request.Client.String(), plain.Line(r.Request.HELO),
			explain.Result(c[policy.CheckPTR]), explain.Result(c[policy.CheckFCrDNS]), explain.Result(c[policy.CheckName]), explain.Result(c[policy.CheckHELO]),
			r.Decision.Action.String(), rule,
		})
	}
	columns := plain.ColumnsFor(out, rows)
	for _, row := range rows {
		_, _ = io.WriteString(out, columns.Row(row)) // an error shows in the next write
	}
	folded := plain.NewFolder(out)
	fmt.Fprintf(folded, "\nA check that shows - was not needed: the rules had decided. What the senders read:\n\n")
	for i := range records {
		reply := "(nothing: accepted as far as we are concerned)"
		if r := &records[i]; r.Reply != "" {
			reply = explain.PaintAction(p, r.Decision.Action, explain.Wrapped(&r.Request, &r.Facts, r.Decision.Action, r.Reply, "recipient"))
		}
		fmt.Fprintf(folded, "%s\n  %s\n", clients[i].What, reply)
	}
}
