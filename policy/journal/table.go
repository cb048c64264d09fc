package journal

import (
	"fmt"
	"net/netip"
	"strings"
	"time"

	"policyd-rdns/policy"
)

// field is a key of a line: its index in the table.
type field uint8

// row is all that one key of a line is. Writing, reading, JSON, bounds and the
// documentation range over the table of them.
type row struct {
	// What is looked at for each line comes first, so that it is in one or two lines of the
	// processor's cache: most rows of most lines have nothing to write.
	kind
	field field // its index in the table
	check policy.Check
	// cuts: what is longer than the bound is cut, and the key named under "cut".
	cuts bool
	// need: a line without it is damaged.
	need bool
	// judged is the text of the request that it is, if entries of rules look at it.
	judged policy.Attributes

	// Where in the record it lives: of these the one of its kind.
	text   func(*Record) *string
	flag   func(*Record) *bool
	number func(*Record) *int
	time   func(*Record) *time.Time
	say    func(*Record) string
	some   func(*Record) bool // there is a list
	addr   func(*Record) *netip.Addr
	span   func(*Record) *time.Duration
	put    func(l list, r *Record) list
	// bound is the most that the value takes, in bytes as they are written: after
	// escaping, without quotes or brackets. See limits.go.
	bound int
	// prefix is the key in each format, with what stands before and behind it, and the
	// value where that is always the same.
	prefix [2]string

	key  string
	doc  string // what it is, its values, when it is left out: sentences
	word string
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
	kindCount              // the same, left out if it is 0
	kindAddr               // one address
	kindTime               // RFC 3339 with milliseconds, UTC
	kindMoment             // the same, left out if it is never
	kindSpan               // milliseconds, with three digits of their fraction
	kindCheck              // the result of a check
	kindList               // of several elements
	kindCut                // the list of the keys that hold less than there was
)

// kindNames are the kinds for people.
var kindNames = [...]string{
	kindWord: "word", kindText: "text", kindSaid: "text", kindFlag: "flag", kindNumber: "number", kindCount: "number", kindMoment: "time", kindAddr: "address",
	kindTime: "time", kindSpan: "milliseconds", kindCheck: "result of a check", kindList: "list", kindCut: "list",
}

// bare reports whether JSON has values of the kind without quotes.
func (k kind) bare() bool { return k == kindFlag || k == kindNumber || k == kindCount || k == kindSpan }

// table has the keys of a line in the order in which they are written. A row is read
// when those before it have been.
var table = rows()

func rows() []row {
	begin := []row{
		{key: "time", doc: "When the request had arrived: RFC 3339 with milliseconds, in UTC. On every line.", kind: kindTime, bound: maxTime, need: true, time: func(r *Record) *time.Time { return &r.Request.Time }},
		wordRow("level", "INFO", "INFO, on every line."),
		wordRow("msg", "decision", "decision, on every line: other lines of the daemon have another msg."),
		textRow("id", maxID, "The id of the decision, which no other one has.", func(r *Record) *string { return &r.ID }),
		textRow("config", maxConfig, "The hash of the configuration that was in force.", func(r *Record) *string { return &r.Config }),
		{key: "action", doc: "What Postfix was told: reject, defer, hold, dunno, tag (dunno, and the message gets a header), or info, which only has Postfix log what would have been done. On every line.", kind: kindSaid, bound: maxAction, need: true, say: sayAction, take: takeAction},
		textRow("rule", maxRule, "The name of the rule that decided. Left out if none did, which is dunno.", func(r *Record) *string { return &r.Decision.Rule }),
		flagRow("exempt", "the rule is an exemption.", func(r *Record) *bool { return &r.Decision.Exempt }),
		textRow("exempt_why", maxWhyExempt, "What the administrator wrote beside the exemption.", func(r *Record) *string { return &r.Decision.Why }),
		flagRow("early", "the rule may spare the client and looks at what this stage of the session cannot know yet; the answer is dunno, and a later request judges.", func(r *Record) *bool { return &r.Decision.Early }),
		{key: "tags", doc: "The rules of action tag that hold. The header is added once for each message.", kind: kindList, bound: maxTags, cuts: true, some: func(r *Record) bool { return len(r.Decision.Tags) > 0 }, put: putTags, take: takeTags, array: (*list).copyTexts},
		{key: "mode", doc: "Whether decisions are carried out: enforce, or observe.", kind: kindSaid, bound: maxMode, say: func(r *Record) string { return r.Decision.Mode.String() }, take: takeMode},
		{key: "decided", doc: "What the rules came to: reject, defer, hold or dunno. Left out if that is what was done, as action has it.", kind: kindSaid, bound: maxAction, say: sayDecided, take: takeDecided},
		{key: "would", doc: "What rules that only observe would have done, as action:rule; in mode observe the last is what the rules came to. Of a defer also the reject that it had been without SPF.", kind: kindList, bound: maxWould, cuts: true, some: func(r *Record) bool { return len(r.Decision.Would) > 0 || !r.Decision.CarriedOut() }, put: putWould, take: takeWould, array: (*list).copyTexts},
		flagRow("downgraded", "a temporary failure of the DNS, an exemption that could not be determined, or that nothing is remembered of the client made less of a reject.", func(r *Record) *bool { return &r.Decision.Downgraded }),
		countRow("waiting", "For how many seconds more the rule is a defer, before it is the reject that it says (defer_for, grace). Left out if it is not.", func(r *Record) *int { return &r.Decision.Waiting }),
		flagRow("rescued", "the rule is a reject, and a defer only since the domain of the sender is known and says by SPF that the client sends for it.", func(r *Record) *bool { return &r.Decision.Rescued }),
		textRow("reply", maxReply, "The reply to Postfix, with the text that the client reads. Left out if it was DUNNO.", func(r *Record) *string { return &r.Reply }),
		textRow("case", maxCase, "The number of the case, which stands in the reply behind the URL of the page for the refused. Left out if there is none.", func(r *Record) *string { return &r.Case }),
	}
	rest := []row{
		addrRow("client", "The address of the client. Left out if Postfix sent none; then client_address has what it sent.", func(r *Record) *netip.Addr { return &r.Request.Client }),
		{key: "why", doc: "What in the name shows that it was made from the address, for people. Left out if no name is generic.", kind: kindSaid, bound: maxWhy, cuts: true, say: sayWhy},
		{key: "names", doc: "The PTR names of the address, each with what it resolves to, as described below. Left out if there is none, or none was queried.", kind: kindList, bound: maxNames, cuts: true, some: func(r *Record) bool { return len(r.Facts.Names) > 0 }, put: putNames, take: takeNames, array: (*list).copyNames},
		flagRow("more_names", "the address has more names than those ten that are tried.", func(r *Record) *bool { return &r.Facts.MoreNames }),
		{key: "helo_to", doc: "What the HELO resolves to, written as in names: an address, none or temperror. Left out if that was not queried.", kind: kindList, bound: maxAddr + len(`""`), some: func(r *Record) bool { return known(&r.Facts.HELO.Forward) }, put: putHELOTo, take: takeHELOTo, array: (*list).copyForward},
		pastRow("first_contact", "When the client, by any of its parties, was first seen with a message.", func(r *Record) *time.Time { return &r.Facts.Past.FirstContact }),
		pastRow("last_contact", "When it was last seen before.", func(r *Record) *time.Time { return &r.Facts.Past.LastContact }),
		pastRow("returned", "When it last came back with a message that it had been deferred for, this request included.", func(r *Record) *time.Time { return &r.Facts.Past.Returned }),
		pastRow("last_pass", "When a message of it last passed on its merits.", func(r *Record) *time.Time { return &r.Facts.Past.LastPass }),
		countRow("pass_days", "1 after its first pass, and 1 more for each 20 hours between that and the last one.", func(r *Record) *int { return &r.Facts.Past.PassDays }),
		pastRow("objected", "When the series of objections to its address began that is not over.", func(r *Record) *time.Time { return &r.Facts.Past.Objected }),
		textRow("party", maxParty, "The party of the client that tells most for it: its address, its network, its organisation or its HELO. Left out if none is remembered.", func(r *Record) *string { return &r.Facts.Past.Party }),
		flagRow("correspondent", "users of ours have written to the domain of the sender.", func(r *Record) *bool { return &r.Facts.Past.Correspondent }),
		flagRow("domain_known", "the domain of the sender is known by its own passes.", func(r *Record) *bool { return &r.Facts.Past.DomainKnown }),
		textRow("spf_by", maxSPFBy, "The term of an SPF record that decided, and the domain whose record it is. Left out if none did, or no domain was asked.", func(r *Record) *string { return &r.Facts.SPF.By }),
		flagRow("unsure", "the store of history did not tell in time whether more is remembered: that is never ground for a 5xx.", func(r *Record) *bool { return &r.Facts.Past.Unsure }),
		flagRow("nat", "others stand behind the address of the client, so that nothing is remembered of it.", func(r *Record) *bool { return &r.Facts.Past.NAT }),
		flagRow("own_client", "the client is an address of the host that the daemon runs on.", func(r *Record) *bool { return &r.Facts.OwnClient }),
		flagRow("own_helo", "the HELO is a name of the host that the daemon runs on.", func(r *Record) *bool { return &r.Facts.OwnHELO }),
		{key: "dns_errors", doc: "Why lookups failed for a time, as many of them as there is room for, as described below.", kind: kindList, bound: maxErrors, cuts: true, some: func(r *Record) bool { return len(r.Facts.Errors) > 0 }, put: putErrors, take: takeErrors, array: (*list).copyErrors},
		numberRow("queries", "How many queries were sent to DNS servers for this decision; 0 if all was known. On every line.", func(r *Record) *int { return &r.Facts.Queries }),
		textRow("client_address", maxText, "What Postfix sent as the address of the client, if it is none, such as unknown.", func(r *Record) *string { return &r.Request.ClientText }),
		textRow("helo_is", maxHELO, "The argument of HELO or EHLO. Left out before it was given.", func(r *Record) *string { return &r.Request.HELO }).judgedAs(policy.AttrHELO),
		textRow("sender", maxMailbox, "The sender in the envelope (MAIL FROM). Left out if it is the null sender, or was not given yet.", func(r *Record) *string { return &r.Request.Sender }).judgedAs(policy.AttrSender),
		textRow("recipient", maxMailbox, "The recipient in the envelope (RCPT TO). Left out where a request is not about one.", func(r *Record) *string { return &r.Request.Recipient }).judgedAs(policy.AttrRecipient),
		textRow("instance", maxText, "Postfix's instance: the same in all lines about one message, of each recipient.", func(r *Record) *string { return &r.Request.Instance }),
		textRow("queue_id", maxText, "Postfix's queue id. Left out until there is one, which mostly is when the first recipient was accepted.", func(r *Record) *string { return &r.Request.QueueID }),
		textRow("state", maxState, "The stage of the SMTP session, as Postfix names it: CONNECT, EHLO, HELO, MAIL, RCPT, DATA, END-OF-MESSAGE, VRFY or ETRN.", func(r *Record) *string { return &r.Request.State }),
		flagRow("authenticated", "the client has logged in (SASL).", func(r *Record) *bool { return &r.Request.Authenticated }),
		flagRow("encrypted", "the session is encrypted by TLS.", func(r *Record) *bool { return &r.Request.Encrypted }),
		addrRow("server", "The address at which Postfix accepted the connection. Left out if Postfix did not send it (before 3.2).", func(r *Record) *netip.Addr { return &r.Request.Server }),
		textRow("client_name", maxFoundName, "The name of the client by Postfix's own lookups, if it resolves back to the client; else unknown.", func(r *Record) *string { return &r.Request.ClientName }),
		textRow("reverse_client_name", maxFoundName, "The name of the client by Postfix's own lookups, whether it resolves back or not; unknown if there is none.", func(r *Record) *string { return &r.Request.ReverseClientName }),
		textRow("context", maxContext, "The policy_context that main.cf or master.cf gives this check_policy_service.", func(r *Record) *string { return &r.Request.Context }).judgedAs(policy.AttrContext),
		textRow("host", maxHost, "The name of the host that wrote the line.", func(r *Record) *string { return &r.Host }),
		{key: "cut", doc: "The keys of this line that hold less than there was, since that was too long.", kind: kindCut, bound: maxCut, array: (*list).copyTexts},
		{key: "ms", doc: "How long the decision took, in milliseconds with three decimals. On every line.", kind: kindSpan, bound: maxSpan, span: func(r *Record) *time.Duration { return &r.Elapsed }},
		flagRow("cached", "DNS answers were used, and all came from the cache.", func(r *Record) *bool { return &r.Facts.Cached }),
		flagRow("stale", "a DNS answer that was past its TTL was used, since no server had a newer one.", func(r *Record) *bool { return &r.Facts.Stale }),
		flagRow("outage", "no DNS server answered anybody at that time: nothing that the client could mend.", func(r *Record) *bool { return &r.Facts.Outage }),
		flagRow("overload", "too many lookups were under way for one about this client: nothing that it could mend.", func(r *Record) *bool { return &r.Facts.Overload }),
	}
	for _, c := range policy.AllChecks() {
		begin = append(begin, checkRow(c))
	}
	all := append(begin, rest...)
	for i := range all {
		all[i].set(field(i))
	}
	return all
}

// set tells a row its index, from which its prefix follows.
func (r *row) set(f field) {
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
func (r row) judgedAs(text policy.Attributes) row {
	r.judged = text
	return r
}

func flagRow(key, doc string, at func(*Record) *bool) row {
	return row{key: key, doc: "true: " + doc, kind: kindFlag, bound: len("true"), flag: at}
}

func numberRow(key, doc string, at func(*Record) *int) row {
	return row{key: key, doc: doc, kind: kindNumber, bound: maxNumber, number: at}
}

// countRow is a number that is left out if it is 0.
func countRow(key, doc string, at func(*Record) *int) row {
	return row{key: key, doc: doc, kind: kindCount, bound: maxNumber, number: at}
}

// pastRow is a time of what is remembered, which is left out if there is none.
func pastRow(key, doc string, at func(*Record) *time.Time) row {
	return row{key: key, doc: doc + " Left out if never, or if nobody has asked.", kind: kindMoment, bound: maxMoment, time: at}
}

func addrRow(key, doc string, at func(*Record) *netip.Addr) row {
	return row{key: key, doc: doc, kind: kindAddr, bound: maxAddr, addr: at}
}

// checkRow is the row of a check, which has the name that it has in rules.
func checkRow(c policy.Check) row {
	r := row{key: c.String(), kind: kindCheck, check: c}
	var results []string
	for _, result := range c.Results() {
		r.bound = max(r.bound, len(result.String()))
		results = append(results, result.String())
	}
	r.doc = fmt.Sprintf("The check %s: %s One of %s. Left out if no rule in force needed it.", c, c.Question(), strings.Join(results, ", "))
	return r
}

// Key is a key of a line, for a manual page.
type Key struct {
	Name string
	Kind string // of its values, for people: text, list, address, ...
	// Doc is what it is, its values, and when it is left out, in sentences.
	Doc string
}

// Manual lists the keys of a line in the order in which they are written.
func Manual() []Key {
	var all []Key
	for i := range table {
		row := &table[i]
		all = append(all, Key{row.key, kindNames[row.kind], row.doc})
	}
	return all
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
