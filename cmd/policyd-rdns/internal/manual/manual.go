// Package manual writes the manual pages in roff, for man(1): policyd-rdns(8)
// from the help of the commands, policyd-rdns.toml(5) from the comments of
// config.example.toml. What neither says (files, signals, how to connect it to
// Postfix) is in the templates. The pages need the macros of man(7) only, and
// are ASCII.
package manual

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

var (
	//go:embed program.tmpl
	programPage string
	//go:embed configuration.tmpl
	configurationPage string
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

// Program writes policyd-rdns(8), with every command below root that is not
// hidden. It adds cobra's completion command to root, as running it would.
func Program(w io.Writer, root *cobra.Command, head Head) error {
	root.InitDefaultCompletionCmd()
	return fill(w, programPage, struct {
		Head
		Root     *cobra.Command
		Commands []*cobra.Command
	}{head, root, shownCommands(root)})
}

// Configuration writes policyd-rdns.toml(5) from the text of
// config.example.toml. An error names the file and its line.
func Configuration(w io.Writer, name, text string, head Head) error {
	e, err := parseExample(text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return fill(w, configurationPage, struct {
		Head
		example
	}{head, e})
}

func fill(w io.Writer, page string, data any) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"roff":  escape,
		"prose": prose,
		"lines": verbatim,
		"flags": shownFlags,
		"flag":  flagName,
		"about": flagUsage,
		"args":  arguments,
	}).Parse(page)
	if err != nil {
		return err
	}
	return t.Execute(w, data)
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
