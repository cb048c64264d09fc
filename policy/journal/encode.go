package journal

import (
	"math"
	"math/bits"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"policyd-rdns/policy"
	"policyd-rdns/resolver"
)

// timeFormat is RFC 3339 with milliseconds.
const timeFormat = "2006-01-02T15:04:05.000Z07:00"

// Append adds the record as one line, its newline included.
func (f Format) Append(dst []byte, r *Record) []byte {
	e := encoder{buf: dst, format: f, json: f == JSON, rows: table, cut: r.cut}
	e.record(r)
	return e.end()
}

// encoder writes the fields of one line. Empty values are left out.
type encoder struct {
	buf    []byte
	format Format
	json   bool
	rows   []row
	cut    fieldSet
	client place // its address
}

// record writes what the record has of each key.
func (e *encoder) record(r *Record) {
	rows := e.rows
	for i := range rows {
		row := &rows[i]
		switch row.kind {
		case kindText:
			if v := *row.text(r); v != "" {
				e.text(row, v)
			}
		case kindFlag:
			if *row.flag(r) {
				e.key(row)
			}
		case kindCheck:
			if result := r.Decision.Checks[row.check]; row.check.Shown(result) {
				e.key(row)
				e.plain(result.String())
			}
		case kindWord:
			e.key(row)
		case kindSaid:
			if v := row.say(r); v != "" {
				e.text(row, v)
			}
		case kindNumber:
			e.key(row)
			e.buf = strconv.AppendInt(e.buf, int64(*row.number(r)), 10)
		case kindAddr:
			if a := *row.addr(r); a.IsValid() {
				e.addr(row, a, r)
			}
		case kindTime:
			e.time(row, *row.time(r))
		case kindSpan:
			e.millis(row, *row.span(r))
		case kindList:
			if row.some(r) {
				e.list(row, r)
			}
		case kindCut:
			e.cutKeys(row)
		}
	}
}

func (e *encoder) list(row *row, r *Record) {
	e.key(row)
	l := row.list(list{buf: e.buf, json: e.json, begin: len(e.buf), client: e.client}, r)
	if e.buf = l.buf; l.cut {
		e.cut.add(row.field)
	}
}

// cutKeys names the keys that hold less than there was.
func (e *encoder) cutKeys(row *row) {
	if e.cut.empty() {
		return
	}
	e.key(row)
	l := list{buf: e.buf, json: e.json, begin: len(e.buf)}
	l.open()
	for i := range e.rows {
		if e.cut.has(field(i)) {
			l.element()
			l.text(e.rows[i].key)
		}
	}
	l.close()
	e.buf = l.buf
}

func sayAction(r *Record) string { return r.Decision.Action.String() }

func sayDecided(r *Record) string {
	d := &r.Decision
	if d.Decided == d.Action {
		return ""
	}
	return d.Decided.String()
}

// sayWhy tells what makes the first of the names generic, if the check says so too.
func sayWhy(r *Record) string {
	if r.Decision.Checks[policy.CheckName] == policy.Proper {
		return ""
	}
	for i := range r.Facts.Names {
		if v := &r.Facts.Names[i].Verdict; v.Generic {
			return v.String()
		}
	}
	return ""
}

// putWould writes what was only observed, as much of it as there is room for. The
// decision itself, if it is one of these, is always there, the last of them.
func putWould(l list, r *Record) list {
	d := &r.Decision
	observed := d.Decided != d.Action
	l.open()
	room := maxWould
	if observed {
		room -= verdictSize(policy.Verdict{Action: d.Decided, Rule: d.Rule})
	}
	for _, v := range d.Would {
		if room -= verdictSize(v); room < 0 {
			l.cut = true
			break
		}
		l.verdict(v)
	}
	if observed {
		l.verdict(policy.Verdict{Action: d.Decided, Rule: d.Rule})
	}
	l.close()
	return l
}

// verdictSize is what an element of would takes, quotes and comma included.
func verdictSize(v policy.Verdict) int {
	rule, _ := listed(v.Rule, maxRule)
	return len(v.Action.String()) + len(`":",`) + rule
}

func (l *list) verdict(v policy.Verdict) {
	l.element()
	l.quote()
	l.buf = append(append(l.buf, v.Action.String()...), ':')
	l.part(v.Rule, maxRule)
	l.quote()
}

// putNames writes the client's names.
func putNames(l list, r *Record) list {
	f := &r.Facts
	l.open()
	malformed := 0
	for i := range f.Names {
		n, most := &f.Names[i], maxName
		if !n.Valid {
			malformed++
			most = maxMalformed
		}
		if i == policy.MaxNames {
			l.cut = true
			break
		}
		if !n.Valid && malformed > maxMalformedMany {
			l.cut = true
			continue
		}
		l.name(n, most, r.Request.Client)
	}
	l.close()
	return l
}

func (l *list) name(n *policy.Name, most int, client netip.Addr) {
	l.element()
	if !l.json {
		l.part(n.Name, most)
		l.buf = append(l.buf, '>')
		l.forward(&n.Forward, client)
		return
	}
	l.buf, _ = appendQuoted(append(l.buf, `{"name":`...), l.short(n.Name, most), math.MaxInt)
	if told(&n.Forward) {
		l.buf = append(l.buf, `,"to":`...)
		l.forward(&n.Forward, client)
	}
	l.buf = append(l.buf, '}')
}

func putHELOTo(l list, r *Record) list {
	l.forward(&r.Facts.HELO.Forward, r.Request.Client)
	return l
}

// putErrors writes why lookups failed, as much of it as there is room for.
func putErrors(l list, r *Record) list {
	l.open()
	room := maxErrors
	for i := range r.Facts.Errors {
		e := &r.Facts.Errors[i]
		if room -= errorSize(e); room < 0 {
			l.cut = true
			break
		}
		l.element()
		l.lookupError(e)
	}
	l.close()
	return l
}

// errorSize is what an element of dns_errors takes at most.
func errorSize(e *policy.LookupError) int {
	about, _ := listed(e.About, maxName)
	reason, _ := listed(e.Reason, maxReason)
	size := len(`{"about":"","server":"","reason":""},`) + about + reason
	if e.Server.IsValid() {
		size += maxServer
	}
	return size
}

func (l *list) lookupError(e *policy.LookupError) {
	// No name that is looked up has one, and it would end here.
	about := strings.ReplaceAll(e.About, ">", "?")
	server := netip.AddrPortFrom(e.Server.Addr().WithZone(""), e.Server.Port())
	if !l.json {
		l.part(about, maxName)
		l.buf = append(l.buf, '>')
		if server.IsValid() {
			l.buf = server.AppendTo(l.buf)
		}
		l.buf = append(l.buf, '>')
		l.part(e.Reason, maxReason)
		return
	}
	l.buf, _ = appendQuoted(append(l.buf, `{"about":`...), l.short(about, maxName), math.MaxInt)
	if server.IsValid() {
		l.buf = append(server.AppendTo(append(l.buf, `,"server":"`...)), '"')
	}
	l.buf, _ = appendQuoted(append(l.buf, `,"reason":`...), l.short(e.Reason, maxReason), math.MaxInt)
	l.buf = append(l.buf, '}')
}

// told reports whether a line tells what a name resolves to.
func told(l *policy.Forward) bool {
	return l.Outcome != resolver.NotQueried && (l.Outcome != resolver.Found || len(l.Addrs) > 0)
}

// lead adds what a name resolves to: an address, in JSON an array of it, none or temperror;
// nothing if that was not asked. Of several addresses it is the client's, or else the
// one nearest to it: no judgement asks for more than whether one is the client's, or in
// its network.
func (l *list) forward(to *policy.Forward, client netip.Addr) {
	before, after := "", ""
	switch {
	case !told(to):
		return
	case l.json && to.Outcome == resolver.Found:
		before, after = `["`, `"]`
	case l.json:
		before, after = `"`, `"`
	}
	l.buf = append(l.buf, before...)
	switch to.Outcome {
	case resolver.None:
		l.buf = append(l.buf, "none"...)
	case resolver.TempError:
		l.buf = append(l.buf, "temperror"...)
	default:
		l.addr(nearest(to.Addrs, client), client)
	}
	l.buf = append(l.buf, after...)
}

// addr adds an address. The client's own, which nearly all names resolve to, stands in the
// line already.
func (l *list) addr(a, client netip.Addr) {
	if a == client && l.client.end > 0 {
		l.buf = append(l.buf, l.buf[l.client.begin:l.client.end]...)
		return
	}
	l.buf = a.WithZone("").AppendTo(l.buf)
}

// nearest is the address that has the most leading bits in common with the
// client's, of several the first.
func nearest(addrs []netip.Addr, client netip.Addr) netip.Addr {
	best := addrs[0]
	if len(addrs) == 1 {
		return best
	}
	most := commonBits(best, client)
	for _, a := range addrs[1:] {
		if n := commonBits(a, client); n > most {
			best, most = a, n
		}
	}
	return best
}

// commonBits is the number of leading bits that two addresses of one family have
// in common, -1 of others.
func commonBits(a, b netip.Addr) int {
	if a.BitLen() != b.BitLen() {
		return -1
	}
	x, y := a.As16(), b.As16()
	for i := range x {
		if d := x[i] ^ y[i]; d != 0 {
			return 8*i + bits.LeadingZeros8(d)
		}
	}
	return 8 * len(x)
}

func (e *encoder) key(row *row) { e.buf = append(e.buf, row.forward[e.format]...) }

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (e *encoder) end() []byte {
	if e.json {
		e.buf = append(e.buf, '}')
	}
	return append(e.buf, '\n')
}

// plain adds a value that needs no escapes.
func (e *encoder) plain(v string) {
	if e.json {
		e.buf = append(append(append(e.buf, '"'), v...), '"')
	} else {
		e.buf = append(e.buf, v...)
	}
}

// text writes a text within the bounds of its key.
func (e *encoder) text(row *row, v string) {
	e.key(row)
	if !bare(v) {
		var cut bool
		if e.buf, cut = appendQuoted(e.buf, v, row.bound); cut {
			e.cut.add(row.field)
		}
		return
	}
	if len(v) > row.bound {
		v = v[:row.bound]
		e.cut.add(row.field)
	}
	e.plain(v)
}

// time writes a time in timeFormat, UTC. The package time is quick about RFC 3339 alone,
// without a fraction of fixed length.
func (e *encoder) time(row *row, t time.Time) {
	e.key(row)
	if e.json {
		e.buf = append(e.buf, '"')
	}
	ms := t.Nanosecond() / 1e6
	e.buf = t.UTC().AppendFormat(e.buf, time.RFC3339)
	e.buf = append(e.buf[:len(e.buf)-len("Z")], '.', '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z')
	if e.json {
		e.buf = append(e.buf, '"')
	}
}

func (e *encoder) addr(row *row, a netip.Addr, r *Record) {
	e.key(row)
	if e.json {
		e.buf = append(e.buf, '"')
	}
	begin := len(e.buf)
	e.buf = a.AppendTo(e.buf)
	if a == r.Request.Client {
		e.client = place{begin, len(e.buf)}
	}
	if e.json {
		e.buf = append(e.buf, '"')
	}
}

func (e *encoder) millis(row *row, d time.Duration) {
	e.key(row)
	us := d.Round(time.Microsecond).Microseconds()
	e.buf = strconv.AppendInt(e.buf, us/1000, 10)
	e.buf = append(e.buf, '.', '0'+byte(us/100%10), '0'+byte(us/10%10), '0'+byte(us%10))
}

// list puts a list together: texts or objects in an array of JSON; or, of logfmt, a
// text with commas between its elements.
type list struct {
	buf   []byte
	json  bool
	begin int  // where in the buffer it begins
	some  bool // there is an element
	odd   bool // one of them may need quotes in logfmt
	cut   bool // it holds less than there was
	// client is where in the buffer its address stands.
	client place
}

// place is a part of a buffer.
type place struct{ begin, end int }

func (l *list) open() {
	if l.json {
		l.buf = append(l.buf, '[')
	}
}

// element begins an element.
func (l *list) element() {
	if l.some {
		l.buf = append(l.buf, ',')
	}
	l.some = true
}

// quote begins or ends an element that is a text.
func (l *list) quote() {
	if l.json {
		l.buf = append(l.buf, '"')
	}
}

// text adds a text that needs no escapes.
func (l *list) text(s string) {
	l.quote()
	l.buf = append(l.buf, s...)
	l.quote()
}

// part adds a text to an element, at most so many bytes of it as they are
// written in the end.
func (l *list) part(s string, most int) {
	if bare(s) && strings.IndexByte(s, ',') < 0 && len(s) <= most {
		l.buf = append(l.buf, s...)
		return
	}
	l.odd = true
	s = l.short(s, most)
	if l.json {
		l.buf, _ = appendEscaped(l.buf, s, math.MaxInt)
		return
	}
	for i := range len(s) {
		if s[i] == ',' || s[i] == '\\' {
			l.buf = append(l.buf, '\\')
		}
		l.buf = append(l.buf, s[i])
	}
}

// short is what of a text is within a bound.
func (l *list) short(s string, most int) string {
	_, n := listed(s, most)
	l.cut = l.cut || n < len(s)
	return s[:n]
}

// close ends the list.
func (l *list) close() {
	switch value := l.buf[l.begin:]; {
	case l.json:
		l.buf = append(l.buf, ']')
	case l.odd && !bare(value):
		l.buf, _ = appendQuoted(l.buf[:l.begin], string(value), math.MaxInt)
	}
}

// listed is how many bytes a text takes as written, in an element of a list that
// has quotes, and how many bytes of the text are within a bound.
func listed(s string, most int) (size, n int) {
	for i, r := range s {
		one := 0
		switch {
		case r == ',':
			one = len(`\\,`)
		case r == '\\':
			one = len(`\\\\`)
		case r == '"':
			one = len(`\"`)
		case r >= ' ' && r < 0x7f:
			one = 1
		case r < 0x10000:
			one = len(`\u0000`)
		default:
			one = 2 * len(`\u0000`)
		}
		if size+one > most {
			return size, i
		}
		size += one
	}
	return size, len(s)
}

// bare says that a logfmt value needs no quotes.
func bare[T string | []byte](v T) bool {
	for i := range len(v) {
		if !bareByte[v[i]] {
			return false
		}
	}
	return len(v) > 0
}

// bareByte has the bytes that a logfmt value without quotes may hold.
var bareByte = func() (may [256]bool) {
	for c := range may {
		may[c] = c > ' ' && c < 0x7f && c != '"' && c != '=' && c != '\\'
	}
	return may
}()

const hexDigits = "0123456789abcdef"

// appendQuoted adds a JSON string of printable ASCII, at most so many bytes
// between its quotes, and reports whether that is not all. logfmt readers take
// the same. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string, most int) (_ []byte, cut bool) {
	dst, cut = appendEscaped(append(dst, '"'), s, most)
	return append(dst, '"'), cut
}

// appendEscaped is appendQuoted without the quotes.
func appendEscaped(dst []byte, s string, most int) (_ []byte, cut bool) {
	begin := len(dst)
	for _, r := range s {
		end := len(dst)
		switch {
		case r == '"' || r == '\\':
			dst = append(dst, '\\', byte(r))
		case r >= ' ' && r < 0x7f:
			dst = append(dst, byte(r))
		case r < utf8.RuneSelf:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
		default:
			dst = appendUTF16(dst, r)
		}
		if len(dst)-begin > most {
			return dst[:end], true
		}
	}
	return dst, false
}

// appendUTF16 adds \uXXXX, or two of them beyond the first plane (RFC 8259
// section 7).
func appendUTF16(dst []byte, r rune) []byte {
	if r >= 0x10000 {
		r -= 0x10000
		return appendUnit(appendUnit(dst, 0xd800+r>>10), 0xdc00+r&0x3ff)
	}
	return appendUnit(dst, r)
}

func appendUnit(dst []byte, u rune) []byte {
	return append(dst, '\\', 'u', hexDigits[u>>12&15], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}
