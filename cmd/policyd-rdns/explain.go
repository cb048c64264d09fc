package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/declog"
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
	context   string
	id        string
	loggedIn  bool
	encrypted bool
	json      bool
}

// ofClient are the flags that say what a client does.
var ofClient = []string{"helo", "sender", "recipient", "context", "authenticated", "encrypted", "stage"}

func newExplain() *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:   "explain IP | --id ID",
		Short: "judge one client aloud: every lookup, every fact, every rule",
		Long: `explain looks a client up as the daemon would, with an empty cache, and prints
every lookup, every fact, every rule tried, the text that the sending server
would read, as Postfix wraps it at the given stage, and the rule that would let
this client pass. Exit status 1 if the client would not pass.

  policyd-rdns explain 192.0.2.1 --helo mail.example.com --stage client

With --id it looks nothing up: it takes the decision with this id from the log in
force (the file of the configuration with its rotated ones, or the journal) and
prints what was found and decided then, and what each of the rules in force now
says of it.`,
		Args: func(cmd *cobra.Command, args []string) error {
			byID := cmd.Flags().Changed("id")
			other := slices.IndexFunc(ofClient, func(flag string) bool { return cmd.Flags().Changed(flag) })
			switch {
			case byID && len(args) > 0:
				return exit.Usage(errors.New("explain --id wants no address: the decision has one"))
			case byID && other >= 0:
				return exit.Usage(fmt.Errorf("explain --id wants no --%s: the decision has all of that", ofClient[other]))
			case !byID && len(args) != 1:
				return exit.Usage(errors.New("explain wants one address, or --id"))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return explainDecision(cmd, &o)
			}
			return explainClient(cmd.Context(), args[0], &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	configFlag(cmd, &o.config)
	f.StringVar(&o.helo, "helo", "", "`name` that the client says HELO with")
	f.StringVar(&o.sender, "sender", "sender@example.org", "`address` in MAIL FROM")
	f.StringVar(&o.recipient, "recipient", "user@example.com", "`address` in RCPT TO")
	f.StringVar(&o.stage, "stage", "recipient", "restriction `list` that calls the service: client or recipient")
	f.StringVar(&o.context, "context", "", "policy_context, `text` that main.cf or master.cf gives the service")
	f.BoolVar(&o.loggedIn, "authenticated", false, "the client has logged in (SASL)")
	f.BoolVar(&o.encrypted, "encrypted", false, "the session is under TLS")
	f.StringVar(&o.id, "id", "", "explain the recorded decision with this `id`")
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
		Context: o.context, Authenticated: o.loggedIn, Encrypted: o.encrypted,
	}
	if req.Sender == "<>" {
		req.Sender = ""
	}
	asking := historyCommand(conf, out, stderr)
	remembered := asking.Live(ctx)
	e, err := explain.Live(ctx, conf, &req, remembered, o.stage)
	if err != nil {
		return err
	}
	if err := remembered.Err(); err != nil {
		fmt.Fprintf(stderr, "what is remembered of the client is not known, and taken for nothing: %v\n", err)
	}
	return o.print(e, out)
}

// print prints an explanation. The error is [exit.ErrNotWell] if the client was, or would
// be, objected to.
func (o *explainOptions) print(e *explain.Explanation, out io.Writer) (err error) {
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

// explainDecision explains what the log has.
func explainDecision(cmd *cobra.Command, o *explainOptions) error {
	conf, err := inforce.Load(cmd.Context(), o.config, cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	found, err := declog.Decision(cmd.Context(), conf, o.id)
	if err != nil {
		return err
	}
	out := cmd.OutOrStdout()
	if !o.json {
		fmt.Fprintf(out, "decision %s of %s\n", plain.Cell(found.ID), found.Request.Time.Local().Format(time.RFC3339))
	}
	return o.print(explain.Recorded(conf, found), out)
}
