package manual

import (
	"errors"
	"fmt"
	"strings"
)

// example is config.example.toml as a document: comments over keys, then a
// comment on rules, which begins with "# Rules. ".
type example struct {
	Intro  string
	Tables []table
	Rules  string
	Terms  []entry // the entries of rules, indented in the comment, their texts further
	Use    string  // what the comment says behind them
	Sample string  // rules that are commented out, without a space behind the #
}

// table is a table of the file; the first has no name.
type table struct {
	Name string
	Keys []entry
}

// entry is what one comment explains.
type entry struct {
	Lines []string // "key = value" of the keys that share it
	Text  string
}

// rulesBegin parts the settings, and their comments, from the rules.
const rulesBegin = "\n# Rules. "

// parseExample takes the file apart. Errors name the line where a paragraph
// begins.
func parseExample(text string) (example, error) {
	settings, rules, ok := strings.Cut(text, rulesBegin)
	if !ok {
		return example{}, fmt.Errorf("want a line that begins with %q", strings.TrimSpace(rulesBegin))
	}
	intro, settings, _ := strings.Cut(settings, "\n\n")
	e := example{Intro: uncomment(intro), Tables: []table{{}}}
	line := strings.Count(intro, "\n") + 3
	for paragraph := range strings.SplitSeq(strings.Trim(settings, "\n"), "\n\n") {
		if err := e.paragraph(paragraph); err != nil {
			return example{}, fmt.Errorf("line %d: %.60q: %w", line, paragraph, err)
		}
		line += strings.Count(paragraph, "\n") + 2
	}
	e.rules("# " + rules)
	return e, nil
}

// paragraph reads the head of a table if there is one, a comment and the keys
// below it.
func (e *example) paragraph(text string) error {
	if strings.HasPrefix(text, "[") {
		name, rest, _ := strings.Cut(text, "\n")
		e.Tables = append(e.Tables, table{Name: strings.Trim(name, "[]")})
		text = rest
	}
	var comment, keys []string
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case line == "":
		case strings.HasPrefix(line, "#") && len(keys) == 0:
			comment = append(comment, line)
		case strings.Contains(line, " = "):
			keys = append(keys, line)
		default:
			return errors.New("want comments, then keys")
		}
	}
	switch {
	case len(comment) == 0 && len(keys) == 0:
		return nil // the head alone
	case len(comment) == 0:
		return errors.New("a key without a comment")
	case len(keys) == 0:
		return errors.New("a comment without a key")
	}
	t := &e.Tables[len(e.Tables)-1]
	t.Keys = append(t.Keys, entry{keys, uncomment(strings.Join(comment, "\n"))})
	return nil
}

// rules takes the comment on rules apart.
func (e *example) rules(text string) {
	paragraph := &e.Rules
	for line := range strings.SplitSeq(strings.Trim(text, "\n"), "\n") {
		line = strings.TrimPrefix(line, "#")
		term, indented := strings.CutPrefix(line, "   ")
		switch {
		case indented && strings.HasPrefix(term, " ") && len(e.Terms) > 0:
			e.Terms[len(e.Terms)-1].Text += " " + strings.TrimSpace(term)
		case indented:
			name, means, _ := strings.Cut(term, "  ")
			e.Terms = append(e.Terms, entry{[]string{name}, strings.TrimSpace(means)})
			paragraph = &e.Use
		case strings.HasPrefix(line, " "):
			*paragraph += line[1:] + "\n"
		case line != "" || e.Sample != "":
			e.Sample += line + "\n"
		}
	}
}

// uncomment takes the # from each line.
func uncomment(text string) string {
	return strings.TrimPrefix(strings.ReplaceAll(text, "\n# ", "\n"), "# ")
}
