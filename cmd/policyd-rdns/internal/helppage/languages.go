package helppage

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/language"
)

// first is the language of whoever understands none of ours.
const first = "en"

// languages are those that the page speaks, the first of them for everybody else.
type languages struct {
	all     []*speech
	matcher language.Matcher
}

// speech is the page in one language.
type speech struct {
	tag       string // BCP 47: "en"
	others    []*speech
	templates *template.Template
}

// newLanguages reads the texts.
func newLanguages() *languages {
	texts, err := fs.Glob(files, "texts/*.html")
	if err != nil {
		panic("helppage: " + err.Error())
	}
	l := new(languages)
	for _, file := range texts {
		l.all = append(l.all, newSpeech(strings.TrimSuffix(path.Base(file), ".html"), file))
	}
	slices.SortStableFunc(l.all, func(a, b *speech) int {
		return map[bool]int{a.tag == first: -1, b.tag == first: 1}[true]
	})
	var tags []language.Tag
	for _, s := range l.all {
		s.others = slices.DeleteFunc(slices.Clone(l.all), func(other *speech) bool { return other == s })
		tags = append(tags, language.MustParse(s.tag))
	}
	l.matcher = language.NewMatcher(tags)
	return l
}

func newSpeech(tag, file string) *speech {
	s := &speech{tag: tag}
	s.templates = template.Must(template.New("").Funcs(template.FuncMap{
		"say":     s.say,
		"machine": func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
		"minute":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04") },
		"second":  func(t time.Time) string { return t.UTC().Format("2006-01-02 15:04:05") },
		"units":   units,
		"style":   func() template.HTML { return template.HTML("<style>" + style + "</style>") },
		"script":  func() template.HTML { return template.HTML("<script>" + script + "</script>") },
	}).ParseFS(files, "pages/*.html", file))
	return s
}

// say is a text of the language, filled in. It is HTML, and what strangers chose is
// escaped in it.
func (s *speech) say(name string, about any) (template.HTML, error) {
	var text bytes.Buffer
	if s.templates.Lookup(name) == nil {
		return "", fmt.Errorf("no text %q in %s", name, s.tag)
	}
	err := s.templates.ExecuteTemplate(&text, name, about)
	return template.HTML(text.String()), err // escaped by the template
}

// wanted is the language that somebody wants: that of a link of ours, or the best that his
// browser names.
func (l *languages) wanted(r *http.Request) *speech {
	link := r.URL.Query().Get("lang")
	for _, s := range l.all {
		if s.tag == link {
			return s
		}
	}
	_, i := language.MatchStrings(l.matcher, r.Header.Get("Accept-Language"))
	return l.all[i]
}

// write writes a page.
func (s *speech) write(w io.Writer, v *view) error {
	return s.templates.ExecuteTemplate(w, "page", shown{view: v, speech: s})
}

// shown is a page in a language.
type shown struct {
	*view
	speech *speech
	// Past: what is told of the cause is not so any more.
	Past bool
}

// AsThen is the page for the texts that tell of the cause.
func (s shown) AsThen() shown {
	s.Past = s.Kind == kindCase && s.Found != nil && s.State() != s.Cause
	return s
}

// Lang is the language.
func (s shown) Lang() string { return s.speech.tag }

// Others are the other languages, each by its own name.
func (s shown) Others() (all []link, err error) {
	for _, other := range s.speech.others {
		name, err := other.say("language", nil)
		if err != nil {
			return nil, err
		}
		all = append(all, link{other.tag, string(name)})
	}
	return all, nil
}

// link is that of the page in another language.
type link struct{ Tag, Name string }

// amount is a time as a number of a unit.
type amount struct {
	Number int
	Unit   string // second, minute, hour, day
}

// units is a time in the largest unit that it has two of, rounded up.
func units(d time.Duration) amount {
	for _, u := range []struct {
		name string
		of   time.Duration
	}{{"day", 24 * time.Hour}, {"hour", time.Hour}, {"minute", time.Minute}} {
		if d >= 2*u.of {
			return amount{int((d + u.of - 1) / u.of), u.name}
		}
	}
	return amount{seconds(d), "second"}
}
