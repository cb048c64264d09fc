package config

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// Example is config.example.toml: every setting with its default and what there is to
// know about it, then all of rules, and some that are commented out.
func Example() string {
	var b strings.Builder
	comment(&b, exampleIntro)
	for _, name := range tableNames() {
		b.WriteByte('\n')
		if name != "" {
			fmt.Fprintf(&b, "[%s]\n", name)
		}
		first := true
		for i := range settings {
			s := &settings[i]
			if s.table() != name {
				continue
			}
			if s.about != "" && !first {
				b.WriteByte('\n')
			}
			first = false
			comment(&b, s.documentation())
			fmt.Fprintf(&b, "%s = %s\n", s.key(), s.def)
		}
	}
	b.WriteByte('\n')
	comment(&b, exampleRules)
	b.WriteString("#\n")
	exampleEntries(&b)
	b.WriteString("#\n")
	comment(&b, exampleUse)
	for line := range strings.Lines(exampleSample()) {
		b.WriteString("#" + line)
	}
	return b.String()
}

const (
	exampleIntro = "policyd-rdns: every setting with its default. What is left out keeps it. " +
		"Check a change with `policyd-rdns configtest -c FILE`, try it on one client with " +
		"`policyd-rdns explain -c FILE ADDRESS`, then send the daemon a SIGHUP."

	exampleRules = `Rules. They stand below the tables. First come the exemptions, then the rules of this
		file, then the built-in ones; the first that holds decides, and without one the
		answer is DUNNO. "when" holds if every entry holds; an entry with a list holds if
		one of the list does, and "!x" of a check is every result but x and temperror.
		"unless" is a table or a list of tables: the rule does not hold if one of them
		holds wholly. The entries:`

	exampleUse = `A list may hold "@/path". To use the examples, remove "#" and what follows does
		not need to be there:`
)

// documentation is what there is to know about a setting.
func (s *setting) documentation() string {
	text := strings.ReplaceAll(s.about, "{limits}", s.limits)
	if s.restart && text != "" {
		text += " A change waits for a restart."
	}
	return text
}

// exampleEntries writes what a rule may ask for.
func exampleEntries(b *strings.Builder) {
	keys := policy.EntryKeys()
	column := 0
	for _, key := range keys {
		column = max(column, len(key)+2)
	}
	for _, key := range keys {
		var lines []string
		if check, ok := policy.CheckByName(key); ok {
			lines = plain.Wrap(check.Question(), exampleWidth-column-4)
			var results []string
			for _, r := range check.Results() {
				results = append(results, strconv.Quote(r.String()))
			}
			lines = append(lines, plain.Wrap(strings.Join(results, " "), exampleWidth-column-4)...)
		} else {
			lines = plain.Wrap(policy.EntryValues(key), exampleWidth-column-4)
		}
		for _, line := range lines {
			fmt.Fprintf(b, "#   %-*s%s\n", column, key, line)
			key = ""
		}
	}
}

// sampleRules are rules that show what can be done.
//
//go:embed sample.toml
var sampleRules string

// exampleSample is the sample rules, and one more with every entry that they have not.
func exampleSample() string {
	var actions []string
	for _, a := range policy.Actions(true) {
		if a != policy.Reject {
			actions = append(actions, strconv.Quote(a.String()))
		}
	}
	var b strings.Builder
	b.WriteByte('\n')
	b.WriteString(strings.NewReplacer(
		"{other actions}", strings.Join(actions, ", "),
		"{placeholders}", strings.Join(policy.Texts(), " "),
	).Replace(sampleRules))
	rest := policy.Rule{Name: "every other entry", Exempt: true}
	for _, key := range policy.EntryKeys() {
		if !strings.Contains(sampleRules, " "+key+" = ") {
			value := policy.EntryExample(key)
			entry, errs := policy.NewEntry(key, []string{value}, []string{value})
			if len(errs) > 0 {
				panic(fmt.Sprintf("config: the example of %s: %v", key, errs[0]))
			}
			rest.When = append(rest.When, entry)
		}
	}
	b.WriteByte('\n')
	WriteRule(&b, &rest)
	return b.String()
}

// exampleWidth is where lines of the example break.
const exampleWidth = 80

// comment writes a text as a comment; nothing if it is empty.
func comment(b *strings.Builder, text string) {
	for _, line := range plain.Wrap(text, exampleWidth-2) {
		b.WriteString("# " + line + "\n")
	}
}
