package status

import (
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"golang.org/x/net/html"

	"policyd-rdns/policy"
)

// FuzzPage puts any text where strangers put theirs, and into the search: the
// page has no element and no attribute that could do anything.
func FuzzPage(f *testing.F) {
	for _, text := range []string{
		"", "mail.example.org", `<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onfocus=alert(1) autofocus='`,
		"javascript:alert(1)", "{{.State}}", "</textarea></title></style><svg onload=alert(1)>", "\u202e\x00\xff\x1b[31m", "a\nb=c", `\"`, "&lt;&#x3c;",
	} {
		f.Add(text, text)
	}
	p := tested(well())
	f.Fuzz(func(t *testing.T, text, query string) {
		if !utf8.ValidString(text) || len(text) > 2048 {
			t.Skip("no text of a request: policy.Request")
		}
		r := record("r1", "203.0.113.10", time.Minute, policy.Reject)
		r.Request.HELO, r.Request.Sender, r.Request.Recipient, r.Request.QueueID, r.Request.Instance = text, text, text, text, text
		r.Facts.Names = []policy.Name{{Name: text}}
		r.Reply, r.Decision.Rule = "550 5.7.1 "+text, text
		p.objected = newRing(maxLine, 2)
		p.keep(r)
		for _, path := range []string{"/", "/?q=" + url.QueryEscape(query), "/decision/r1", "/decision/" + url.PathEscape(query)} {
			status, body := get(p, path)
			if status != 200 && status != 404 {
				t.Fatalf("GET %q = %d", path, status)
			}
			harmless(t, body)
		}
	})
}

// harmless fails the test for markup that the templates do not have.
func harmless(t *testing.T, body string) {
	t.Helper()
	forbidden := []string{"script", "img", "iframe", "object", "embed", "style", "base", "textarea", "foreignobject", "use", "animate", "set"}
	for z := html.NewTokenizer(strings.NewReader(strings.Replace(body, ownScript, "", 1))); z.Next() != html.ErrorToken; {
		token := z.Token()
		if token.Type != html.StartTagToken && token.Type != html.SelfClosingTagToken {
			continue
		}
		if slices.Contains(forbidden, token.Data) {
			t.Errorf("the page has a %s", token.Data)
		}
		for _, a := range token.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" || a.Key == "autofocus" ||
				(a.Key == "href" || a.Key == "action") && !strings.HasPrefix(a.Val, "/") && !strings.HasPrefix(a.Val, "#") || a.Key == "src" {
				t.Errorf("the page has %s=%q", a.Key, a.Val)
			}
		}
	}
}
