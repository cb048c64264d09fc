package status

import (
	"net/http"
	"net/url"
	"time"

	"policyd-rdns/policy/journal"
)

// Explanation is why a decision was made, from its record: what "policyd-rdns
// explain" prints, in printable ASCII.
type Explanation struct {
	Lookups  []Lookup
	Facts    []Fact
	Rules    []Rule
	Decision []string // sentences
	Reads    string   // what the sending server reads; empty: nothing
	Allow    string   // the command that would let the client pass; empty: it passes
	Exempt   string   // the same as TOML
	Again    string   // the command that queries the DNS anew
	// Since says what has changed since the decision: the configuration, and what
	// would be decided now. Empty: nothing.
	Since string
	// Case is the URL of the page that the sender may read; empty: there is none.
	Case string
}

// Lookup is a query with its answer.
type Lookup struct{ Query, Answer string }

// Fact is a check with its outcome, and the evidence.
type Fact struct{ Check, Result, Why string }

// Rule is a rule held against the request.
type Rule struct {
	Number  int
	Name    string
	Action  string // "reject, observed only"
	Holds   string
	Decides bool
	Entries []string
}

// decision is the page about one decision.
type decision struct {
	head
	Explanation
	Row      found
	Record   *journal.Record
	Took     time.Duration
	Line     string
	OfClient string // link to all of its client
}

// decision finds one and explains it.
func (p *Page) decision(id string) (status int, name string, view any) {
	r, line, ok := p.find(id)
	if !ok {
		return http.StatusNotFound, "missing.html", missing{
			p.head("Decision not found"),
			"There is no decision of this ID, or it is no longer kept here. The decision log has all of them: policyd-rdns log --id ID FILE",
		}
	}
	row := p.row(&r)
	return http.StatusOK, "decision.html", &decision{
		head: p.head(row.Action + " " + row.Client), Explanation: p.source.Explain(&r), Row: row, Record: &r,
		Took: r.Elapsed, Line: line,
		OfClient: "/?" + url.Values{"q": {r.Request.Client.String()}, "show": {"all"}}.Encode(),
	}
}
