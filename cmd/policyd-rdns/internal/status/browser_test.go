package status

import (
	"net/http/httptest"
	"testing"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/browser"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy"
)

// TestTroubleInBrowser looks at a daemon that has all troubles at once.
func TestTroubleInBrowser(t *testing.T) {
	s := well()
	s.Resolver.Outage, s.Resolver.Since, s.Resolver.Why = true, noon.Add(-14*time.Minute), "no reply from 192.0.2.53:53 in 1s"
	s.Resolver.Servers[0].Failing = true
	s.Server.Open, s.LostLines, s.Mode = 1900, 1234567, "observe"
	s.ReloadFailed = `config.toml:3: server.deadline = 5: want a duration in quotes, such as "5s"`
	p := tested(s)
	observed := record("r1", "203.0.113.10", time.Minute, policy.Reject)
	observed.Decision.Action = policy.DUNNO
	p.keep(observed,
		deferredAt(5*time.Hour, "203.0.113.10", "a@example.org", policy.Defer, "a rule with a name of more words than there is room for"),
		deferredAt(4*time.Hour, "203.0.113.10", "a@example.org", policy.DUNNO, ""),
		deferredAt(3*time.Hour, "203.0.113.11", "a@example.net", policy.Defer, "new"),
	)
	server := httptest.NewServer(p)
	defer server.Close()
	page := browser.Open(t, server.URL, browser.View{})
	for name, view := range map[string]browser.View{"trouble-light": {}, "trouble-dark": {Dark: true}, "trouble-phone": {Width: 360, Height: 740}} {
		page.Look(t, view)
		page.Shot(t, name)
	}
	page.See(t, ".health.trouble .notes li")
	if got := browser.Eval[int](t, page, "document.querySelectorAll('.notes li').length"); got != 5 {
		t.Errorf("%d notes; want 5: outage, connections, reload, log, mode", got)
	}
	page.See(t, ".badge.undone")
	page.See(t, "section[aria-labelledby=deferrals] tbody tr")
	page.Check(t)
}

// TestLiveInBrowser: the page renews itself, and loses nothing of what is typed, opened or
// scrolled meanwhile.
func TestLiveInBrowser(t *testing.T) {
	testbed.Long(t)
	p := tested(well())
	server := httptest.NewServer(p)
	defer server.Close()
	page := browser.Open(t, server.URL, browser.View{})
	const renew = "document.dispatchEvent(new Event('policyd-rdns-refresh'))"
	// The first who is refused twice brings a section of its own.
	p.keep(record("r0", "203.0.113.10", time.Minute, policy.Reject), record("r1", "203.0.113.10", time.Minute, policy.Reject))
	browser.Eval[bool](t, page, renew)
	page.See(t, "section[aria-labelledby=refused] + section[aria-labelledby=top] + section[aria-labelledby=rules-today]")
	page.See(t, "section[aria-labelledby=refused] tbody tr")
	browser.Eval[bool](t, page, "document.querySelector('details').open = true")
	p.keep(record("r2", "203.0.113.20", time.Minute, policy.Reject))
	browser.Eval[bool](t, page, renew)
	page.See(t, "a[href='/decision/r2']")
	if !browser.Eval[bool](t, page, "document.querySelector('details').open") {
		t.Error("what was opened is closed")
	}
	const typed = "document.querySelector('#q').value"
	browser.Eval[string](t, page, typed+" = '203.0.113.'")
	p.keep(record("r3", "203.0.113.30", time.Minute, policy.Reject))
	browser.Eval[bool](t, page, renew)
	page.Wait(t, "document.querySelector('section[aria-labelledby=rules-today] tbody td:last-child').textContent === '4'")
	if got := browser.Eval[string](t, page, typed); got != "203.0.113." {
		t.Errorf("what was typed is %q", got)
	}
	const chosen = "document.querySelector('#show').value"
	browser.Eval[string](t, page, typed+" = ''; "+chosen+" = 'all'")
	p.keep(record("r4", "203.0.113.40", time.Minute, policy.Reject))
	browser.Eval[bool](t, page, renew)
	page.Wait(t, "document.querySelector('section[aria-labelledby=rules-today] tbody td:last-child').textContent === '5'")
	if got := browser.Eval[string](t, page, chosen); got != "all" {
		t.Errorf("what was chosen is %q", got)
	}
	if !browser.Eval[bool](t, page, `[...document.querySelectorAll("g[data-from] title")].every(bar => {
		const from = new Date(bar.parentNode.dataset.from);
		return bar.textContent.startsWith([from.getHours(), from.getMinutes()].map(n => String(n).padStart(2, "0")).join(":") + " to ");
	})`) {
		t.Error("the bars of the chart do not tell times in the reader's zone")
	}
	if !browser.Eval[bool](t, page, "[...document.querySelectorAll('time')].every(t => t.title.includes('GMT'))") {
		t.Error("times are not told in the reader's zone")
	}
	page.Check(t)
}
