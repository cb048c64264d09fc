// Package manual writes the manual pages in roff, for man(1): policyd-rdns(8) from the
// help of the commands, policyd-rdns.toml(5) from the table of settings and from what
// policy says of checks and entries, policyd-rdns-log(5) from the table of the decision
// log's keys. What none of them says (files, signals, how to connect it to Postfix) is in
// the templates. The pages need the macros of man(7) only, and are ASCII.
package manual

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Head is what a page says of itself.
type Head struct {
	Version string
	Date    time.Time // printed in UTC, to the day
}

// Day is the date as on the page.
func (h Head) Day() string {
	return h.Date.UTC().Format(time.DateOnly)
}

// shownCommands are the commands of the page, in the order of --help.
func shownCommands(root *cobra.Command) []*cobra.Command {
	var commands []*cobra.Command
	for _, cmd := range root.Commands() {
		if !cmd.Hidden && cmd.Name() != "help" {
			commands = append(commands, cmd)
		}
	}
	return commands
}

// arguments are what a command takes behind its name: from its help, or which
// command of its own.
func arguments(cmd *cobra.Command) string {
	if !cmd.HasAvailableSubCommands() {
		return strings.TrimPrefix(cmd.Use, cmd.Name())
	}
	var names []string
	for _, sub := range cmd.Commands() {
		names = append(names, sub.Name())
	}
	return " " + strings.Join(names, "|")
}

// shownFlags are a command's flags but --help, which all have.
func shownFlags(cmd *cobra.Command) []*pflag.Flag {
	var flags []*pflag.Flag
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		if !f.Hidden && f.Name != "help" {
			flags = append(flags, f)
		}
	})
	return flags
}

// flagName is "-c, --config file", names in bold, the value in italics.
func flagName(f *pflag.Flag) string {
	name := `\fB\-\-` + escape(f.Name) + `\fR`
	if f.Shorthand != "" {
		name = `\fB\-` + escape(f.Shorthand) + `\fR, ` + name
	}
	if value, _ := pflag.UnquoteUsage(f); value != "" {
		name += ` \fI` + escape(value) + `\fR`
	}
	return name
}

// flagUsage is what --help says of a flag, as a sentence.
func flagUsage(f *pflag.Flag) string {
	_, usage := pflag.UnquoteUsage(f)
	switch f.DefValue {
	case "", "false", "0", "[]":
		return usage + "."
	}
	return fmt.Sprintf("%s (default: %s).", usage, f.DefValue)
}
