// Package browser opens the program's pages in a headless Chromium, for tests
// only: what a browser complains of, what it asks others for, what it looks
// like.
//
//	page := browser.Open(t, server.URL, browser.View{Width: 390, Dark: true})
//	page.Click(t, "th button")
//	rows := browser.Eval[int](t, page, "document.querySelectorAll('tr').length")
//	page.Shot(t, "phone-dark") // a PNG among the test's artifacts
//	page.Check(t)              // no error, no request to elsewhere
//
// A test is skipped where there is no Chromium, and fails there if
// POLICYD_RDNS_REQUIRE_ALL is set. Chromium runs in a profile of its own, ends
// with the test, and cannot resolve any name: only addresses and files can be
// opened.
package browser

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	// requireAll makes a failure of what is else a reason to skip a test.
	requireAll = "POLICYD_RDNS_REQUIRE_ALL"
	// patience bounds all that is done with one page.
	patience = 60 * time.Second
)

// View is how a page is looked at.
type View struct {
	Width, Height int    // CSS pixels; 0: 1280, 800
	Dark          bool   // prefers-color-scheme
	Media         string // "print"; empty: screen
}

// Page is a page in a browser. Its methods end the test with what went wrong.
type Page struct {
	ctx  context.Context
	from *url.URL

	mu         sync.Mutex
	complaints []string
	foreign    []string
}

// Open starts a browser and opens a page in it: an http URL with an address, or
// a file URL. It returns when the page has loaded.
func Open(t testing.TB, address string, v View) *Page {
	t.Helper()
	path := program(t)
	from, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	options := append(slices.Clip(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(path),
		chromedp.Flag("host-resolver-rules", "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE [::1]"),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("hide-scrollbars", true),
	)
	if os.Geteuid() == 0 {
		options = append(options, chromedp.NoSandbox) // which Chromium refuses to root
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewExecAllocator(ctx, options...)
	t.Cleanup(cancel)
	ctx, cancel = chromedp.NewContext(ctx)
	t.Cleanup(cancel)
	p := &Page{ctx: ctx, from: from}
	if err := chromedp.Listen(ctx, p.hear); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatal(err)
	}
	p.Look(t, v)
	p.do(t, chromedp.Navigate(address))
	return p
}

// program finds Chromium, by any of its names.
func program(t testing.TB) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const what = "needs the program chromium (Debian package chromium)"
	if os.Getenv(requireAll) != "" {
		t.Fatal(what)
	}
	t.Skip(what)
	return ""
}

// hear notes what the page complains of, and whom it asks. It is called by one
// goroutine, before the reply to any command that comes later.
func (p *Page) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if e.Type == "error" || e.Type == "warning" || e.Type == "assert" {
			p.complaints = append(p.complaints, fmt.Sprintf("console.%s: %s", e.Type, arguments(e.Args)))
		}
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		p.complaints = append(p.complaints, text)
	case *cdplog.EventEntryAdded:
		// A violation of the content security policy is such an entry.
		if e.Entry.Level == "error" || e.Entry.Level == "warning" {
			p.complaints = append(p.complaints, fmt.Sprintf("%s: %s (%s)", e.Entry.Level, e.Entry.Text, e.Entry.URL))
		}
	case *network.EventRequestWillBeSent:
		if !p.home(e.Request.URL) {
			p.foreign = append(p.foreign, e.Request.URL)
		}
	}
}

func arguments(args []*runtime.RemoteObject) string {
	var all []string
	for _, a := range args {
		all = append(all, strings.TrimSpace(string(a.Value)+" "+a.Description))
	}
	return strings.Join(all, " ")
}

// home reports whether a URL is of the page's own server; of a file it is the file
// itself. What a URL holds itself (data:) is asked of nobody.
func (p *Page) home(address string) bool {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return false
	case u.Scheme == "data" || u.Scheme == "blob" || u.Scheme == "about":
		return true
	case u.Scheme == "file":
		return p.from.Scheme == "file" && u.Path == p.from.Path
	}
	return u.Scheme == p.from.Scheme && u.Host == p.from.Host
}

func (p *Page) do(t testing.TB, steps ...chromedp.Action[chromedp.Void]) {
	t.Helper()
	if err := chromedp.Do(p.ctx, steps...); err != nil {
		t.Fatalf("%s: %v", p.from, err)
	}
}

// Look looks at the page in another way, without loading it anew.
func (p *Page) Look(t testing.TB, v View) {
	t.Helper()
	if v.Width == 0 {
		v.Width = 1280
	}
	if v.Height == 0 {
		v.Height = 800
	}
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	p.do(t, chromedp.EmulateViewport(int64(v.Width), int64(v.Height)))
	_, err := chromedp.Call(p.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Media: v.Media,
		Features: []*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: scheme},
			{Name: "prefers-reduced-motion", Value: "reduce"},
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Shot takes a picture of the whole page, below the fold too, and gives its
// path: NAME.png in the test's folder of artifacts (go test -artifacts keeps
// it).
func (p *Page) Shot(t testing.TB, name string) (path string) {
	t.Helper()
	p.draw(t) // else the picture may have the height of an earlier view
	picture, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.ArtifactDir(), name+".png")
	if err := os.WriteFile(path, picture, 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Click clicks on the first element of a CSS selector, once it is visible.
func (p *Page) Click(t testing.TB, selector string) {
	t.Helper()
	p.do(t, chromedp.Click(chromedp.CSS(selector)))
}

// Press types on the keyboard, for whatever has the focus: text, and keys as
// "\t", "\r" and those of the DOM's names that chromedp/kb has as characters.
func (p *Page) Press(t testing.TB, keys string) {
	t.Helper()
	p.do(t, chromedp.KeyEvent(keys))
}

// Go opens another page in the same browser, or the same once more.
func (p *Page) Go(t testing.TB, address string) {
	t.Helper()
	p.do(t, chromedp.Navigate(address))
}

// See waits until an element of a CSS selector is visible, also on a page that
// is just being opened.
func (p *Page) See(t testing.TB, selector string) {
	t.Helper()
	p.do(t, chromedp.WaitVisible(chromedp.CSS(selector)))
}

// Eval gives the value of a JavaScript expression in the page.
func Eval[T any](t testing.TB, p *Page, expression string) T {
	t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](expression))
	if err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
	return v
}

// Wait waits until a JavaScript expression is true.
func (p *Page) Wait(t testing.TB, expression string) {
	t.Helper()
	if _, err := chromedp.Run(p.ctx, chromedp.Poll[bool](expression)); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}

// Complaints are the errors and warnings of the console up to now, uncaught
// exceptions and violations of the content security policy among them.
func (p *Page) Complaints(t testing.TB) []string {
	t.Helper()
	p.draw(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.complaints)
}

// Foreign are the URLs that were asked for up to now and are not of the page's
// own server or file.
func (p *Page) Foreign(t testing.TB) []string {
	t.Helper()
	p.draw(t)
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.foreign)
}

// draw has the page draw once, so that what its scripts have started has
// happened, and the events of that have come.
func (p *Page) draw(t testing.TB) {
	t.Helper()
	const drawn = "new Promise(done => requestAnimationFrame(() => setTimeout(() => done(true))))"
	if _, err := chromedp.Run(p.ctx, chromedp.Evaluate[bool](drawn, chromedp.EvalAwaitPromise)); err != nil {
		t.Fatal(err)
	}
}

// Check fails the test for each complaint and each foreign request.
func (p *Page) Check(t testing.TB) {
	t.Helper()
	for _, c := range p.Complaints(t) {
		t.Errorf("%s: the browser says: %s", p.from, c)
	}
	for _, f := range p.Foreign(t) {
		t.Errorf("%s: the page asks for %s", p.from, f)
	}
}
