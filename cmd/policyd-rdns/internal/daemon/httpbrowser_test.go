package daemon_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
	"policyd-rdns/cmd/policyd-rdns/internal/config"
	"policyd-rdns/cmd/policyd-rdns/internal/daemon"
	"policyd-rdns/cmd/policyd-rdns/internal/demo"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed/week"
	"policyd-rdns/policy"
	"policyd-rdns/policy/journal"
	"policyd-rdns/policy/journal/logwriter"
)

// hostileZone has names that would be more than text on a page that did not
// escape them.
const hostileZone = `
66.113.0.203.in-addr.arpa. PTR <script>document.title='owned'</script>.hostile.example.
67.113.0.203.in-addr.arpa. PTR \034><img\032src=x\032onerror=document.title='owned'>.hostile.example.
68.113.0.203.in-addr.arpa. PTR mail.example.com.
69.113.0.203.in-addr.arpa. PTR {{.State}}.hostile.example.
`

// watched is a daemon on a DNS world with a status page that has seen a week in a
// day, and some hostile clients today.
func watched(t *testing.T) (d watchedDaemon, url string) {
	t.Helper()
	dns, _ := testbed.StartWorld(t, demo.Zone+hostileZone)
	conf, err := config.Parse("", []byte("[server]\nlisten = [\"127.0.0.1:0\"]\n[resolver]\nservers = [\""+dns+"\"]\n[helo]\nown_names = [\"mx.example.net\"]\n[http]\nlisten = \"127.0.0.1:0\"\n"))
	if err != nil {
		t.Fatal(err)
	}
	decisions := logwriter.New(io.Discard, nil)
	t.Cleanup(func() { _ = decisions.Close(context.Background()) })
	own, err := daemon.New(conf, daemon.Options{
		Log: slog.New(slog.DiscardHandler), Decisions: decisions,
		Host: config.Host{Names: []string{"mx.example.net"}}, FirstID: firstID,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(own.Close)
	d = watchedDaemon{own, conf}
	url = own.Watch(t)
	d.remember(week.Record(t))
	for _, c := range demo.Clients() {
		d.decide(t, c.Address, c.HELO)
	}
	for i, helo := range testbed.HostileHELOs() {
		d.decide(t, "203.0.113."+strconv.Itoa(66+i%4), helo)
	}
	return d, url
}

// firstID is the number before that of the first decision.
const firstID = 1 << 50

// watchedDaemon is a daemon with a status page.
type watchedDaemon struct {
	*daemon.Daemon
	conf *config.Config
}

// decide decides about a client.
func (d watchedDaemon) decide(t *testing.T, address, helo string) {
	t.Helper()
	if _, wait := d.Handle(t.Context(), visit(address, helo)); wait != nil {
		wait()
	}
}

// remember puts recorded decisions on the page, a week as the last day.
func (d watchedDaemon) remember(log []byte) {
	now := time.Now()
	for line := range bytes.Lines(log) {
		r, err := journal.Parse(line)
		if err != nil {
			continue // of the daemon's own messages
		}
		r.Request.Time = now.Add(-week.Begins.AddDate(0, 0, 7).Sub(r.Request.Time) / 7)
		d.Keep(&r)
	}
}

// idOf is the ID of the decision with a number.
func idOf(number uint64) string { return strconv.FormatUint(number, 36) }

// visit is a request about a client.
func visit(address, helo string) *policy.Request {
	return &policy.Request{
		Time: time.Now(), Client: netip.MustParseAddr(address), HELO: helo, State: "RCPT",
		Sender: "sender@example.org", Recipient: "user@example.net", Instance: "1a.2b." + address,
	}
}

// views are the ways in which the pages are looked at.
func views() map[string]browser.View {
	return map[string]browser.View{
		"light":      {},
		"dark":       {Dark: true},
		"phone":      {Width: 360, Height: 740},
		"phone-dark": {Width: 360, Height: 740, Dark: true},
	}
}

// inert is 0 if nothing on the page is there that the program did not put there,
// and nothing has run.
const inert = `document.querySelectorAll("script:not([src='/live.js']), img, iframe, object, [onload], [onerror], [onfocus], [onclick], [style], a[href^=javascript]").length +
	(document.title.includes("owned") ? 1 : 0)`

// TestStatusPageInBrowser looks at every page in every way, with hostile clients
// on it.
func TestStatusPageInBrowser(t *testing.T) {
	testbed.Long(t)
	_, url := watched(t)
	hostile := firstID + uint64(len(demo.Clients()))
	pages := map[string]string{
		"status":    "",
		"day":       "?hours=24&show=all&page=2",
		"search":    "?q=203.0.113.14&show=all",
		"nothing":   "?q=%3Cscript%3E%3C%2Fscript%3Ex",
		"missing":   "decision/none",
		"decision":  "decision/" + idOf(firstID+7),
		"passed":    "decision/" + idOf(firstID+8),
		"deferred":  "decision/" + idOf(firstID+17),
		"hostile-1": "decision/" + idOf(hostile+1),
		"hostile-2": "decision/" + idOf(hostile+2),
		"hostile-3": "decision/" + idOf(hostile+9),
	}
	page := browser.Open(t, url, browser.View{})
	for name, path := range pages {
		page.Go(t, url+path)
		for way, view := range views() {
			page.Look(t, view)
			page.Shot(t, name+"-"+way)
			if got := browser.Eval[int](t, page, inert); got != 0 {
				t.Errorf("%s, %s: %d things of a stranger's on the page", name, way, got)
			}
			for _, wrong := range page.Inaccessible(t) {
				t.Errorf("%s, %s: %s", name, way, wrong)
			}
		}
	}
	for _, complaint := range page.Complaints(t) {
		if !strings.Contains(complaint, "404 (Not Found)") || !strings.Contains(complaint, pages["missing"]) {
			t.Errorf("the browser says: %s", complaint)
		}
	}
	for _, foreign := range page.Foreign(t) {
		t.Errorf("the page asks for %s", foreign)
	}
}

// TestStatusPageByKeyboard finds the explanation of a refused client with nothing
// but the keys.
func TestStatusPageByKeyboard(t *testing.T) {
	testbed.Long(t)
	_, url := watched(t)
	page := browser.Open(t, url, browser.View{})
	// reach goes on to the element that has the focus where a selector wants it.
	reach := func(selector string) {
		t.Helper()
		for range 40 {
			page.Press(t, "\t")
			if browser.Eval[bool](t, page, "document.activeElement.matches("+strconv.Quote(selector)+")") {
				if !browser.Eval[bool](t, page, "document.activeElement.matches(':focus-visible') && document.activeElement.checkVisibility()") {
					t.Errorf("%s has the focus, and nobody sees it", selector)
				}
				return
			}
		}
		t.Fatalf("40 tabs do not resolve to %s", selector)
	}
	reach(".skip")
	page.Press(t, "\r")
	reach("#q")
	page.Press(t, "203.0.113.14\r")
	page.See(t, "input[value='203.0.113.14']")
	reach("table.list tbody th a")
	page.Shot(t, "focus")
	page.Press(t, "\r")
	page.See(t, "#verdict")
	text := browser.Eval[string](t, page, "document.body.innerText")
	for _, want := range []string{
		"the reverse DNS name mail.example.org of your server [203.0.113.14] resolves to 198.51.100.7, not to this address; PTR and address record have to match; contact postmaster@example.net",
		"reject by rule \"reverse name resolves elsewhere\"", "mail.example.org resolves to 198.51.100.7", `{ client = "203.0.113.14" }`,
		"policyd-rdns explain 203.0.113.14 --helo mail.example.org",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the explanation lacks %q:\n%s", want, text)
		}
	}
	reach(".back a")
	page.Press(t, "\r")
	page.See(t, "#health")
	page.Check(t)
}
