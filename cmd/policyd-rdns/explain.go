package main

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
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
			return explainClient(cmd.Context(), args[0], &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
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

func explainClient(ctx context.Context, client string, o *explainOptions, out, stderr io.Writer) error {
	addr, err := explain.Address(client)
	if err != nil {
		return exit.Usage(err)
	}
	if o.stage != "client" && o.stage != "recipient" {
		return exit.Usage(fmt.Errorf("--stage %.60q: want client or recipient", o.stage))
	}
	conf, err := inforce.Load(ctx, o.config, stderr)
	if err != nil {
		return err
	}
	req := policy.Request{
		Client: addr, HELO: o.helo, State: "RCPT", Sender: o.sender, Recipient: o.recipient,
	}
	if req.Sender == "<>" {
		req.Sender = ""
	}
	e, err := explain.Live(ctx, conf, &req, o.stage)
	if err != nil {
		return err
	}
	if o.json {
		err = e.WriteJSON(out)
	} else {
		e.Print(out, plain.PaintFor(out))
	}
	if err == nil && e.Decision.Decided != policy.DUNNO {
		return exit.ErrNotWell
	}
	return err
}
