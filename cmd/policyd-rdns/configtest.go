package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
	"policyd-rdns/cmd/policyd-rdns/internal/inforce"
)

func newConfigtest() *cobra.Command {
	var path string
	var rules bool
	cmd := &cobra.Command{
		Use:   "configtest",
		Short: "check a configuration file, and print the rules that it makes",
		Long: `configtest reports every error of the file at once, each with its line, key and
value and with what would be right, and exits with status 1 if there is one.
With --rules it prints the rules in force, in their order, as TOML, each with
where it comes from. Warnings come last, on standard error: what is allowed and
probably not meant. They leave the status 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := inforce.Load(cmd.Context(), path, cmd.ErrOrStderr())
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), err)
				return exit.ErrNotWell
			}
			printConfig(cmd.OutOrStdout(), conf, rules)
			for _, w := range conf.AllWarnings() {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+w.Error())
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	cmd.Flags().BoolVar(&rules, "rules", false, "print the rules in force, in their order, each with where it comes from")
	return cmd
}

// printConfig writes what is in force, with its rules on request.
func printConfig(w io.Writer, c *config.Config, rules bool) {
	from := c.Path
	if from == "" {
		from = "built-in"
	}
	fmt.Fprintf(w, "# configuration %s (%s), mode %s, on_doubt %s\n", c.Hash, from, c.Rules.Mode, c.Rules.OnDoubt)
	fmt.Fprintf(w, "# listening on %s\n", strings.Join(c.Server.Listen, ", "))
	if rules {
		fmt.Fprintf(w, "# the first rule that holds decides; without one: dunno\n")
		c.WriteRules(w)
	}
}
