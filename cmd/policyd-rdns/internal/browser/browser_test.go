package browser_test

import (
	"bytes"
	"image/png"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
)

// bad is a page that does all that a page must not do.
const bad = `<!doctype html><title>bad</title>
<meta http-equiv="Content-Security-Policy" content="img-src 'self' http://elsewhere.invalid data:; style-src 'none'">
<link rel="icon" href="data:,">
<p id="p" onclick="this.textContent = 'clicked'" style="color: red">not clicked</p>
<script>console.error("said by the page"); setTimeout(() => { throw new Error("thrown by the page") })</script>
<img src="http://elsewhere.invalid/x.png" alt="">`

const good = `<!doctype html><title>good</title><link rel="icon" href="data:,"><p id="p">hello</p><script>console.log("fine")</script>`

func serve(t *testing.T, page string) string {
	t.Helper()
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		_, _ = w.Write([]byte(page))
	}))
	t.Cleanup(s.Close)
	return s.URL
}

// TestHears: the errors of a page and its requests to elsewhere are seen.
func TestHears(t *testing.T) {
	page := browser.Open(t, serve(t, bad), browser.View{})
	complaints := strings.Join(page.Complaints(t), "\n")
	for _, want := range []string{"said by the page", "thrown by the page", "Content Security Policy"} {
		if !strings.Contains(complaints, want) {
			t.Errorf("Complaints() = %q; want %q", complaints, want)
		}
	}
	if got := page.Foreign(t); !slices.Equal(got, []string{"http://elsewhere.invalid/x.png"}) {
		t.Errorf("Foreign() = %q; want the picture", got)
	}
	page.Click(t, "#p")
	page.Wait(t, "document.querySelector('#p').textContent == 'clicked'")
}

// TestQuiet: a good page has nothing to be told of, from a server or a file.
func TestQuiet(t *testing.T) {
	path := filepath.Join(t.TempDir(), "good.html")
	if err := os.WriteFile(path, []byte(good), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, address := range []string{serve(t, good), "file://" + path} {
		page := browser.Open(t, address, browser.View{})
		page.Check(t)
		if got := browser.Eval[string](t, page, "document.title"); got != "good" {
			t.Errorf("the title of %s = %q; want good", address, got)
		}
	}
}

// TestLook: width, colour scheme and medium are as asked for, and so is the
// picture.
func TestLook(t *testing.T) {
	page := browser.Open(t, serve(t, good), browser.View{Width: 390, Dark: true})
	tests := []struct {
		view browser.View
		want string
	}{
		{browser.View{Width: 390, Dark: true}, "390 dark screen"},
		{browser.View{}, "1280 light screen"},
		{browser.View{Width: 800, Media: "print"}, "800 light print"},
	}
	for i, test := range tests {
		if i > 0 {
			page.Look(t, test.view)
		}
		got := browser.Eval[string](t, page, `innerWidth + (matchMedia("(prefers-color-scheme: dark)").matches ? " dark" : " light") +
			(matchMedia("print").matches ? " print" : " screen")`)
		if got != test.want {
			t.Errorf("Look(%+v): the page sees %s; want %s", test.view, got, test.want)
		}
	}
	picture, err := os.ReadFile(page.Shot(t, "good"))
	if err != nil {
		t.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(picture))
	if err != nil || config.Width != 800 {
		t.Errorf("the picture is %d wide, %v; want 800", config.Width, err)
	}
}
