package manual

import "strings"

// lineLength is what mandoc(1) takes for a long line of input.
const lineLength = 80

// escape makes text of ASCII print as it is: roff's own characters, and those
// that it would set as typographic ones, which a shell would not understand
// (groff_char(7)).
func escape(text string) string {
	return strings.NewReplacer(
		`\`, `\e`,
		"-", `\-`,
		"'", `\(aq`,
		"`", `\(ga`,
		"^", `\(ha`,
		"~", `\(ti`,
		`"`, `\(dq`,
	).Replace(text)
}

// prose is text with lines to be filled. Empty lines part paragraphs; what is
// indented stays as it is.
func prose(text string) string {
	var page strings.Builder
	for i, paragraph := range strings.Split(strings.Trim(text, "\n"), "\n\n") {
		if i > 0 {
			page.WriteString(".PP\n")
		}
		if strings.HasPrefix(paragraph, " ") {
			page.WriteString(".RS 4\n" + verbatim(paragraph) + ".RE\n")
			continue
		}
		page.WriteString(filled(paragraph))
	}
	return page.String()
}

// filled is one paragraph, each sentence on a line of its own as roff wants it,
// to set the space behind it.
func filled(paragraph string) string {
	var page strings.Builder
	width := 0
	for _, word := range strings.Fields(paragraph) {
		ended := strings.HasSuffix(word, ".") && !strings.HasSuffix(word, "...")
		word = escape(word)
		switch {
		case width == 0:
			page.WriteString(shield(word))
			width = len(word)
		case width+1+len(word) < lineLength:
			page.WriteString(" " + word)
			width += 1 + len(word)
		default:
			page.WriteString("\n" + shield(word))
			width = len(word)
		}
		if ended {
			page.WriteString("\n")
			width = 0
		}
	}
	return strings.TrimSuffix(page.String(), "\n") + "\n"
}

// verbatim is text whose lines are kept, without the indentation that all have.
func verbatim(text string) string {
	text = strings.Trim(text, "\n")
	indent := len(text) - len(strings.TrimLeft(text, " "))
	var page strings.Builder
	page.WriteString(".nf\n")
	for line := range strings.SplitSeq(text, "\n") {
		page.WriteString(shield(escape(line[min(indent, len(line)):])) + "\n")
	}
	page.WriteString(".fi\n")
	return page.String()
}

// shield keeps a line of text from being taken for a request, or for an empty
// line, which ends a paragraph.
func shield(line string) string {
	if line == "" || line[0] == '.' || line[0] == '\'' {
		return `\&` + line
	}
	return line
}
