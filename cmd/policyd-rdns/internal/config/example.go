package config

import (
	_ "embed"
	"fmt"
	"strconv"
	"strings"

	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
	"policyd-rdns/policy/reply"
)

// Manual is what there is to know about the file: config.example.toml and the manual
// page are made of it. What entries of rules ask for is policy's to say.
type Manual struct {
	Intro  string
	Tables []ManualTable // the first is that of the settings above all tables, without a name
	Rules  string        // what stands before the entries
	Use    string        // and behind them
	Sample string        // rules that show what can be done, as TOML
}

// ManualTable is a table of the file.
type ManualTable struct {
	Name     string
	Settings []ManualSettings
}

// ManualSettings is one setting or several, of which there is one thing to say.
type ManualSettings struct {
	Lines []string // "key = default"
	Text  string   // sentences
}

// ReadManual makes the manual from the table of settings.
func ReadManual() Manual {
	m := Manual{Intro: oneLine(exampleIntro), Rules: oneLine(exampleRules), Use: oneLine(exampleUse), Sample: strings.Trim(exampleSample(), "\n") + "\n"}
	for _, name := range tableNames() {
		t := ManualTable{Name: name}
		for i := range settings {
			s := &settings[i]
			if s.table() != name {
				continue
			}
			if s.about != "" {
				t.Settings = append(t.Settings, ManualSettings{Text: oneLine(s.documentation())})
			}
			last := &t.Settings[len(t.Settings)-1]
			last.Lines = append(last.Lines, s.key()+" = "+s.def)
		}
		m.Tables = append(m.Tables, t)
	}
	return m
}

// oneLine is a text that was written in several lines.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// Example is config.example.toml: every setting with its default and what there is to
// know about it, then all of rules, and some that are commented out.
func Example() string {
	m := ReadManual()
	var b strings.Builder
	comment(&b, m.Intro)
	for i := range m.Tables {
		b.WriteByte('\n')
		if name := m.Tables[i].Name; name != "" {
			fmt.Fprintf(&b, "[%s]\n", name)
		}
		for j, s := range m.Tables[i].Settings {
			if j > 0 {
				b.WriteByte('\n')
			}
			comment(&b, s.Text)
			for _, line := range s.Lines {
				b.WriteString(line + "\n")
			}
		}
	}
	b.WriteByte('\n')
	comment(&b, m.Rules)
	b.WriteString("#\n")
	exampleEntries(&b)
	b.WriteString("#\n")
	comment(&b, m.Use)
	b.WriteString("#\n")
	for line := range strings.Lines(m.Sample) {
		b.WriteString("#" + line)
	}
	return b.String()
}

const (
	exampleIntro = "policyd-rdns: every setting with its default. What is left out keeps it. " +
		"Check a change with `policyd-rdns configtest -c FILE`, try it on one client with " +
		"`policyd-rdns explain -c FILE ADDRESS`, then send the daemon a SIGHUP."

	exampleRules = `Rules, below the tables. First come the exemptions, then the rules of this
		file, then the built-in ones. The first that holds decides; if none does, the answer
		is DUNNO: no objection. "when" holds if every entry in it does. An entry with a list
		holds if one of the list does; "!x" of a check is every result but x and temperror.
		"unless" is a table, or a list of tables: if one of them holds, the rule does not. The
		entries:`

	exampleUse = `"@/path" in a list stands for the lines of a file. In what follows, remove "#"
		from what you want to use; most keys may be left out:`
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
		"{placeholders}", strings.Join(reply.Placeholders(), " "),
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
