package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/address"
	"policyd-rdns/resolver"
)

// explainOptions are the flags of explain.
type explainOptions struct {
	config    string
	helo      string
	sender    string
	recipient string
	stage     string
	json      bool
}

func newExplain() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain IP",
		Short: "judge one client aloud: every lookup, every fact, every rule",
		Long: `explain looks a client up as the daemon would, with an empty cache, and prints
every lookup, every fact, every rule tried, the text that the sending server
would read, as Postfix wraps it at the given stage, and the rule that would let
this client pass. Exit status 1 if the client would not pass.

  policyd-rdns explain 192.0.2.1 --helo mail.example.com --stage client`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return exit.Usage(errors.New("explain wants one address"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return explain(cmd.Context(), args[0], o, cmd.OutOrStdout())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.helo, "helo", "", "`name` that the client says HELO with")
	f.StringVar(&o.sender, "sender", "sender@example.org", "`address` in MAIL FROM")
	f.StringVar(&o.recipient, "recipient", "user@example.com", "`address` in RCPT TO")
	f.StringVar(&o.stage, "stage", "recipient", "restriction `list` that calls the service: client or recipient")
	f.BoolVar(&o.json, "json", false, "print JSON")
	_ = cmd.RegisterFlagCompletionFunc("stage", cobra.FixedCompletions([]string{"client", "recipient"}, cobra.ShellCompDirectiveNoFileComp))
	return cmd
}

// explainEntries is enough for all that is looked up about one client.
const explainEntries = 1000

// explanation is all there is to say about one client.
type explanation struct {
	Request  policy.Request
	Lookups  []lookup
	Facts    policy.Facts
	Trials   []policy.Trial
	Decision policy.Decision
	Reads    string // what the sending server reads; empty: nothing
	Exempt   string // TOML
}

// lookup is one question with its answer.
type lookup struct {
	Question string
	Answer   resolver.Answer
	Took     time.Duration
}

// clientArgument reads the address of a client.
func clientArgument(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return addr, fmt.Errorf("%.60q is no address", text)
	}
	return address.Plain(addr), nil
}

func explain(ctx context.Context, client string, o explainOptions, out io.Writer) error {
	addr, err := clientArgument(client)
	if err != nil {
		return exit.Usage(err)
	}
	if o.stage != "client" && o.stage != "recipient" {
		return exit.Usage(fmt.Errorf("--stage %.60q: want client or recipient", o.stage))
	}
	conf, err := config.Load(o.config)
	if err != nil {
		return err
	}
	r, err := conf.NewResolver(explainEntries)
	if err != nil {
		return err
	}
	defer r.Close()
	h := config.FindHost()
	dns := &recorder{dns: r}
	g := &policy.Gatherer{DNS: dns, Deadline: conf.Server.Deadline, HostAddrs: h.Addrs, HostNames: h.Names, Complete: true}
	req := policy.Request{
		Time: time.Now(), Client: addr, HELO: o.helo,
		State: "RCPT", Sender: nullSender(o.sender), Recipient: o.recipient,
	}
	e := explainRequest(ctx, conf, g, req, o.stage)
	e.Lookups = dns.lookups()
	if o.json {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		if err := enc.Encode(e.jsonValue()); err != nil {
			return err
		}
	} else {
		e.print(out, plain.PaintFor(out))
	}
	if e.Decision.Decided != policy.DUNNO {
		return exit.ErrNotWell
	}
	return nil
}

func nullSender(s string) string {
	if s == "<>" {
		return ""
	}
	return s
}

// explainRequest judges a request and keeps all that led there.
func explainRequest(ctx context.Context, c *config.Config, g *policy.Gatherer, req policy.Request, stage string) *explanation {
	e := &explanation{Request: req}
	e.Decision = g.Decide(ctx, &req, c.Rules, &e.Facts)
	e.Trials = c.Rules.Trace(&req, &e.Facts)
	e.Reads = wrapped(&req, &e.Facts, e.Decision.Action, e.Decision.Reply(), stage)
	e.Exempt = exempt(c, &req, &e.Facts, &e.Decision)
	return e
}

// exempt is what would let the client of a decision pass, as TOML; empty if it
// passes.
func exempt(c *config.Config, req *policy.Request, f *policy.Facts, d *policy.Decision) string {
	switch {
	case d.Decided == policy.DUNNO:
		return ""
	case c.Builtin:
		// A rule of one's own replaces the built-in ones.
		return "# at the top of the file, so that the built-in rules follow\ndefault_rules = true\n\n" + exemption(req, f, d.Rule)
	}
	return exemption(req, f, d.Rule)
}
