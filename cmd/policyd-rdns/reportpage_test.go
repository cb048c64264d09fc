package main

import (
	"path/filepath"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
)

// TestReportPage opens the page about the recorded week, as its golden file has
// it: it is quiet, and fits into its window. go test -artifacts keeps what it
// looks like.
func TestReportPage(t *testing.T) {
	longAlone(t)
	path, err := filepath.Abs("testdata/report/week.html")
	if err != nil {
		t.Fatal(err)
	}
	page := browser.Open(t, "file://"+path, browser.View{})
	page.Check(t)
	for _, look := range []struct {
		name string
		view browser.View
	}{
		{"light", browser.View{}},
		{"dark", browser.View{Dark: true}},
		{"phone", browser.View{Width: 390, Height: 844}},
		{"print", browser.View{Width: 720, Media: "print"}},
	} {
		page.Look(t, look.view)
		t.Log(page.Shot(t, "week-"+look.name))
		if over := browser.Eval[int](t, page, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
			t.Errorf("%s: the page is %d pixels wider than its window", look.name, over)
		}
	}
	if got := browser.Eval[int](t, page, `document.querySelectorAll(".paste .copy").length`); got == 0 {
		t.Errorf("no rule can be copied")
	}
}
