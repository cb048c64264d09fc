package daemon

import (
	"log/slog"
	"net/http/httptest"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/journal"
)

// Watch serves the pages until the test ends, as Serve does, and gives their URL.
func (d *Daemon) Watch(t *testing.T) (url string) {
	t.Helper()
	var log testbed.Log
	d.log = slog.New(slog.NewTextHandler(&log, nil))
	stop, err := d.serveHTTP(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	d.watch.listens(true)
	_, url, _ = strings.Cut(log.String(), "url=")
	return strings.TrimSpace(url)
}

// Keep puts a decision on the page.
func (d *Daemon) Keep(r *journal.Record) { d.watch.keep(r, journal.Logfmt.Append(nil, r)) }

// metrics is what is served to Prometheus.
func (d *Daemon) metrics() string {
	w := httptest.NewRecorder()
	d.watch.metrics.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}
