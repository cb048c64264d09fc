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
	"policyd-rdns/cmd/policyd-rdns/internal/plain"

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
	case !started: // one of the flags or arguments
		if found, _, _ := root.Find(args); found == root && len(args) > 0 && args[0][:min(1, len(args[0]))] != "-" {
			err = unknownCommand(root, args) // whatever flags it has
		}
		err = exit.Usage(err)
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
		Args:    unknownCommand,
		Version: versionText(),
	}
	root.SetVersionTemplate(versionLine())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.Usage(err) })
	root.AddCommand(newServe(), newExplain(), newWhy(), newAllow(), newHistory(), newClassify(), newLogCommand(), newReplay(), newDoctor(), newHealth(), newReport(), newPage(), newConfigtest(), newDemo(), newVersion(), newMan())
	return root
}

// unknownCommand says of what is no command which one may be meant.
func unknownCommand(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var names []string
	for _, c := range cmd.Commands() {
		if !c.Hidden {
			names = append(names, c.Name())
		}
	}
	meant := ""
	if near, ok := plain.Nearest(args[0], names); ok {
		meant = " (did you mean " + near + "?)"
	}
	return fmt.Errorf("unknown command %.60q%s", args[0], meant)
}

// configFlag adds -c, which all commands that judge have.
func configFlag(cmd *cobra.Command, path *string) {
	cmd.Flags().StringVarP(path, "config", "c", "", "TOML `file` with the configuration; none: built-in (default: "+inforce.DefaultPath+", if it is there)")
	_ = cmd.MarkFlagFilename("config", "toml")
}
