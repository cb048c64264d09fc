package main

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/manual"
)

// newMan writes the manual pages. It is for those who build packages.
func newMan() *cobra.Command {
	var example string
	var epoch int64
	cmd := &cobra.Command{
		Use:   "man",
		Short: "write a manual page, in roff",
		Long: `man writes the manual page policyd-rdns(8), which holds the help of all
commands, or, from config.example.toml, policyd-rdns.toml(5).`,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			head := manual.Head{Version: versionText(), Date: time.Unix(epoch, 0)}
			if example == "" {
				return manual.Program(cmd.OutOrStdout(), cmd.Root(), head)
			}
			text, err := os.ReadFile(example)
			if err != nil {
				return err
			}
			return manual.Configuration(cmd.OutOrStdout(), example, string(text), head)
		},
	}
	cmd.Flags().StringVar(&example, "toml", "", "write policyd-rdns.toml(5), from this `file`")
	cmd.Flags().Int64Var(&epoch, "epoch", 0, "date of the page, in `seconds` since 1970 (SOURCE_DATE_EPOCH)")
	_ = cmd.MarkFlagFilename("toml", "toml")
	return cmd
}
