package helppage

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/html"

	"policyd-rdns/cmd/policyd-rdns/internal/helppage/look"
	"policyd-rdns/policy/casenumber"
	"policyd-rdns/resolver"
)

var noon = time.Date(2026, 11, 27, 12, 0, 0, 0, time.UTC)

// world is what a page of a test knows.
type world struct {
	now     time.Time
	keys    *casenumber.Keys
	contact string
	found   look.Found // of whatever address, but for it
	looked  []string   // "203.0.113.10", "203.0.113.10 again"
}

func newWorld(t testing.TB) *world {
	t.Helper()
	keys, err := casenumber.ParseKeys("a-key-that-nobody-can-guess")
	if err != nil {
		t.Fatal(err)
	}
	return &world{now: noon, keys: keys, contact: "postmaster", found: look.Found{State: "no-ptr", Verdict: look.Refused, PTR: resolver.None, At: noon}}
}

func (w *world) page() *Page {
	return New(Source{
		Settings: func() Settings {
			return Settings{Contact: w.contact, Open: true, Proxy: func(a netip.Addr) bool { return a.IsLoopback() }}
		},
		Read: w.keys.Read,
		Look: func(_ context.Context, client netip.Addr, again bool) look.Found {
			line := client.String()
			if again {
				line += " again"
			}
			w.looked = append(w.looked, line)
			f := w.found
			f.Client = client
			return f
		},
	}, func() time.Time { return w.now })
}

func (w *world) number(c casenumber.Cause, client string) string {
	return w.keys.Make(casenumber.Case{Cause: c, At: w.now.Add(-time.Hour), Client: netip.MustParseAddr(client)})
}

// asked is a request by a requester, as the proxy hands it on.
func asked(method, path, by, language string) *http.Request {
	r := httptest.NewRequest(method, path, nil)
	r.RemoteAddr = "127.0.0.1:4711"
	r.Header.Set("X-Forwarded-For", by)
	r.Header.Set("Accept-Language", language)
	return r
}

// ask gives the answer, without the style.
func ask(p *Page, r *http.Request) (status int, body string) {
	w := httptest.NewRecorder()
	p.ServeHTTP(w, r)
	return w.Code, strings.Replace(w.Body.String(), style, "", 1)
}

// states are what may be found of an address.
func states(family string) []look.Found {
	client, other := netip.MustParseAddr("203.0.113.10"), netip.MustParseAddr("198.51.100.7")
	if family == "6" {
		client, other = netip.MustParseAddr("2001:db8::10"), netip.MustParseAddr("2001:db8:1::7")
	}
	kept := look.Kept{For: 15 * time.Minute, OrMore: true}
	name := func(name string, o resolver.Outcome, to ...netip.Addr) look.Name {
		return look.Name{Name: name, Host: true, Outcome: o, Addrs: to, Confirmed: slices.Contains(to, client), Kept: look.Kept{For: time.Hour}}
	}
	generic := name("ip-203-0-113-10.provider.example", resolver.Found, client)
	generic.Generic = true
	found := []look.Found{
		{State: look.Well, Verdict: look.Passes, PTR: resolver.Found, Names: []look.Name{name("mail.example.org", resolver.Found, client)}},
		{State: look.Well, Verdict: look.Refused, PTR: resolver.Found, Names: []look.Name{name("mail.example.org", resolver.Found, client)}},
		{State: "no-ptr", Verdict: look.Refused, PTR: resolver.None, PTRKept: kept},
		{State: "malformed-ptr", Verdict: look.Refused, PTR: resolver.Found, Names: []look.Name{{Name: "localhost"}}},
		{State: "unresolved", Verdict: look.Refused, PTR: resolver.Found, Names: []look.Name{name("gone.example.org", resolver.None)}},
		{State: "elsewhere", Verdict: look.Refused, PTR: resolver.Found, Names: []look.Name{name("gone.example.org", resolver.None), name("mail.example.org", resolver.Found, other)}},
		{State: "generic", Verdict: look.ByHELO, PTR: resolver.Found, Names: []look.Name{generic}},
		{State: "generic", Verdict: look.Waits, PTR: resolver.Found, Names: []look.Name{generic}},
		{State: "generic", Verdict: look.Refused, PTR: resolver.Found, Names: []look.Name{generic}, More: true},
		{State: "undetermined", Verdict: look.Unknown, PTR: resolver.TempError},
		{State: "undetermined", Verdict: look.Unknown, PTR: resolver.Found, Names: []look.Name{name("mail.example.org", resolver.TempError)}},
	}
	for i := range found {
		found[i].Client, found[i].At = client, noon
	}
	return found
}

// TestEveryPage has every page made in every language: of each cause, whatever is found
// of the address. It is sound and harmless, and what it says of the case is there.
func TestEveryPage(t *testing.T) {
	w := newWorld(t)
	p := w.page()
	get := func(what, path, by, language string) (body string) {
		t.Helper()
		w.now = w.now.Add(time.Minute) // or it were too many
		status, body := ask(p, asked("GET", path, by, language))
		sound(t, what, status, body)
		return body
	}
	contacts := []string{"", "postmaster", "hostmaster@example.net"}
	for family, client := range map[string]string{"4": "203.0.113.10", "6": "2001:db8::10"} {
		for _, w.found = range states(family) {
			for i, c := range casenumber.Causes() {
				for _, language := range []string{"en", "de"} {
					w.contact = contacts[i%len(contacts)]
					what := fmt.Sprintf("%s, found %s, in %s", c, w.found.State, language)
					number := w.number(c, client)
					at := w.now.Add(-time.Hour).Format("2006-01-02 15:04") + " UTC"
					body := get(what, "/rdns/"+number, "192.0.2.99", language)
					for _, want := range []string{client, number, at, "2026-11-27 12:00:00 UTC", `<html lang="` + language} {
						if !strings.Contains(body, want) {
							t.Errorf("%s: the page lacks %q", what, want)
						}
					}
				}
			}
			body := get("own address, found "+string(w.found.State), "/", client, "de")
			if !strings.Contains(body, client) {
				t.Errorf("the page of the own address lacks %s:\n%s", client, body)
			}
		}
	}
	for _, c := range casenumber.Causes() {
		get("cause "+c.String(), "/"+c.String(), "192.0.2.99", "en")
		get("cause "+c.String(), "/"+c.String(), "192.0.2.99", "de")
	}
}

// sound fails the test for a page that was not made, has something strange in it, or is
// not well-formed.
func sound(t *testing.T, what string, status int, body string) {
	t.Helper()
	if status != 200 {
		t.Fatalf("%s: %d\n%s", what, status, body)
	}
	harmless(t, what, body)
	for _, strange := range []string{"%!", "&lt;code", "<no value>", "ZgotmplZ", ": .", "  <strong></strong>", "<code></code>", "<pre tabindex=\"0\"></pre>", "IN A \n", "null"} {
		if strings.Contains(body, strange) {
			t.Fatalf("%s: %q on the page\n%s", what, strange, body)
		}
	}
}

// tags are the elements that the templates have.
var tags = strings.Fields("html head meta title style script body a header p nav main h1 h2 h3 dl div dt dd time code section span strong table thead tbody tr th td form button footer ol ul li pre")

// harmless fails the test for markup that the templates do not have, and for elements
// that are left open.
func harmless(t *testing.T, what, body string) {
	t.Helper()
	var open []string
	for z := html.NewTokenizer(strings.NewReader(body)); z.Next() != html.ErrorToken; {
		token := z.Token()
		switch token.Type {
		case html.StartTagToken:
			if !slices.Contains(tags, token.Data) {
				t.Errorf("%s: the page has a %s", what, token.Data)
			}
			if token.Data != "meta" {
				open = append(open, token.Data)
			}
		case html.EndTagToken:
			if len(open) == 0 || open[len(open)-1] != token.Data {
				t.Fatalf("%s: </%s> within %v\n%s", what, token.Data, open, body)
			}
			open = open[:len(open)-1]
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "src" || a.Key == "action" && a.Val != "#now" || a.Key == "autofocus" ||
				a.Key == "href" && !slices.Contains([]string{"#main", "?lang=en", "?lang=de", "./", "mailto:hostmaster@example.net"}, a.Val) {
				t.Errorf("%s: the page has %s=%q", what, a.Key, a.Val)
			}
		}
	}
	if len(open) > 0 {
		t.Errorf("%s: %v left open", what, open)
	}
}

// TestLanguages: each file of texts has the same ones, and each page is in the language
// that is wanted.
func TestLanguages(t *testing.T) {
	l := newLanguages()
	names := func(s *speech) (all []string) {
		for _, one := range s.templates.Templates() {
			all = append(all, one.Name())
		}
		slices.Sort(all)
		return slices.DeleteFunc(all, func(name string) bool { return strings.HasSuffix(name, ".html") })
	}
	if len(l.all) < 2 || l.all[0].tag != first {
		t.Fatalf("%d languages, the first %s; want 2, and %s", len(l.all), l.all[0].tag, first)
	}
	for _, s := range l.all[1:] {
		if got, want := names(s), names(l.all[0]); !slices.Equal(got, want) {
			t.Errorf("the texts in %s are\n%q\nand those in %s\n%q", s.tag, got, first, want)
		}
	}
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.8": "de", "fr": "en", "fr, de;q=0.5": "de", "en-GB, de": "en", "*": "en",
		"nonsense!!": "en", strings.Repeat("de-", 2000): "en",
	} {
		r := asked("GET", "/", "203.0.113.10", header)
		if got := l.wanted(r).tag; got != want {
			t.Errorf("Accept-Language: %.40s is answered in %s; want %s", header, got, want)
		}
	}
	for link, want := range map[string]string{"/?lang=en": "en", "/?lang=de": "de", "/?lang=xx": "de", "/?lang=%00": "de"} {
		if got := l.wanted(asked("GET", link, "203.0.113.10", "de")).tag; got != want {
			t.Errorf("%s is answered in %s; want %s", link, got, want)
		}
	}
}

// TestWhoIsToldWhat: of other people's addresses nothing is told without a case number
// that is ours.
func TestWhoIsToldWhat(t *testing.T) {
	w := newWorld(t)
	p := w.page()
	const client, stranger = "203.0.113.10", "198.51.100.66"
	number := w.number(casenumber.NoPTR, client)
	old := w.keys.Make(casenumber.Case{Cause: casenumber.NoPTR, At: w.now.Add(-casenumber.Valid), Client: netip.MustParseAddr(client)})
	forged := strings.Replace(number, number[10:11], map[bool]string{true: "1", false: "0"}[number[10] == '0'], 1)
	others, err := casenumber.ParseKeys("a-key-that-is-somebody-elses")
	if err != nil {
		t.Fatal(err)
	}
	foreign := others.Make(casenumber.Case{Cause: casenumber.NoPTR, At: w.now, Client: netip.MustParseAddr(client)})
	for _, tt := range []struct {
		path, by string
		status   int
		looked   string // at which address
	}{
		{"/rdns/" + number, stranger, 200, client},
		{"/anywhere/deep/" + number, stranger, 200, client},
		{"/" + strings.ToUpper(number), stranger, 200, client},
		{"/" + number, "", 200, client}, // whoever it is that asks
		{"/", stranger, 200, stranger},
		{"/rdns/", stranger, 200, stranger},
		{"/rdns/", "", 200, ""},
		{"/rdns/", "10.0.0.1", 200, ""}, // nobody else's DNS knows it
		{"/rdns/", "fe80::1", 200, ""},
		{"/rdns/", client + ", " + stranger, 200, stranger}, // the left one is forged
		{"/rdns/", client + ", 127.0.0.1", 200, client},
		{"/rdns/", "nonsense", 200, ""},
		{"/rdns/no-ptr", stranger, 200, ""},
		{"/rdns/" + old, stranger, 404, ""},
		{"/rdns/" + forged, stranger, 404, ""},
		{"/rdns/" + foreign, stranger, 404, ""},
		{"/rdns/" + client, stranger, 404, ""},
		{"/rdns/" + number + "/", stranger, 200, stranger},
		{"/rdns/?case=" + number, stranger, 200, stranger},
		{"/rdns", stranger, 404, ""},
		{"/.env", stranger, 404, ""},
		{"/wp-login.php", stranger, 404, ""},
		{"/rdns/..%2f..%2fetc%2fpasswd", stranger, 404, ""},
		{"/rdns/%3Cscript%3E", stranger, 404, ""},
	} {
		for _, method := range []string{"GET", "HEAD", "POST"} {
			w.looked = nil
			w.now = w.now.Add(time.Minute)
			status, body := ask(p, asked(method, tt.path, tt.by, "en"))
			looked := tt.looked
			if looked != "" && method == "POST" {
				looked += " again"
			}
			if got := strings.Join(w.looked, ", "); status != tt.status || got != looked {
				t.Errorf("%s %s by %q: %d, looked at %q; want %d, %q", method, tt.path, tt.by, status, got, tt.status, looked)
			}
			if tt.looked != client && strings.Contains(body, client) {
				t.Errorf("%s %s by %q: the page tells of %s", method, tt.path, tt.by, client)
			}
			harmless(t, tt.path, body)
		}
	}
	for _, method := range []string{"PUT", "DELETE", "OPTIONS", "TRACE", "CONNECT", "PATCH"} {
		w.looked = nil
		if status, _ := ask(p, asked(method, "/"+number, stranger, "")); status != 405 || w.looked != nil {
			t.Errorf("%s: %d, looked at %q; want 405 and nothing", method, status, w.looked)
		}
	}
}

// TestHeaders: what a browser, a proxy and a search engine have to obey.
func TestHeaders(t *testing.T) {
	p, w := newWorld(t).page(), httptest.NewRecorder()
	p.ServeHTTP(w, asked("GET", "/", "203.0.113.10", "de"))
	for key, want := range map[string]string{
		"Content-Security-Policy": "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; style-src '" + styleHash + "'; script-src '" + scriptHash + "'",
		"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Frame-Options": "DENY",
		"X-Robots-Tag": "noindex, nofollow, noarchive, nosnippet", "Content-Type": "text/html; charset=utf-8", "Content-Language": "de",
	} {
		if got := w.Header().Get(key); got != want {
			t.Errorf("%s: %s; want %s", key, got, want)
		}
	}
	for _, key := range []string{"Set-Cookie", "Server", "Access-Control-Allow-Origin"} {
		if got := w.Header().Get(key); got != "" {
			t.Errorf("%s: %s; want none", key, got)
		}
	}
}

// TestLookAgain: past the cache once a minute an address, whoever wants it.
func TestLookAgain(t *testing.T) {
	w := newWorld(t)
	p := w.page()
	number := w.number(casenumber.NoPTR, "203.0.113.10")
	post := func(path, by string) (body string) {
		_, body = ask(p, asked("POST", path, by, "en"))
		return body
	}
	post("/"+number, "192.0.2.1")
	if body := post("/"+number, "192.0.2.2"); !strings.Contains(body, "60 s to go") {
		t.Errorf("the second time within a minute the page does not say when:\n%s", body)
	}
	post("/", "203.0.113.10")
	post("/"+w.number(casenumber.NoPTR, "203.0.113.11"), "192.0.2.1")
	w.now = w.now.Add(time.Minute)
	post("/"+number, "192.0.2.1")
	const want = "203.0.113.10 again, 203.0.113.10, 203.0.113.10, 203.0.113.11 again, 203.0.113.10 again"
	if got := strings.Join(w.looked, ", "); got != want {
		t.Errorf("looked at %s; want %s", got, want)
	}
	// Whatever is found, the page says it.
	for _, tt := range []struct {
		cause casenumber.Cause
		found look.Found
		want  string
	}{
		{casenumber.NoPTR, look.Found{State: "no-ptr", Verdict: look.Refused}, "Still the same. 203.0.113.10 has no PTR record."},
		{casenumber.NoPTR, look.Found{State: "unresolved", Verdict: look.Refused}, "Not yet. The name of 203.0.113.10 does not resolve."},
		{casenumber.NoPTR, look.Found{State: look.Well, Verdict: look.Passes}, "Mail from 203.0.113.10 would be accepted now."},
		{casenumber.NoPTR, look.Found{State: look.Well, Verdict: look.Refused}, "for another reason"},
		{casenumber.NoPTR, look.Found{State: "undetermined", Verdict: look.Unknown}, "Our resolver cannot tell at the moment"},
		{casenumber.NoPTR, look.Found{State: "generic", Verdict: look.ByHELO}, "if your server says a name in HELO"},
		{casenumber.Generic, look.Found{State: "generic", Verdict: look.Waits}, "tries it for the second time"},
		{casenumber.HELOBare, look.Found{State: look.Well, Verdict: look.Passes}, "we see when it connects the next time"},
		{casenumber.HELOBare, look.Found{State: "no-ptr", Verdict: look.Refused}, "Not yet. 203.0.113.10 has no PTR record."},
		{casenumber.HELOBare, look.Found{State: "generic", Verdict: look.ByHELO}, "if your server says a name in HELO"},
		{casenumber.NoPTR, look.Found{State: look.Well, Verdict: look.ByHELO}, "Where a server has its HELO"},
		{casenumber.SPF, look.Found{State: look.Well, Verdict: look.Passes}, "depends on more than the names"},
		{casenumber.Wait, look.Found{State: look.Well, Verdict: look.Passes}, "would be accepted now."},
		{casenumber.Undetermined, look.Found{State: "no-ptr", Verdict: look.Refused}, "Not yet. 203.0.113.10 has no PTR record."},
	} {
		w.found = tt.found
		w.now = w.now.Add(time.Minute)
		if body := post("/"+w.number(tt.cause, "203.0.113.10"), "192.0.2.1"); !strings.Contains(body, tt.want) {
			t.Errorf("%s, found %s, %d: the page lacks %q:\n%s", tt.cause, tt.found.State, tt.found.Verdict, tt.want, body)
		}
	}
}

// TestTooMany: one party asks so many times, and all together have so many lookups.
func TestTooMany(t *testing.T) {
	w := newWorld(t)
	p := w.page()
	times := func(n int, by func(i int) string) (statuses map[int]int) {
		statuses = map[int]int{}
		for i := range n {
			status, _ := ask(p, asked("GET", "/", by(i), "en"))
			statuses[status]++
		}
		return statuses
	}
	if got := times(1000, func(int) string { return "2001:db8::1" }); got[200] != requestBurst || got[429] != 1000-requestBurst {
		t.Errorf("one party is answered %v; want %d times 200", got, requestBurst)
	}
	if got := times(1000, func(i int) string { return fmt.Sprintf("2001:db8::%x", i) }); got[200] != 0 {
		t.Errorf("its other addresses are answered %v; want no 200", got)
	}
	w.looked = nil
	if got := times(1000, func(i int) string { return fmt.Sprintf("2001:db8:%x::", i+1) }); got[200] != 1000 || len(w.looked) != looksBurst-requestBurst {
		t.Errorf("1000 parties are answered %v, with %d lookups; want each, with %d", got, len(w.looked), looksBurst-requestBurst)
	}
	if _, body := ask(p, asked("GET", "/", "203.0.113.10", "en")); !strings.Contains(body, "Too many are asking") {
		t.Errorf("who comes then does not learn why:\n%s", body)
	}
	// Nor is his turn to look again over, if he could not.
	w.looked = nil
	ask(p, asked("POST", "/", "203.0.113.10", "en"))
	w.now = w.now.Add(10 * time.Second)
	if ask(p, asked("POST", "/", "203.0.113.10", "en")); strings.Join(w.looked, ", ") != "203.0.113.10 again" {
		t.Errorf("when there is room again, looked at %q; want past the cache", w.looked)
	}
	r := asked("POST", "/", "203.0.113.10", "")
	r.ContentLength = maxBody + 1
	if status, _ := ask(p, r); status != 413 {
		t.Errorf("a large body is answered %d; want 413", status)
	}
	r.ContentLength = -1
	if status, _ := ask(p, r); status != 413 {
		t.Errorf("a body of unknown size is answered %d; want 413", status)
	}
}

// TestReverseName has names of reverse zones.
func TestReverseName(t *testing.T) {
	for addr, want := range map[string]string{
		"203.0.113.10":   "10.113.0.203.in-addr.arpa.",
		"2001:db8::ab10": "0.1.b.a.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa.",
	} {
		if got := reverseName(netip.MustParseAddr(addr)); got != want {
			t.Errorf("reverseName(%s) = %s; want %s", addr, got, want)
		}
	}
}

// TestRecords: what is to be pasted is of the address, and right.
func TestRecords(t *testing.T) {
	w := newWorld(t)
	pre := regexp.MustCompile(`(?s)<pre tabindex="0">(.*?)</pre>`)
	for _, tt := range []struct {
		state int // of states
		want  []string
	}{
		{2, []string{"10.113.0.203.in-addr.arpa. IN PTR mail.example.com.", "mail.example.com. IN A 203.0.113.10"}},
		{3, []string{"10.113.0.203.in-addr.arpa. IN PTR mail.example.com.", "mail.example.com. IN A 203.0.113.10"}},
		{4, []string{"gone.example.org. IN A 203.0.113.10", "10.113.0.203.in-addr.arpa. IN PTR mail.example.com.\nmail.example.com. IN A 203.0.113.10"}},
		{5, []string{"mail.example.org. IN A 203.0.113.10", "10.113.0.203.in-addr.arpa. IN PTR mail.example.com.\nmail.example.com. IN A 203.0.113.10"}},
		{9, []string{"dig -x 203.0.113.10\ndig mail.example.com A"}},
		{10, []string{"dig -x 203.0.113.10\ndig mail.example.org A"}},
		{0, nil},
	} {
		w.found = states("4")[tt.state]
		_, body := ask(w.page(), asked("GET", "/", "203.0.113.10", "en"))
		var got []string
		for _, m := range pre.FindAllStringSubmatch(body, -1) {
			got = append(got, html.UnescapeString(m[1]))
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: records %q; want %q", w.found.State, got, tt.want)
		}
	}
	w.found = states("4")[0]
	_, body := ask(w.page(), asked("GET", "/"+w.number(casenumber.HELOBare, "203.0.113.10"), "192.0.2.1", "en"))
	for _, want := range []string{"smtp_helo_name = mail.example.org<", "primary_hostname = mail.example.org<", "-Fqdn mail.example.org<", "define(`confDOMAIN_NAME&#39;, `mail.example.org&#39;)dnl", "[203.0.113.10]"} {
		if !strings.Contains(strings.ReplaceAll(body, "'", "&#39;"), want) {
			t.Errorf("the page of a HELO lacks %q:\n%s", want, body)
		}
	}
}

// FuzzPage puts any text where a stranger puts his: into the DNS, the path, and the
// headers. The page has nothing that the templates do not have.
func FuzzPage(f *testing.F) {
	for _, text := range []string{
		"", "mail.example.org", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, "javascript:alert(1)", "{{.State}}",
		"</code></title></style><svg onload=alert(1)>", "\u202e\x00\xff\x1b[31m", "a\nb", `\"`, "&lt;&#x3c;", "`$(id)`", "de-AT",
	} {
		f.Add(text, text)
	}
	w := newWorld(f)
	p := w.page()
	numbers, turn := []string{""}, 0
	f.Fuzz(func(t *testing.T, name, header string) {
		for _, w.found = range states("4") {
			for i := range w.found.Names {
				w.found.Names[i].Name = name
			}
			if turn%10_000 == 0 { // of the minutes since then, or the numbers are too old
				numbers = numbers[:1]
				for _, c := range casenumber.Causes() {
					numbers = append(numbers, w.number(c, "203.0.113.10"))
				}
			}
			turn++
			w.now = w.now.Add(time.Minute)
			r := asked("GET", "/"+numbers[turn%len(numbers)], "203.0.113.10", header)
			status, body := ask(p, r)
			if status != 200 {
				t.Fatalf("%d\n%s", status, body)
			}
			harmless(t, r.URL.Path, body)
			r.URL.Path, r.URL.RawQuery = header, "lang="+header
			r.Header.Set("X-Forwarded-For", header)
			status, body = ask(p, r)
			if status != 200 && status != 404 {
				t.Fatalf("%q: %d\n%s", header, status, body)
			}
			harmless(t, header, body)
		}
	})
}

// TestPageCannotBeMade: who reads case numbers may fail in any way.
func TestPageCannotBeMade(t *testing.T) {
	w := newWorld(t)
	p := w.page()
	p.source.Read = func(string, time.Time) (casenumber.Case, error) { return casenumber.Case{}, errors.New("no keys") }
	if status, body := ask(p, asked("GET", "/"+w.number(casenumber.NoPTR, "203.0.113.10"), "192.0.2.1", "en")); status != 404 || !strings.Contains(body, "too old or not ours") {
		t.Errorf("without a key: %d\n%s", status, body)
	}
}
