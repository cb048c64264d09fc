package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/exit"
)

func newConfigtest() *cobra.Command {
	var path string
	cmd := &cobra.Command{
		Use:   "configtest",
		Short: "check a configuration file and print the rules that it makes",
		Long: `configtest reports every error of the file at once, each with its line, key and
value and with what would be right, and exits with status 1 if there is one.
Else it prints the effective rules, in order, as TOML, and then warnings, to
standard error: what is allowed and probably not meant. They leave the status 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			conf, err := config.Load(path)
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), err)
				return exit.ErrNotWell
			}
			printConfig(cmd.OutOrStdout(), conf)
			for _, w := range conf.AllWarnings() {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+w.Error())
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// printConfig writes the effective rules, and what they rest on.
func printConfig(w io.Writer, c *config.Config) {
	from := c.Path
	if from == "" {
		from = "built-in"
	}
	fmt.Fprintf(w, "# configuration %s (%s), mode %s, on_doubt %s\n", c.Hash, from, c.Rules.Mode, c.Rules.OnDoubt)
	fmt.Fprintf(w, "# listening on %s\n", strings.Join(c.Server.Listen, ", "))
	fmt.Fprintf(w, "# the first rule that holds decides; without one: dunno\n")
	for i := range c.Rules.List {
		fmt.Fprintf(w, "\n# %d\n", i+1)
		config.WriteRule(w, &c.Rules.List[i])
	}
}
