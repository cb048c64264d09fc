package helppage

import (
	"context"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
	"policyd-rdns/cmd/policyd-rdns/internal/helppage/look"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/casenumber"
)

// TestPageInBrowser looks at the page of every cause in every way, with hostile names on
// it, and at those that are files.
func TestPageInBrowser(t *testing.T) {
	testbed.Long(t)
	w := newWorld(t)
	w.now = time.Now()
	w.contact = "hostmaster@example.net"
	p := w.page()
	p.source.Look = func(_ context.Context, client netip.Addr, again bool) look.Found {
		f := w.found
		f.Client, f.At = client, w.now
		return f
	}
	p.now = func() time.Time { // so that nobody asks too often
		w.now = w.now.Add(time.Minute)
		return w.now
	}
	server := httptest.NewServer(p)
	t.Cleanup(server.Close)
	views := map[string]browser.View{
		"light": {}, "dark": {Dark: true}, "phone": {Width: 360, Height: 740}, "phone-dark": {Width: 360, Height: 740, Dark: true},
	}
	var page *browser.Page
	seen := func(name string, ways ...string) {
		t.Helper()
		for _, way := range ways {
			page.Look(t, views[way])
			page.Shot(t, name+"-"+way)
			for _, wrong := range page.Inaccessible(t) {
				t.Errorf("%s, %s: %s", name, way, wrong)
			}
		}
	}
	number := func(c casenumber.Cause, family string) string {
		if family == "6" {
			return w.number(c, "2001:db8:1234:5678:9abc:def0:1234:5678")
		}
		return w.number(c, "203.0.113.10")
	}
	// Each cause in every way, half of them of an address of either family; or, where no axe
	// is, in one way, and half of the causes of either family.
	all := browser.HasAxe()
	for family, ways := range map[string][2]string{"4": {"light", "phone-dark"}, "6": {"dark", "phone"}} {
		page = browser.Open(t, server.URL+"/no-ptr", browser.View{})
		found := map[string]look.Found{}
		for _, f := range states(family) {
			if _, ok := found[string(f.State)]; !ok {
				found[string(f.State)] = f
			}
		}
		for i, c := range casenumber.Causes() {
			some := ways[:]
			if !all {
				some = ways[i/2%2:][:1]
			}
			if !all && (i%2 == 0) != (family == "4") {
				continue
			}
			var ok bool
			if w.found, ok = found[c.String()]; !ok {
				w.found = found[string(look.Well)]
			}
			link := server.URL + "/" + number(c, family)
			if family == "6" {
				link += "?lang=de"
			}
			page.Go(t, link)
			if got := browser.Eval[int](t, page, "[...document.querySelectorAll('time')].filter(t => t.matches(':has(+ .local)') != (new Date(t.dateTime).getTimezoneOffset() == 0)).length"); got != 2 {
				t.Errorf("%s: %d times in the viewer's own; want 2", c, got)
			}
			seen(c.String()+"-"+family, some...)
		}
		w.found = found[string(look.Well)]
		page.Go(t, server.URL+"/"+number(casenumber.NoPTR, family))
		seen("mended-"+family, ways[:]...)
		page.Check(t)
	}
	w.found = states("4")[4]
	for i, name := range testbed.HostileHELOs() {
		w.found.Names[0].Name = name
		page.Go(t, server.URL+"/"+number(casenumber.Unresolved, "4"))
		if title := browser.Eval[string](t, page, "document.title"); title != "Why mail was not accepted: The name of 203.0.113.10 does not resolve" {
			t.Errorf("%q makes the title %q", name, title)
		}
		if i == 0 {
			seen("hostile", "light", "phone")
		}
	}
	page.Go(t, server.URL+"/")
	seen("nobody", "light", "phone-dark")
	page.Check(t)
	page.Go(t, server.URL+"/missing")
	seen("missing", "dark", "phone")
	for _, complaint := range page.Complaints(t) {
		if !strings.Contains(complaint, "404 (Not Found)") {
			t.Errorf("the browser says: %s", complaint)
		}
	}
	files := t.TempDir()
	written, err := WriteStatic(files, Settings{Contact: "postmaster", Open: true})
	if err != nil {
		t.Fatal(err)
	}
	page = browser.Open(t, "file://"+written[1], browser.View{})
	page.Shot(t, "static")
	page.Check(t)
	page = browser.Open(t, "file://"+written[len(written)-1], browser.View{})
	page.Shot(t, "static-list")
	page.Check(t)
}

// TestPageByKeyboard looks again with nothing but the keys.
func TestPageByKeyboard(t *testing.T) {
	testbed.Long(t)
	w := newWorld(t)
	w.now = time.Now()
	server := httptest.NewServer(w.page())
	t.Cleanup(server.Close)
	page := browser.Open(t, server.URL+"/"+w.number(casenumber.NoPTR, "203.0.113.10"), browser.View{Width: 360, Height: 740})
	page.Press(t, "\t\r") // to the content
	w.found = states("4")[0]
	for range 20 {
		page.Press(t, "\t")
		if browser.Eval[bool](t, page, "document.activeElement.matches('button:focus-visible')") {
			break
		}
	}
	page.Shot(t, "focus")
	page.Press(t, "\r")
	page.See(t, ".told.good")
	if got, want := browser.Eval[string](t, page, "document.querySelector('[role=status] strong').innerText"), "Mail from 203.0.113.10 would be accepted now."; got != want {
		t.Errorf("looked again: %q; want %q", got, want)
	}
	page.Check(t)
}
