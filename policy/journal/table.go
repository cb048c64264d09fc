package journal

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/policy"
)

// field is a key of a line: its place in the table.
type field uint8

// row is all that one key of a line is. Writing, reading, JSON, bounds and the
// documentation range over the table of them.
type row struct {
	key string
	doc string // for the package comment
	kind
	field field // its place in the table
	// prefix is the key in each format, with what stands before and behind it, and the
	// value where that is always the same.
	prefix [2]string
	// bound is the most that the value takes, in bytes as they are written: after
	// escaping, without quotes or brackets. See limits.go.
	bound int
	// cuts: what is longer than the bound is cut, and the key named under "cut".
	cuts bool
	// judged is the text of the request that it is, if entries of rules look at it.
	judged policy.Cut
	// need: a line without it is damaged.
	need bool

	// Where in the record it lives: of these the one of its kind.
	text   func(*Record) *string
	flag   func(*Record) *bool
	number func(*Record) *int
	addr   func(*Record) *netip.Addr
	time   func(*Record) *time.Time
	span   func(*Record) *time.Duration
	check  policy.Check
	word   string
	say    func(*Record) string
	some   func(*Record) bool // there is a list
	put    func(l list, r *Record) list
	// take reads what say or put have written. odd is a word that it does not know,
	// of which it takes nothing. Nil: nothing is read, it follows from the rest.
	take func(v value, r *Record) (odd string, err error)
	// array writes as JSON what logfmt has of a list; nil: JSON has no array of it.
	array func(l *list, v string)
}

// kind is how a value is written and read.
type kind uint8

const (
	kindWord   kind = iota // always the same
	kindText               // of the record
	kindSaid               // a text that is put together, and taken apart
	kindFlag               // true, or left out
	kindNumber             // a whole one
	kindAddr               // one address
	kindTime               // RFC 3339 with milliseconds, UTC
	kindSpan               // milliseconds, with three digits of their fraction
	kindCheck              // the result of a check
	kindList               // of several elements
	kindCut                // the list of the keys that hold less than there was
)

// bare reports whether JSON has values of the kind without quotes.
func (k kind) bare() bool { return k == kindFlag || k == kindNumber || k == kindSpan }

// table has the keys of a line in the order in which they are written. A row is read
// when those before it have been.
var table = rows()

func rows() []row {
	begin := []row{
		{key: "time", doc: "when the request had arrived, RFC 3339 with milliseconds, UTC", kind: kindTime, bound: maxTime, need: true, time: func(r *Record) *time.Time { return &r.Request.Time }},
		wordRow("level", "INFO", "INFO"),
		wordRow("msg", "decision", "decision"),
		textRow("id", maxID, "of the decision, unique", func(r *Record) *string { return &r.ID }),
		textRow("config", maxConfig, "hash of the configuration that was in force", func(r *Record) *string { return &r.Config }),
		{key: "action", doc: "what Postfix was told: reject, defer, dunno or info", kind: kindSaid, bound: maxAction, need: true, say: sayAction, take: takeAction},
		textRow("rule", maxRule, "the rule that decided", func(r *Record) *string { return &r.Decision.Rule }),
		{key: "mode", doc: "enforce or observe", kind: kindSaid, bound: maxMode, say: func(r *Record) string { return r.Decision.Mode.String() }, take: takeMode},
		{key: "decided", doc: "what the rules came to, where that was not carried out", kind: kindSaid, bound: maxAction, say: sayDecided, take: takeDecided},
		{key: "would", doc: "list of action:rule, of what was only observed", kind: kindList, bound: maxWould, cuts: true, some: func(r *Record) bool { return len(r.Decision.Would) > 0 || r.Decision.Decided != r.Decision.Action }, put: putWould, take: takeWould, array: (*list).copyTexts},
		flagRow("downgraded", "a doubt made less of a reject", func(r *Record) *bool { return &r.Decision.Downgraded }),
		textRow("reply", maxReply, "the reply to Postfix, if it was not DUNNO", func(r *Record) *string { return &r.Reply }),
	}
	rest := []row{
		addrRow("client", "its address", func(r *Record) *netip.Addr { return &r.Request.Client }),
		{key: "why", doc: "what shows that the name is generic", kind: kindSaid, bound: maxWhy, cuts: true, say: sayWhy},
		{key: "names", doc: "list of the PTR names, each with what it resolves to (below)", kind: kindList, bound: maxNames, cuts: true, some: func(r *Record) bool { return len(r.Facts.Names) > 0 }, put: putNames, take: takeNames, array: (*list).copyNames},
		flagRow("more_names", "there are names that were not tried", func(r *Record) *bool { return &r.Facts.MoreNames }),
		{key: "helo_to", doc: "what the HELO resolves to, likewise", kind: kindList, bound: maxAddr + len(`""`), some: func(r *Record) bool { return known(&r.Facts.HELO.Forward) }, put: putHELOTo, take: takeHELOTo, array: (*list).copyForward},
		flagRow("own_client", "the client is this very host", func(r *Record) *bool { return &r.Facts.OwnClient }),
		flagRow("own_helo", "the HELO is a name of this very host", func(r *Record) *bool { return &r.Facts.OwnHELO }),
		{key: "dns_errors", doc: "list of why lookups failed, some of them (below)", kind: kindList, bound: maxErrors, cuts: true, some: func(r *Record) bool { return len(r.Facts.Errors) > 0 }, put: putErrors, take: takeErrors, array: (*list).copyErrors},
		numberRow("questions", "that were sent to DNS servers", func(r *Record) *int { return &r.Facts.Questions }),
		textRow("client_address", maxText, "what Postfix sent, if that is no address", func(r *Record) *string { return &r.Request.ClientText }),
		textRow("helo_is", maxHELO, "the HELO", func(r *Record) *string { return &r.Request.HELO }).judgedAs(policy.CutHELO),
		textRow("sender", maxMailbox, "MAIL FROM", func(r *Record) *string { return &r.Request.Sender }).judgedAs(policy.CutSender),
		textRow("recipient", maxMailbox, "RCPT TO", func(r *Record) *string { return &r.Request.Recipient }).judgedAs(policy.CutRecipient),
		textRow("instance", maxText, "the same for all recipients of a message", func(r *Record) *string { return &r.Request.Instance }),
		textRow("queue_id", maxText, "Postfix's, where it has one", func(r *Record) *string { return &r.Request.QueueID }),
		textRow("state", maxState, "of the SMTP session: RCPT, and so on", func(r *Record) *string { return &r.Request.State }),
		flagRow("authenticated", "the client logged in", func(r *Record) *bool { return &r.Request.Authenticated }),
		flagRow("encrypted", "it is under TLS", func(r *Record) *bool { return &r.Request.Encrypted }),
		addrRow("server", "the address that Postfix accepted on", func(r *Record) *netip.Addr { return &r.Request.Server }),
		textRow("client_name", maxFoundName, "Postfix's own finding: the verified name", func(r *Record) *string { return &r.Request.ClientName }),
		textRow("reverse_client_name", maxFoundName, "the same, not verified", func(r *Record) *string { return &r.Request.ReverseClientName }),
		textRow("context", maxContext, "policy_context of this check_policy_service", func(r *Record) *string { return &r.Request.Context }).judgedAs(policy.CutContext),
		textRow("host", maxHost, "the host that wrote the line", func(r *Record) *string { return &r.Host }),
		{key: "cut", doc: "list of the keys above that hold less than there was", kind: kindCut, bound: maxCut, array: (*list).copyTexts},
		{key: "ms", doc: "the decision's time in milliseconds", kind: kindSpan, bound: maxSpan, span: func(r *Record) *time.Duration { return &r.Elapsed }},
		flagRow("cached", "all DNS answers came from the cache", func(r *Record) *bool { return &r.Facts.Cached }),
		flagRow("stale", "one of them was past its TTL", func(r *Record) *bool { return &r.Facts.Stale }),
		flagRow("outage", "no DNS server answered anybody", func(r *Record) *bool { return &r.Facts.Outage }),
		flagRow("overload", "the daemon had no room for a lookup", func(r *Record) *bool { return &r.Facts.Overload }),
	}
	for _, c := range policy.AllChecks() {
		begin = append(begin, checkRow(c))
	}
	all := append(begin, rest...)
	for i := range all {
		all[i].place(field(i))
	}
	return all
}

// place gives a row its place in a line.
func (r *row) place(f field) {
	logfmt, json := " ", ","
	if f == 0 {
		logfmt, json = "", "{"
	}
	logfmt, json = logfmt+r.key+"=", json+`"`+r.key+`":`
	switch r.kind {
	case kindWord:
		logfmt, json = logfmt+r.word, json+`"`+r.word+`"`
	case kindFlag:
		logfmt, json = logfmt+"true", json+"true"
	}
	r.field, r.prefix = f, [2]string{Logfmt: logfmt, JSON: json}
}

func wordRow(key, value, doc string) row {
	return row{key: key, doc: doc, kind: kindWord, bound: len(value), word: value}
}

func textRow(key string, bound int, doc string, at func(*Record) *string) row {
	return row{key: key, doc: doc, kind: kindText, bound: bound, cuts: true, text: at}
}

// judgedAs is a text that entries of rules look at.
func (r row) judgedAs(text policy.Cut) row {
	r.judged = text
	return r
}

func flagRow(key, doc string, at func(*Record) *bool) row {
	return row{key: key, doc: "true: " + doc, kind: kindFlag, bound: len("true"), flag: at}
}

func numberRow(key, doc string, at func(*Record) *int) row {
	return row{key: key, doc: doc, kind: kindNumber, bound: maxNumber, number: at}
}

func addrRow(key, doc string, at func(*Record) *netip.Addr) row {
	return row{key: key, doc: doc, kind: kindAddr, bound: maxAddr, addr: at}
}

// check is the row of a check, which has the name that it has in rules.
func checkRow(c policy.Check) row {
	r := row{key: c.String(), doc: "check: " + c.Question(), kind: kindCheck, check: c}
	for _, result := range c.Results() {
		r.bound = max(r.bound, len(result.String()))
	}
	return r
}

// manual is the list of the keys in the package comment.
func manual() string {
	var b strings.Builder
	for i := range table {
		fmt.Fprintf(&b, "//\t%-20s %s\n", table[i].key, table[i].doc)
	}
	return b.String()
}

// Keys lists the keys of a line in the order in which they are written.
func Keys() []string {
	all := make([]string, len(table))
	for f := range table {
		all[f] = table[f].key
	}
	return all
}

// fieldOf is the field of a key.
func fieldOf(key string) (field, bool) {
	for f := range table {
		if table[f].key == key {
			return field(f), true
		}
	}
	return 0, false
}
