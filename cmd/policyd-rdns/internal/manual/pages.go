package manual

import (
	_ "embed"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/policy"
)

var (
	//go:embed program.tmpl
	programPage string
	//go:embed configuration.tmpl
	configurationPage string
	//go:embed log.tmpl
	logPage string
)

// page is all that one manual page is.
type page struct {
	name string // of its file: what is explained, and the section of the manual
	text string // a template
	// data is what the template is filled with, beside the head.
	data func(root *cobra.Command) any
}

// pages are the manual pages, the first of the program itself.
func pages() []page {
	return []page{
		{"policyd-rdns.8", programPage, func(root *cobra.Command) any { return program{root, shownCommands(root), Troubles()} }},
		{"policyd-rdns.toml.5", configurationPage, func(*cobra.Command) any { return configuration{config.ReadManual(), entries()} }},
		{"policyd-rdns-log.5", logPage, func(*cobra.Command) any { return decisionLog() }},
	}
}

// Pages lists the names of the pages' files, such as "policyd-rdns.8".
func Pages() []string {
	var names []string
	for _, p := range pages() {
		names = append(names, p.name)
	}
	return names
}

// Write writes the page of a name that [Pages] has. Root is the program with all its
// commands; cobra's completion command is added to it, as running it would. An error is
// that there is no such page, or that of w.
func Write(w io.Writer, name string, root *cobra.Command, head Head) error {
	all := pages()
	i := slices.IndexFunc(all, func(p page) bool { return p.name == name })
	if i < 0 {
		return fmt.Errorf("no manual page %.60q: there are %s", name, strings.Join(Pages(), ", "))
	}
	root.InitDefaultCompletionCmd()
	return fill(w, all[i].text, struct {
		Head
		Data any
	}{head, all[i].data(root)})
}

func fill(w io.Writer, text string, data any) error {
	t, err := template.New("page").Funcs(template.FuncMap{
		"roff":  escape,
		"prose": prose,
		"lines": verbatim,
		"flags": shownFlags,
		"flag":  flagName,
		"about": flagUsage,
		"args":  arguments,
	}).Parse(text)
	if err != nil {
		return err
	}
	return t.Execute(w, data)
}

// program is what policyd-rdns(8) is about.
type program struct {
	Root     *cobra.Command
	Commands []*cobra.Command
	Troubles []Trouble
}

// configuration is what policyd-rdns.toml(5) is about.
type configuration struct {
	config.Manual
	Entries []entry
}

// entry is a key that rules and log lines have.
type entry struct {
	Key     string
	Text    string
	Results []outcome // of a check
}

// outcome is a result of a check.
type outcome struct{ Name, Text string }

// entries are those of rules.
func entries() []entry {
	var all []entry
	for _, key := range policy.EntryKeys() {
		e := entry{Key: key, Text: policy.EntryValues(key)}
		if c, ok := policy.CheckByName(key); ok {
			e.Text, e.Results = c.Question(), outcomes(c)
		}
		all = append(all, e)
	}
	return all
}

// outcomes are the results of a check.
func outcomes(c policy.Check) []outcome {
	var all []outcome
	for _, r := range c.Results() {
		all = append(all, outcome{r.String(), c.Doc(r)})
	}
	return all
}
