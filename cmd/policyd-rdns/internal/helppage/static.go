package helppage

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"

	"policyd-rdns/policy/casenumber"
)

// WriteStatic writes a page for each cause into a folder, which is made if it is not
// there, for a web server that serves files: CAUSE/index.html, and index.html with a list
// of them. Each page is in all languages. It gives the files that it wrote; one that was
// there is replaced.
func WriteStatic(folder string, settings Settings) (written []string, err error) {
	l := newLanguages()
	for _, c := range casenumber.Causes() {
		name := filepath.Join(folder, c.String(), "index.html")
		if err := l.writeFile(name, "static", staticPage{l, settings, c.String()}); err != nil {
			return written, err
		}
		written = append(written, name)
	}
	name := filepath.Join(folder, "index.html")
	if err := l.writeFile(name, "causes", staticPage{l, settings, ""}); err != nil {
		return written, err
	}
	return append(written, name), nil
}

// writeFile writes a page into a file, whole or not at all.
func (l *languages) writeFile(name, page string, about staticPage) error {
	var text bytes.Buffer
	if err := l.all[0].templates.ExecuteTemplate(&text, page, about); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		return err
	}
	part := name + ".part"
	if err := os.WriteFile(part, text.Bytes(), 0o644); err != nil {
		return err
	}
	if err := os.Rename(part, name); err != nil {
		_ = os.Remove(part)
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

// staticPage is one page of a folder.
type staticPage struct {
	languages *languages
	settings  Settings
	cause     string // empty: that of all causes
}

// Cause is the cause's word.
func (p staticPage) Cause() string { return p.cause }

// StyleHash is that of the style, as CSP has it.
func (staticPage) StyleHash() string { return styleHash }

// Causes are the causes' words, that of all that is no other one last.
func (staticPage) Causes() []string {
	var all []string
	for _, c := range casenumber.Causes() {
		if c != casenumber.Other {
			all = append(all, c.String())
		}
	}
	return append(all, casenumber.Other.String())
}

// Parts are the page in each of the languages.
func (p staticPage) Parts() []part {
	var all []part
	for _, s := range p.languages.all {
		all = append(all, part{s, p})
	}
	return all
}

// part is a page of a folder in one language.
type part struct {
	speech *speech
	page   staticPage
}

// Lang is the language.
func (p part) Lang() string { return p.speech.tag }

// Say is a text of the language about the page's cause.
func (p part) Say(name string) (any, error) { return p.About(p.page.cause, name) }

// About is a text of the language about a cause.
func (p part) About(cause, name string) (any, error) {
	v := view{Kind: kindCause, Cause: cause, Contact: p.page.settings.contact()}
	return p.speech.say(name, shown{view: &v, speech: p.speech})
}
