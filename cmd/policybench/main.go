// Command policybench measures policy services for Postfix. It has a load
// generator that asks any of them as Postfix does, a synthetic DNS with millions
// of clients for those that look at where a client comes from, a do-nothing
// service to compare with, and a run of all of it against policyd-rdns. See
// BENCHMARKS.md.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit status of every command.
const (
	exitWell    = 0
	exitNotWell = 1
	exitUsage   = 2
)

// errUsage marks an error in how a command was called.
type errUsage struct{ error }

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	root := newRoot()
	root.SetArgs(args)
	root.SetOut(stdout)
	root.SetErr(stderr)
	started := false
	root.PersistentPreRun = func(*cobra.Command, []string) { started = true }
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitWell
	}
	fmt.Fprintf(stderr, "policybench: %v\n", err)
	var usage errUsage
	if !started || errors.As(err, &usage) {
		return exitUsage
	}
	return exitNotWell
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "policybench",
		Short: "measure policy services for Postfix",
		Long: `policybench measures policy services for Postfix (SMTPD_POLICY_README): how many
requests they answer, how soon, and at what cost of processor time and memory.

  policybench run                            policyd-rdns against a service that does nothing
  policybench load --addr 127.0.0.1:10023    any service, with requests as Postfix sends them
  policybench floor, policybench world       the service that does nothing, and a DNS with millions of clients`,
		SilenceUsage:  true,
		SilenceErrors: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_ = cmd.Help()
			return errUsage{errors.New("which command?")}
		},
		Args: cobra.NoArgs,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return errUsage{err} })
	root.AddCommand(newLoad(), newWorld(), newFloor(), newRun())
	return root
}

// onLoopback refuses an address to listen on that others could reach.
func onLoopback(address string) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil || !ap.Addr().Unmap().IsLoopback() {
		return errUsage{fmt.Errorf("--listen %.60q: want an address of the loopback and a port, such as 127.0.0.1:0", address)}
	}
	return nil
}

// tellAddress says where a server can be found, once it can.
func tellAddress(out io.Writer, l net.Listener) {
	fmt.Fprintf(out, "listening %s\n", l.Addr())
}
