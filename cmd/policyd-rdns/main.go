// Command policyd-rdns is a policy service for Postfix that judges SMTP clients
// by their reverse DNS. See README.md for what it does and
// config.example.toml for every setting.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"

	"github.com/spf13/cobra"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(stdin)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	err := root.ExecuteContext(ctx)
	switch {
	case err == nil || errors.Is(err, exit.ErrNotWell):
		return exit.Status(err)
	case !started:
		err = exit.Usage(err) // one of the flags or arguments
	}
	fmt.Fprintf(stderr, "policyd-rdns: %v\n", err)
	return exit.Status(err)
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "policyd-rdns",
		Short: "judge SMTP clients by their reverse DNS, for Postfix",
		Long: `policyd-rdns is a policy service for Postfix. For each SMTP client it checks
whether the address has a name, whether the name resolves back to the address,
whether the name was made from the address, and whether HELO is the client's
own; ordered rules in a TOML file turn that into reject, defer or nothing.

  policyd-rdns demo     a dozen clients, no network needed
  policyd-rdns serve    the daemon
  policyd-rdns explain 192.0.2.1 --helo mail.example.com
  policyd-rdns why 192.0.2.1`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return exit.Usage(errors.New("which command?"))
		},
		Args: cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.Usage(err) })
	root.AddCommand(newServe(), newExplain(), newWhy(), newAllow(), newClassify(), newLogCommand(), newReplay(), newDoctor(), newReport(), newConfigtest(), newDemo(), newVersion(), newMan())
	return root
}

// configFlag adds -c, which all commands that judge have.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "TOML `file` with the configuration; none: built-in (default: "+inforce.DefaultPath+", if it is there)")
	_ = cmd.MarkFlagFilename("config", "toml")
}
