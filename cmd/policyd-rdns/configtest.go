package main

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
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
			conf, err := loadConfig(path)
			if err != nil {
				fmt.Fprintln(cmd.ErrOrStderr(), err)
				return errNotWell
			}
			conf.print(cmd.OutOrStdout())
			for _, w := range conf.allWarnings() {
				fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+w.Error())
			}
			return nil
		},
	}
	configFlag(cmd, &path)
	return cmd
}

// print writes the effective rules, and what they rest on.
func (c *config) print(w io.Writer) {
	from := c.path
	if from == "" {
		from = "built-in"
	}
	fmt.Fprintf(w, "# configuration %s (%s), mode %s, on_doubt %s\n", c.hash, from, c.rules.Mode, c.rules.OnDoubt)
	fmt.Fprintf(w, "# listening on %s\n", strings.Join(c.server.listen, ", "))
	fmt.Fprintf(w, "# the first rule that holds decides; without one: dunno\n")
	for i := range c.rules.List {
		fmt.Fprintf(w, "\n# %d\n", i+1)
		writeRule(w, &c.rules.List[i])
	}
}
