package report

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
	"policyd-rdns/cmd/policyd-rdns/internal/plain"
	"policyd-rdns/policy"
)

// hostile are texts that would do something on a page that let them.
var hostile = []string{
	`<script>window.hostile=1</script>.example`,
	`"><img src=x onerror="window.hostile=2">`,
	`</style><script src=http://elsewhere.invalid></script>`,
	`{{.}}' onmouseover='window.hostile=3`,
	"\u202e\x00\x1b[31mgro.elpmaxe",
}

// hostileReport has them wherever a stranger may write something.
func hostileReport(t *testing.T) *Report {
	t.Helper()
	rules := builtinRules()
	rules.List = append(rules.List, rule(t, hostile[0], policy.Reject, "sender", "evil.example"))
	var tries []try
	for i, h := range hostile {
		tries = append(tries,
			try{at: time.Duration(i) * time.Hour, client: "203.0.113.10", ptr: h, helo: h, sender: "a@" + h, recipient: h},
			try{at: time.Duration(i) * time.Hour, client: "203.0.113.11", ptr: "mail.example.org", helo: h, sender: h + "@example.org"},
			try{at: time.Duration(i) * time.Hour, client: "203.0.113.12", ptr: "mail.example.org", helo: "mail.example.org=", sender: "b@evil.example", config: h},
		)
	}
	r := read(t, logOf(t, rules, tries), rules)
	r.DNS.Decisions = 1
	for _, h := range hostile {
		r.DNS.Zones = append(r.DNS.Zones, ZoneFault{Zone: h, Example: h, Fault: h, Decisions: 1, First: begin, Last: begin})
		r.Speed.Slowest = append(r.Speed.Slowest, Slow{Name: h, Fault: h, At: begin})
		r.Wanted.List = append(r.Wanted.List, Client{
			Client: "203.0.113.1", Name: h, Rules: []string{h}, Senders: []string{h}, Evidence: []Evidence{{-5, h}}, Paste: plain.Brief(h), First: begin, Last: begin,
		})
	}
	return r
}

// openPage opens a report in a browser.
func openPage(t *testing.T, r *Report, v browser.View) *browser.Page {
	t.Helper()
	path := filepath.Join(t.TempDir(), "report.html")
	var page bytes.Buffer
	if err := r.WriteHTML(&page); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, page.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return browser.Open(t, "file://"+path, v)
}

// TestPageHostile: what strangers wrote is shown and does nothing.
func TestPageHostile(t *testing.T) {
	page := openPage(t, hostileReport(t), browser.View{})
	page.Check(t)
	if got := browser.Eval[int](t, page, `document.querySelectorAll("script").length * 100 + document.querySelectorAll("img, link, iframe, [onerror], [onmouseover], [style]").length`); got != 100 {
		t.Errorf("the page has %d scripts and %d strange elements; want its own script alone", got/100, got%100)
	}
	if browser.Eval[bool](t, page, "'hostile' in window") {
		t.Errorf("a hostile text was run")
	}
	if text := browser.Eval[string](t, page, "document.body.textContent"); !strings.Contains(text, hostile[0]) || strings.ContainsAny(text, "\u202e\x1b") {
		t.Errorf("the page has no %s, or what deceives the eye", hostile[0])
	}
}

// TestTextHostile: what strangers wrote adds no line and no escape to the text.
func TestTextHostile(t *testing.T) {
	r := hostileReport(t)
	var text, json strings.Builder
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if err := r.WriteJSON(&json); err != nil {
		t.Fatal(err)
	}
	for _, out := range []string{text.String(), json.String()} {
		if i := strings.IndexFunc(out, func(c rune) bool { return c != '\n' && (c < ' ' || c > '~') }); i >= 0 {
			t.Errorf("%q is not printable ASCII", out[max(i-20, 0):i+20])
		}
	}
	if strings.Count(json.String(), "\n") != 1 {
		t.Errorf("the JSON has several lines")
	}
}

// TestPage: the page is quiet, as wide as its window, and its tables sort.
func TestPage(t *testing.T) {
	var tries []try
	for i := range 40 {
		tries = append(tries, try{
			at: time.Duration(i) * 7 * time.Hour, client: []string{"203.0.113.10", "198.51.100.20", "203.0.113.30"}[i%3],
			ptr: []string{"", "mail.example.org?", "mail.example.org"}[i%3], helo: "mail.example.org=", sender: "a@example.org",
		})
	}
	page := openPage(t, read(t, logOf(t, builtinRules(), tries), builtinRules()), browser.View{})
	page.Check(t)
	column := func(n int) []string {
		const cells = `[...document.querySelectorAll("#networks tbody tr")].map(row => row.cells[%].textContent)`
		return browser.Eval[[]string](t, page, strings.ReplaceAll(cells, "%", string(rune('0'+n))))
	}
	before := column(0)
	if len(before) != 2 {
		t.Fatalf("networks %q; want 2", before)
	}
	for i, want := range []string{"ascending", "descending"} {
		page.Click(t, "#networks thead th:first-child button")
		got := column(0)
		if sort := browser.Eval[string](t, page, `document.querySelector("#networks thead th").getAttribute("aria-sort")`); sort != want {
			t.Errorf("after %d presses aria-sort is %q; want %q", i+1, sort, want)
		}
		if slices.IsSorted(got) != (want == "ascending") {
			t.Errorf("after %d presses the networks are %q; want them %s", i+1, got, want)
		}
	}
	page.Click(t, "#networks thead th.n button")
	if got := column(1); got[0] < got[1] {
		t.Errorf("by decisions they are %q; want the most first", got)
	}
	if got := browser.Eval[int](t, page, `document.querySelectorAll("svg[role=img][aria-label]").length`); got != 1 {
		t.Errorf("%d charts say what they show; want 1", got)
	}
	for name, v := range map[string]browser.View{"light": {}, "dark": {Dark: true}, "phone": {Width: 360, Height: 740}, "print": {Width: 720, Media: "print", Dark: true}} {
		page.Look(t, v)
		page.Shot(t, "report-"+name)
		if over := browser.Eval[int](t, page, "document.documentElement.scrollWidth - innerWidth"); over > 0 {
			t.Errorf("%s: the page is %d pixels wider than its window", name, over)
		}
	}
}
