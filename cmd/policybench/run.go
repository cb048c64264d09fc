package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policybench/internal/trial"
)

// errMissed is what --check ends with.
var errMissed = errors.New("a demand is missed")

func newRun() *cobra.Command {
	var quick, check, asJSON bool
	var daemon string
	cmd := &cobra.Command{
		Use:   "run",
		Short: "measure policyd-rdns beside a service that does nothing",
		Long: `run starts the do-nothing service, policyd-rdns and DNS servers with millions of
clients on the loopback, measures them in turn, several times, and prints one
table: what is demanded, the median of what was measured, the least and the
greatest. It takes some seven minutes, with --quick one.

Without --daemon it builds the program, and has to be called within its source.
Other load on the machine widens the spread and spoils the latencies; the ratios
stand it best.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			o := trial.Options{Daemon: daemon, Plan: trial.Full(), Progress: cmd.ErrOrStderr()}
			if quick {
				o.Plan = trial.Quick()
			}
			report, err := measure(cmd.Context(), o)
			if err != nil {
				return err
			}
			if err := printReport(cmd.OutOrStdout(), report, asJSON); err != nil {
				return err
			}
			if check && !report.Met() {
				return errMissed
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.BoolVar(&quick, "quick", false, "one minute instead of five")
	f.StringVar(&daemon, "daemon", "", "`path` of policyd-rdns (default: it is built)")
	f.BoolVar(&check, "check", false, "exit 1 if a demand is missed")
	f.BoolVar(&asJSON, "json", false, "print JSON, with all samples")
	return cmd
}

// measure runs the trial, on a daemon that it builds if need be.
func measure(ctx context.Context, o trial.Options) (*trial.Report, error) {
	var err error
	if o.Bench, err = os.Executable(); err != nil {
		return nil, err
	}
	if o.Daemon == "" {
		dir, err := os.MkdirTemp("", "policybench")
		if err != nil {
			return nil, err
		}
		defer os.RemoveAll(dir)
		o.Daemon = filepath.Join(dir, "policyd-rdns")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", o.Daemon, "policyd-rdns/cmd/policyd-rdns")
		if out, err := build.CombinedOutput(); err != nil {
			return nil, fmt.Errorf("building policyd-rdns: %w\n%s", err, out)
		}
	}
	return trial.Run(ctx, o)
}

func printReport(out io.Writer, r *trial.Report, asJSON bool) error {
	if !asJSON {
		return r.Print(out)
	}
	e := json.NewEncoder(out)
	e.SetIndent("", "  ")
	return e.Encode(r)
}
