// Package helppage is the page that a refused sender finds behind the URL in the reply:
// why his mail was refused, what the DNS says now, what to set and who can, and whether
// that would be enough.
//
// It is for everybody, and tells nobody anything about anybody else. With a case number,
// which only whoever has read the refusal knows, it tells of that case's address; without
// one it tells whoever asks of his own. Nothing else is in it: no recipient, sender or
// HELO, no other client, no count, no rule, no exemption, no name or resolver of ours.
// GET changes nothing. POST looks once more, past the cache, and unblocks nothing: only
// the DNS does.
//
// The last segment of the path is what is asked for, so that a proxy may mount the page
// anywhere:
//
//	CASE     a case number: package casenumber
//	CAUSE    the word of a cause, as in a URL without a case number: what that means
//	nothing  the requester's own address
//
// The texts are in the folder texts, a file for each language. A file that is added is a
// language that is spoken.
package helppage

import (
	"bytes"
	"context"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"net/http"
	"net/netip"
	"path"
	"strconv"
	"sync"
	"time"

	"policyd-rdns/cmd/policyd-rdns/internal/helppage/look"
	"policyd-rdns/cmd/policyd-rdns/internal/web"
	"policyd-rdns/policy/address"
	"policyd-rdns/policy/casenumber"
)

// Bounds of what those who ask may have.
const (
	// requestEvery and requestBurst are for one party, looksEvery and looksBurst for all
	// lookups together, againEvery for one address that is looked at past the cache.
	requestEvery = time.Second
	requestBurst = 20
	looksEvery   = 200 * time.Millisecond
	looksBurst   = 25
	againEvery   = time.Minute
	// maxBody is what the body of a POST may have, in bytes. Nobody reads it.
	maxBody = 1 << 10
)

// Settings are what the page has of the configuration.
type Settings struct {
	// Contact is whom to ask, a mail address or its part before the @, which is then one of
	// the domain that was written to; empty: nobody.
	Contact string
	// Open: mail to the contact is taken from whoever is refused, too.
	Open bool
	// Proxy reports whether an address is that of a proxy, whose X-Forwarded-For is
	// believed.
	Proxy func(netip.Addr) bool
}

// Source is where the page has its content from. Its functions are called by any number
// of goroutines.
type Source struct {
	Settings func() Settings
	// Read reads a case number: [casenumber.Keys.Read].
	Read func(text string, now time.Time) (casenumber.Case, error)
	// Look looks at an address; again: past the cache.
	Look func(ctx context.Context, client netip.Addr, again bool) look.Found
}

// Page answers requests for the page.
type Page struct {
	source    Source
	now       func() time.Time
	languages *languages
	making    sync.Mutex // one page is made at a time, so that mail has the other processors

	requests web.Limiter[netip.Addr]
	looks    web.Limiter[struct{}]
	again    web.Limiter[netip.Addr]
}

// New makes a page. now is the clock; nil: time.Now.
func New(source Source, now func() time.Time) *Page {
	if now == nil {
		now = time.Now
	}
	return &Page{
		source: source, now: now, languages: newLanguages(),
		requests: web.Limiter[netip.Addr]{Every: requestEvery, Burst: requestBurst},
		looks:    web.Limiter[struct{}]{Every: looksEvery, Burst: looksBurst},
		again:    web.Limiter[netip.Addr]{Every: againEvery, Burst: 1},
	}
}

//go:embed pages texts
var files embed.FS

// style and script are in the page itself, so that it is one answer wherever it is
// mounted; the browser knows them by their hashes.
var (
	style, styleHash   = inline("pages/style.css")
	script, scriptHash = inline("pages/local.js")
)

func inline(name string) (text, hash string) {
	b, err := files.ReadFile(name)
	if err != nil {
		panic("helppage: " + err.Error())
	}
	sum := sha256.Sum256(b)
	return string(b), "sha256-" + base64.StdEncoding.EncodeToString(sum[:])
}

// ServeHTTP answers with a page.
func (p *Page) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	web.SecurePublic(w.Header(), styleHash, scriptHash)
	settings := p.source.Settings()
	requester, known := web.Requester(r, settings.Proxy)
	if wait := p.requests.Take(web.Party(requester), p.now()); wait > 0 {
		w.Header().Set("Retry-After", strconv.Itoa(seconds(wait)))
		http.Error(w, "Too many requests: wait a little.", http.StatusTooManyRequests)
		return
	}
	switch {
	case r.Method != http.MethodGet && r.Method != http.MethodHead && r.Method != http.MethodPost:
		w.Header().Set("Allow", "GET, HEAD, POST")
		http.Error(w, "GET, HEAD or POST", http.StatusMethodNotAllowed)
		return
	case r.ContentLength > maxBody || r.ContentLength < 0:
		http.Error(w, "The body is too large.", http.StatusRequestEntityTooLarge)
		return
	}
	v := p.answer(r, requester, known, settings)
	language := p.languages.wanted(r)
	var page bytes.Buffer
	p.making.Lock()
	err := language.write(&page, &v)
	p.making.Unlock()
	if err != nil {
		http.Error(w, "The page could not be made.", http.StatusInternalServerError)
		return
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", language.tag)
	h.Set("Content-Length", strconv.Itoa(page.Len()))
	h.Set("Vary", "Accept-Language")
	w.WriteHeader(v.status)
	_, _ = w.Write(page.Bytes()) // whoever has gone has gone
}

// seconds is a time, rounded up.
func seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// answer is what is told.
func (p *Page) answer(r *http.Request, requester netip.Addr, known bool, settings Settings) view {
	v := view{status: http.StatusOK, Contact: settings.contact()}
	last := path.Base("/" + r.URL.Path)
	switch cause, isCause := casenumber.CauseByWord(last); {
	case r.URL.Path == "" || r.URL.Path[len(r.URL.Path)-1] == '/':
		if !known || !address.Public(netip.PrefixFrom(requester, requester.BitLen())) {
			v.Kind = kindNobody
			return v
		}
		v.Kind, v.Address = kindOwn, requester
	case isCause:
		v.Kind, v.Cause = kindCause, cause.String()
		return v
	default:
		c, err := p.source.Read(last, p.now())
		if err != nil {
			v.Kind, v.status = kindMissing, http.StatusNotFound
			return v
		}
		v.Kind, v.Address, v.Cause, v.At, v.Number = kindCase, c.Client, c.Cause.String(), c.At, last
	}
	p.look(&v, r)
	return v
}

// look looks at the address of a page.
func (p *Page) look(v *view, r *http.Request) {
	again := r.Method == http.MethodPost
	v.Again = again
	if p.looks.Take(struct{}{}, p.now()) > 0 {
		v.Busy = true
		return
	}
	if again {
		if wait := p.again.Take(v.Address, p.now()); wait > 0 {
			v.Soon, again = seconds(wait), false
		}
	}
	found := p.source.Look(r.Context(), v.Address, again)
	v.Found = &found
}
