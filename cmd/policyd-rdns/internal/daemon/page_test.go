package daemon_test

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"policyd-rdns/cmd/policyd-rdns/internal/demo"
	"policyd-rdns/cmd/policyd-rdns/internal/explain"
	"policyd-rdns/cmd/policyd-rdns/internal/testbed"
	"policyd-rdns/policy/journal"
)

// TestPageIsExplain: the page about a decision says all that explain prints of
// the same facts, and says it the same.
func TestPageIsExplain(t *testing.T) {
	d, url := watched(t)
	text := regexp.MustCompile(`(?s)<[^>]*>`)
	blank := regexp.MustCompile(`\s+`)
	for _, r := range recent(t, url) {
		e := explain.Recorded(d.conf, &r)
		e.Now = nil // which the page tells in its own words
		var printed strings.Builder
		e.Print(&printed, false)
		_, body := testbed.Fetch(t, "GET", url+"decision/"+r.ID, "")
		page := strings.ToLower(blank.ReplaceAllString(html.UnescapeString(text.ReplaceAllString(body, " ")), " "))
		for line := range strings.Lines(printed.String()) {
			line = strings.TrimSuffix(strings.TrimSpace(line), ":")
			line = strings.TrimSuffix(line, " 0s") // the time of a lookup is not recorded
			line = strings.ReplaceAll(line, "): ", ") ")
			line = strings.ToLower(strings.TrimSpace(blank.ReplaceAllString(line, " ")))
			if strings.HasPrefix(line, "client ") {
				continue // is in the heading
			}
			if line = strings.TrimSuffix(line, " -"); !strings.Contains(page, line) {
				t.Errorf("the page about %s as %.40q lacks %q:\n%s", r.Request.Client, r.Request.HELO, line, page)
			}
		}
	}
}

// recent are the decisions of the demonstration's clients, read back from their
// pages.
func recent(t *testing.T, url string) []journal.Record {
	t.Helper()
	var records []journal.Record
	line := regexp.MustCompile(`(?s)<pre tabindex="0" class="wrap">(.*?)</pre>`)
	for i := range demo.Clients() {
		_, body := testbed.Fetch(t, "GET", url+"decision/"+idOf(firstID+uint64(i)+1), "")
		found := line.FindStringSubmatch(body)
		if found == nil {
			t.Fatalf("no log line on the page:\n%s", body)
		}
		r, err := journal.Parse([]byte(html.UnescapeString(found[1])))
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, r)
	}
	return records
}
