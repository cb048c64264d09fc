// Package status is the page that says how the daemon does: is it well, what has
// it decided in the last hours, whom has it refused, and why.
//
// It keeps decisions as the lines of their log, the latest of those that
// objected to a client apart from the rest, so that a day of good mail drives none
// of them out. What it takes does not depend on the load: [Memory] bytes, and some
// 20 MiB while a page is being made, one at a time. After a restart it knows what
// [Page.Recall] was given of the log.
//
// There are three pages:
//
//	/              state, chart, the last refused clients
//	/?q=TEXT       those with an address, network, name, HELO, sender, recipient or ID
//	/decision/ID   one decision explained as "policyd-rdns explain" does
//
// Names of clients are shown and do nothing: html/template escapes them where
// they stand. The pages work without scripts; one of their own keeps the first page as
// of now, and tells times in the reader's zone.
package status

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"html/template"
	"net/http"
	"strings"
	"sync"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/metrics"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
)

// Memory is what the kept decisions take, in bytes.
const Memory = objectedBytes + passedBytes + maxLines*2*16 + dayMinutes*32 + todayBytes + countsBytes

const (
	// objectedBytes is some 6000 lines of decisions that objected to a client,
	// passedBytes half as many of others.
	objectedBytes = 4 << 20
	passedBytes   = 2 << 20
	// maxLines bounds the lines of either.
	maxLines = 8192
	// maxLine bounds one line, in bytes: none of the log is longer.
	maxLine = journal.MaxLine
)

// State is what the page says beside the decisions, as of now.
type State struct {
	metrics.State
	Version   string
	Host      string // name
	Started   time.Time
	Listening bool

	File         string // of the configuration; empty: built-in
	Rules        int
	Loaded       time.Time // when the configuration in force was read
	ReloadFailed string    // why it could not be read later; empty: it was not tried, or could be

	ExemptFailed string   // what is wrong with exempt_file; empty: nothing
	Ending       []string // exemptions that end within a day, each with when, and why it was made

	Unseen string // why Postfix does not see who its clients are, and what to do; empty: it does
}

// Source is where the page has its content from. Its functions are called by one
// goroutine at a time.
type Source struct {
	State   func() State
	Summary func(*journal.Record) Summary
	Explain func(*journal.Record) Explanation
}

// Summary is a decision in a line, in printable ASCII.
type Summary struct {
	Client string
	Name   string // confirmed; in brackets if it is not; - if there is none
	HELO   string
	Rule   string
	Reason string // in words
}

// Page answers requests for the pages. Keep and ServeHTTP may be called from any
// number of goroutines.
type Page struct {
	source    Source
	now       func() time.Time
	templates *template.Template
	making    chan struct{} // holds one while a page is being made

	mu       sync.Mutex // guards what follows
	kept     uint64     // decisions, ever
	tooLong  uint64     // of them, that are not kept for their size
	objected ring
	passed   ring
	day      day
	today    today
	counts   counts

	since time.Time // of the first decision that was recalled; zero: none was
}

//go:embed pages
var files embed.FS

// New makes a page that knows of no decision yet. now is the clock; nil:
// time.Now.
func New(source Source, now func() time.Time) *Page {
	if now == nil {
		now = time.Now
	}
	return &Page{
		source: source, now: now,
		templates: template.Must(template.New("").Funcs(functions()).ParseFS(files, "pages/*.html")),
		making:    make(chan struct{}, 1),
		objected:  newRing(objectedBytes, maxLines),
		passed:    newRing(passedBytes, maxLines),
		today:     newToday(),
	}
}

// Keep takes a decision with its line of the log, which it copies. The nil Page
// keeps nothing.
func (p *Page) Keep(r *journal.Record, line []byte) {
	if p == nil {
		return
	}
	try, message := p.today.try(r)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.kept++
	p.day.count(r)
	p.counts.add(r)
	if message {
		p.today.add(&try, r.Request.Time)
	}
	switch {
	case len(line) > maxLine:
		p.tooLong++
	case r.Decision.Decided != policy.DUNNO:
		p.objected.put(p.kept, line)
	default:
		p.passed.put(p.kept, line)
	}
}

// makeTime is how long a request waits for the pages of others to be made.
const makeTime = 10 * time.Second

// ServeHTTP answers with a page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch r.URL.Path {
	case "/style.css":
		p.file(w, r, "text/css; charset=utf-8", "pages/style.css")
		return
	case "/live.js":
		p.file(w, r, "text/javascript; charset=utf-8", "pages/live.js")
		return
	case "/icon.svg":
		p.file(w, r, "image/svg+xml", "pages/icon.svg")
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), makeTime)
	defer cancel()
	select {
	case p.making <- struct{}{}:
	case <-ctx.Done():
		http.Error(w, "Too many ask for this page.", http.StatusServiceUnavailable)
		return
	}
	status, body := p.make(r)
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(body) // who has gone has gone
}

// make makes a page.
func (p *Page) make(r *http.Request) (status int, body []byte) {
	defer func() { <-p.making }()
	id, decision := strings.CutPrefix(r.URL.Path, "/decision/")
	var name string
	var view any
	switch {
	case decision:
		status, name, view = p.decision(id)
	case r.URL.Path == "/":
		status, name, view = http.StatusOK, "front.html", p.front(r.URL.Query())
	default:
		status, name, view = http.StatusNotFound, "missing.html", missing{p.head("Not found"), "There is no such page."}
	}
	var page bytes.Buffer
	if err := p.templates.ExecuteTemplate(&page, name, view); err != nil {
		return http.StatusInternalServerError, fmt.Appendf(nil, "<!DOCTYPE html>\n<title>Error</title>\n<p>%s</p>\n", template.HTMLEscapeString(err.Error()))
	}
	return status, page.Bytes()
}

func (p *Page) file(w http.ResponseWriter, r *http.Request, kind, name string) {
	w.Header().Set("Content-Type", kind)
	http.ServeFileFS(w, r, files, name)
}

// head is what every page begins and ends with.
type head struct {
	Title string
	State State
	Now   time.Time
}

func (p *Page) head(title string) head { return head{title, p.source.State(), p.now()} }

// missing is a page that there is not.
type missing struct {
	head
	Text string
}
