package journal

import (
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
	e := encoder{buf: dst, json: f == JSON}
	e.record(r)
	return e.end()
}

func (e *encoder) record(r *Record) {
	e.cut = r.cut
	e.time(fTime, r.Request.Time)
	e.word(fLevel, "INFO")
	e.word(fMsg, "decision")
	e.text(fID, r.ID)
	e.text(fConfig, r.Config)
	e.decision(&r.Decision)
	e.text(fReply, r.Reply)
	e.checks(&r.Decision.Checks)
	e.names(&r.Facts, r.Request.Client, r.Decision.Checks[policy.CheckName])
	e.facts(&r.Facts, r.Request.Client)
	e.request(&r.Request)
	e.cutKeys()
	e.millis(fMS, r.Elapsed)
	e.flag(fCached, r.Facts.Cached)
	e.flag(fStale, r.Facts.Stale)
	e.flag(fOutage, r.Facts.Outage)
	e.flag(fOverload, r.Facts.Overload)
}

func (e *encoder) decision(d *policy.Decision) {
	e.word(fAction, d.Action.String())
	e.text(fRule, d.Rule)
	e.word(fMode, d.Mode.String())
	if d.Decided != d.Action {
		e.word(fDecided, d.Decided.String())
	}
	if d.Decided != d.Action || len(d.Would) > 0 {
		e.would(d)
	}
	e.flag(fDowngraded, d.Downgraded)
}

// would writes what was only observed, as much of it as there is room for. The
// decision itself, if it is one of these, is always there, the last of them.
func (e *encoder) would(d *policy.Decision) {
	e.open(fWould)
	room := maxWould
	if d.Decided != d.Action {
		room -= verdictSize(policy.Verdict{Action: d.Decided, Rule: d.Rule})
	}
	for _, v := range d.Would {
		if room -= verdictSize(v); room < 0 {
			e.cut.add(fWould)
			break
		}
		e.verdict(v)
	}
	if d.Decided != d.Action {
		e.verdict(policy.Verdict{Action: d.Decided, Rule: d.Rule})
	}
	e.close()
}

// verdictSize is what an element of would takes, a comma included.
func verdictSize(v policy.Verdict) int {
	rule, _ := listed(v.Rule, maxRule)
	return len(v.Action.String()) + len(":,") + rule
}

func (e *encoder) verdict(v policy.Verdict) {
	e.element()
	e.buf = append(append(e.buf, v.Action.String()...), ':')
	e.part(v.Rule, maxRule)
}

func (e *encoder) checks(c *policy.Checks) {
	for i, result := range c {
		if check := policy.Check(i); check.Shown(result) {
			e.word(fPTR+field(i), result.String()) // the fields of the checks are in their order
		}
	}
}

// names writes the client's names, with the outcome of the check of that name.
func (e *encoder) names(f *policy.Facts, client netip.Addr, check policy.Result) {
	e.addr(fClient, client)
	for i := range f.Names {
		n := &f.Names[i]
		if n.Verdict.Generic && check != policy.Proper {
			e.text(fWhy, n.Verdict.String())
			break
		}
	}
	if len(f.Names) == 0 {
		return
	}
	e.open(fNames)
	malformed := 0
	for i := range f.Names {
		n, most := &f.Names[i], maxName
		if !n.Valid {
			malformed++
			most = maxMalformed
		}
		if i == policy.MaxNames || malformed > maxMalformedMany {
			e.cut.add(fNames)
			break
		}
		e.element()
		e.part(n.Name, most)
		e.buf = append(e.buf, '>')
		e.lead(&n.Lead, client)
	}
	e.close()
}

func (e *encoder) facts(f *policy.Facts, client netip.Addr) {
	e.flag(fMoreNames, f.MoreNames)
	if f.HELO.Lead.Outcome != resolver.NotAsked {
		e.open(fHELOTo)
		e.element()
		e.lead(&f.HELO.Lead, client)
		e.close()
	}
	e.flag(fOwnClient, f.OwnClient)
	e.flag(fOwnHELO, f.OwnHELO)
	if len(f.Errors) > 0 {
		e.errors(f.Errors)
	}
	e.number(fQuestions, f.Questions)
}

// errors writes why look-ups failed, of some of them.
func (e *encoder) errors(all []string) {
	e.open(fDNSErrors)
	for i, err := range all {
		if i == maxErrors {
			e.cut.add(fDNSErrors)
			break
		}
		e.element()
		e.part(err, maxError)
	}
	e.close()
}

func (e *encoder) request(q *policy.Request) {
	e.text(fClientAddress, q.ClientText)
	e.text(fHELOIs, q.HELO)
	e.text(fSender, q.Sender)
	e.text(fRecipient, q.Recipient)
	e.text(fInstance, q.Instance)
	e.text(fQueueID, q.QueueID)
	e.text(fState, q.State)
	e.flag(fAuthenticated, q.Authenticated)
	e.flag(fEncrypted, q.Encrypted)
	e.addr(fServer, q.Server)
	e.text(fClientName, q.ClientName)
	e.text(fReverseClientName, q.ReverseClientName)
	e.text(fContext, q.Context)
}

// cutKeys names the keys that hold less than there was.
func (e *encoder) cutKeys() {
	if e.cut == 0 {
		return
	}
	cut := e.cut
	e.open(fCut)
	for f := range numFields {
		if cut.has(f) {
			e.element()
			e.buf = append(e.buf, fieldKeys[f]...)
		}
	}
	e.close()
}

// lead adds to the element that is being put together where a name leads: an
// address, none or temperror; nothing if that was not asked. Of several
// addresses it is the client's, or else the one nearest to it: no judgement asks
// for more than whether one is the client's, or in its network.
func (e *encoder) lead(l *policy.Lead, client netip.Addr) {
	switch l.Outcome {
	case resolver.None:
		e.buf = append(e.buf, "none"...)
	case resolver.TempError:
		e.buf = append(e.buf, "temperror"...)
	case resolver.Found:
		if len(l.Addrs) > 0 {
			e.buf = nearest(l.Addrs, client).WithZone("").AppendTo(e.buf)
		}
	}
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

// encoder writes the fields of one line. Empty values are left out.
type encoder struct {
	buf   []byte
	json  bool
	begun bool
	list  list // that is being put together
	cut   fieldSet
}

// list is a value of several elements on its way into a buffer.
type list struct {
	field field
	begun bool // as of the encoder, before its key
	key   int  // where in the buffer its key begins
	value int  // where its value begins
	some  bool // there is an element, though perhaps an empty one
}

func (e *encoder) key(f field) {
	k := fieldKeys[f]
	if e.json {
		e.buf = append(e.buf, "{,"[b2i(e.begun)], '"')
		e.buf = append(append(e.buf, k...), '"', ':')
	} else {
		if e.begun {
			e.buf = append(e.buf, ' ')
		}
		e.buf = append(append(e.buf, k...), '=')
	}
	e.begun = true
}

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

// word writes a word of ours.
func (e *encoder) word(f field, v string) {
	if v == "" {
		return
	}
	e.key(f)
	e.plain(v)
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
func (e *encoder) text(f field, v string) {
	if v == "" {
		return
	}
	e.key(f)
	most := fieldLimits[f]
	if !bare(v) {
		var cut bool
		if e.buf, cut = appendQuoted(e.buf, v, most); cut {
			e.cut.add(f)
		}
		return
	}
	if len(v) > most {
		v = v[:most]
		e.cut.add(f)
	}
	e.plain(v)
}

func (e *encoder) time(f field, t time.Time) {
	e.key(f)
	if e.json {
		e.buf = append(appendTime(append(e.buf, '"'), t), '"')
	} else {
		e.buf = appendTime(e.buf, t)
	}
}

// appendTime adds a time in timeFormat, UTC. To read the format anew each time
// costs more than the rest of a short line.
func appendTime(dst []byte, t time.Time) []byte {
	t = t.UTC()
	year, month, day := t.Date()
	if year < 0 || year > 9999 {
		return t.AppendFormat(dst, timeFormat)
	}
	hour, minute, second := t.Clock()
	dst = append(appendTwo(appendTwo(dst, year/100), year%100), '-')
	dst = append(appendTwo(dst, int(month)), '-')
	dst = append(appendTwo(dst, day), 'T')
	dst = append(appendTwo(dst, hour), ':')
	dst = append(appendTwo(dst, minute), ':')
	dst = append(appendTwo(dst, second), '.')
	ms := t.Nanosecond() / 1e6
	return append(dst, '0'+byte(ms/100), '0'+byte(ms/10%10), '0'+byte(ms%10), 'Z')
}

// appendTwo adds a number of two digits.
func appendTwo(dst []byte, n int) []byte { return append(dst, '0'+byte(n/10), '0'+byte(n%10)) }

func (e *encoder) addr(f field, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	e.key(f)
	if e.json {
		e.buf = append(a.AppendTo(append(e.buf, '"')), '"')
	} else {
		e.buf = a.AppendTo(e.buf)
	}
}

func (e *encoder) flag(f field, v bool) {
	if v {
		e.key(f)
		e.buf = append(e.buf, "true"...)
	}
}

func (e *encoder) number(f field, v int) {
	e.key(f)
	e.buf = strconv.AppendInt(e.buf, int64(v), 10)
}

func (e *encoder) millis(f field, d time.Duration) {
	e.key(f)
	us := d.Round(time.Microsecond).Microseconds()
	e.buf = strconv.AppendInt(e.buf, us/1000, 10)
	e.buf = append(e.buf, '.', '0'+byte(us/100%10), '0'+byte(us/10%10), '0'+byte(us%10))
}

// open begins a list, to which elements are added until it is closed.
func (e *encoder) open(f field) {
	e.list = list{field: f, begun: e.begun, key: len(e.buf)}
	e.key(f)
	e.list.value = len(e.buf)
}

// element begins an element, that is put together of parts.
func (e *encoder) element() {
	if e.list.some {
		e.buf = append(e.buf, ',')
	}
	e.list.some = true
}

// part adds a text to an element, at most so many bytes of it as they are
// written in the end.
func (e *encoder) part(s string, most int) {
	if bare(s) && strings.IndexByte(s, ',') < 0 && len(s) <= most {
		e.buf = append(e.buf, s...)
		return
	}
	_, n := listed(s, most)
	if n < len(s) {
		e.cut.add(e.list.field)
	}
	for i := range n {
		if s[i] == ',' || s[i] == '\\' {
			e.buf = append(e.buf, '\\')
		}
		e.buf = append(e.buf, s[i])
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

// close ends a list: one without elements, or of one that is empty, is left out.
func (e *encoder) close() {
	value := e.buf[e.list.value:]
	switch {
	case len(value) == 0:
		e.buf, e.begun = e.buf[:e.list.key], e.list.begun
	case e.json || !bare(value):
		e.buf, _ = appendQuoted(e.buf[:e.list.value], string(value), MaxLine)
	}
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
	dst = append(dst, '"')
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
			return append(dst[:end], '"'), true
		}
	}
	return append(dst, '"'), false
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
