package web

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Bounds of what all who ask a Public may take, and of what one request may.
const (
	// connectionsPerSecond are taken from the kernel, and burst of them at once.
	connectionsPerSecond = 25
	burst                = 50
	// closePause is between two that are closed at once for being too many. What is more
	// waits in the kernel, or is turned away by it.
	closePause           = 2 * time.Millisecond
	maxPublicConnections = 64
	maxPublicHeader      = 4 << 10 // bytes, to which net/http adds 4 KiB
	publicReadTime       = 5 * time.Second
	publicWriteTime      = 15 * time.Second // with the making of the page
)

// Public serves HTTP to everybody, behind a reverse proxy or not, and by any host name.
//
// What is asked is bounded before it is read: so many connections a second are taken, and
// each is for one request. A flood is closed or waits in the kernel, where it costs the
// rest of the program nothing. Its fields must not be changed while Serve runs.
type Public struct {
	Handler http.Handler
	// Log gets what net/http has to complain of; nil: nobody does.
	Log *slog.Logger
}

// Serve answers requests until ctx is done, those that have begun for a second longer. It
// closes the listener. The error is that of the listener.
func (p *Public) Serve(ctx context.Context, l net.Listener) error {
	log := p.Log
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	server := http.Server{
		Handler:           p.Handler,
		ReadHeaderTimeout: publicReadTime,
		ReadTimeout:       publicReadTime,
		WriteTimeout:      publicWriteTime,
		MaxHeaderBytes:    maxPublicHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	server.SetKeepAlivesEnabled(false)
	return run(ctx, &paced{Listener: l}, &server)
}

// SecurePublic sets what a browser has to obey on a page for everybody, which has its
// style and its script in itself: nothing but those is applied or run, and nothing is
// loaded. style and script are their hashes as CSP has them ("sha256-…"). No search engine
// is to keep the page.
func SecurePublic(h http.Header, style, script string) {
	secure(h)
	h.Set("Content-Security-Policy", contentPolicy+"style-src '"+style+"'; script-src '"+script+"'")
	h.Set("X-Robots-Tag", "noindex, nofollow, noarchive, nosnippet")
}

// paced takes connections no faster than they may come, and no more than may be open:
// those that are too many are closed at once, so that who comes after them does not wait
// behind. One goroutine calls Accept.
type paced struct {
	net.Listener
	next time.Time // when the next one may be taken, if none may be taken at once
	open atomic.Int32
}

// Accept waits for a connection that may be taken.
func (p *paced) Accept() (net.Conn, error) {
	const pause = time.Second / connectionsPerSecond
	for {
		conn, err := p.Listener.Accept()
		if err != nil {
			return nil, err
		}
		now := time.Now()
		if earliest := now.Add(-burst * pause); p.next.Before(earliest) {
			p.next = earliest
		}
		if !p.next.After(now) && p.open.Load() < maxPublicConnections {
			p.next = p.next.Add(pause)
			p.open.Add(1)
			return &counted{Conn: conn, open: &p.open}, nil
		}
		_ = conn.Close()
		time.Sleep(closePause)
	}
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	open   *atomic.Int32
	closed sync.Once
}

// Close closes the connection.
func (c *counted) Close() error {
	c.closed.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}
