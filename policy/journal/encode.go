package journal

import (
	"net/netip"
	"strconv"
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
	e.time("time", r.Request.Time)
	e.text("level", "INFO")
	e.text("msg", "decision")
	e.text("id", r.ID)
	e.text("config", r.Config)
	e.decision(&r.Decision)
	e.text("reply", r.Reply)
	e.checks(&r.Decision.Checks)
	e.names(&r.Facts, r.Request.Client, r.Decision.Checks[policy.CheckName])
	e.facts(&r.Facts)
	e.request(&r.Request)
	e.millis("ms", r.Elapsed)
	e.flag("cached", r.Facts.Cached)
	e.flag("stale", r.Facts.Stale)
	e.flag("outage", r.Facts.Outage)
	e.flag("overload", r.Facts.Overload)
}

func (e *encoder) decision(d *policy.Decision) {
	e.text("action", d.Action.String())
	e.text("rule", d.Rule)
	e.text("mode", d.Mode.String())
	if d.Decided != d.Action {
		e.text("decided", d.Decided.String())
	}
	e.open("would")
	for _, v := range d.Would {
		e.element(v.Action.String(), ":", v.Rule)
	}
	if d.Decided != d.Action {
		e.element(d.Decided.String(), ":", d.Rule)
	}
	e.close()
	e.flag("downgraded", d.Downgraded)
}

func (e *encoder) checks(c *policy.Checks) {
	for i, result := range c {
		if check := policy.Check(i); check.Shown(result) {
			e.text(check.String(), result.String())
		}
	}
}

// names writes the client's names, with the outcome of the check of that name.
func (e *encoder) names(f *policy.Facts, client netip.Addr, check policy.Result) {
	e.addr("client", client)
	e.open("ptr_name")
	for i := range f.Names {
		if f.Names[i].Lead.To(client) {
			e.element(f.Names[i].Name)
		}
	}
	e.close()
	for i := range f.Names {
		n := &f.Names[i]
		if n.Verdict.Generic && check != policy.Proper {
			e.text("why", n.Verdict.String())
			break
		}
	}
	e.open("names")
	for i := range f.Names {
		n := &f.Names[i]
		e.element(n.Name, ">")
		e.lead(&n.Lead)
	}
	e.close()
}

func (e *encoder) facts(f *policy.Facts) {
	e.flag("more_names", f.MoreNames)
	if f.HELO.Lead.Outcome != resolver.NotAsked {
		e.open("helo_to")
		e.element()
		e.lead(&f.HELO.Lead)
		e.close()
	}
	e.flag("own_client", f.OwnClient)
	e.flag("own_helo", f.OwnHELO)
	e.open("dns_errors")
	for _, err := range f.Errors {
		e.element(err)
	}
	e.close()
	e.number("questions", f.Questions)
}

func (e *encoder) request(q *policy.Request) {
	e.text("client_address", q.ClientText)
	e.text("helo_is", q.HELO)
	e.text("sender", q.Sender)
	e.text("recipient", q.Recipient)
	e.text("instance", q.Instance)
	e.text("queue_id", q.QueueID)
	e.text("state", q.State)
	e.flag("authenticated", q.Authenticated)
	e.flag("encrypted", q.Encrypted)
	e.addr("server", q.Server)
	e.text("client_name", q.ClientName)
	e.text("reverse_client_name", q.ReverseClientName)
	e.text("context", q.Context)
}

// lead adds to the element that is being put together where a name leads:
// addresses, none or temperror; nothing if that was not asked.
func (e *encoder) lead(l *policy.Lead) {
	switch l.Outcome {
	case resolver.None:
		e.buf = append(e.buf, "none"...)
	case resolver.TempError:
		e.buf = append(e.buf, "temperror"...)
	case resolver.Found:
		for i, a := range l.Addrs {
			if i > 0 {
				e.buf = append(e.buf, '+')
			}
			e.buf = a.AppendTo(e.buf)
		}
	}
}

// encoder writes the fields of one line. Empty values are left out.
type encoder struct {
	buf   []byte
	json  bool
	begun bool
	list  list // that is being put together
}

// list is a value of several elements on its way into a buffer.
type list struct {
	begun bool // as of the encoder, before its key
	key   int  // where in the buffer its key begins
	value int  // where its value begins
	some  bool // there is an element, though perhaps an empty one
}

func (e *encoder) key(k string) {
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

func (e *encoder) text(k, v string) {
	if v == "" {
		return
	}
	e.key(k)
	if e.json || !bare(v) {
		e.buf = appendQuoted(e.buf, v)
	} else {
		e.buf = append(e.buf, v...)
	}
}

func (e *encoder) time(k string, t time.Time) {
	e.key(k)
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

func (e *encoder) addr(k string, a netip.Addr) {
	if !a.IsValid() {
		return
	}
	e.key(k)
	if e.json {
		e.buf = append(a.AppendTo(append(e.buf, '"')), '"')
	} else {
		e.buf = a.AppendTo(e.buf)
	}
}

func (e *encoder) flag(k string, v bool) {
	if v {
		e.key(k)
		e.buf = append(e.buf, "true"...)
	}
}

func (e *encoder) number(k string, v int) {
	e.key(k)
	e.buf = strconv.AppendInt(e.buf, int64(v), 10)
}

func (e *encoder) millis(k string, d time.Duration) {
	e.key(k)
	us := d.Round(time.Microsecond).Microseconds()
	e.buf = strconv.AppendInt(e.buf, us/1000, 10)
	e.buf = append(e.buf, '.', '0'+byte(us/100%10), '0'+byte(us/10%10), '0'+byte(us%10))
}

// open begins a list, to which elements are added until it is closed.
func (e *encoder) open(k string) {
	e.list = list{begun: e.begun, key: len(e.buf)}
	e.key(k)
	e.list.value = len(e.buf)
}

// element adds an element, put together of parts.
func (e *encoder) element(parts ...string) {
	if e.list.some {
		e.buf = append(e.buf, ',')
	}
	e.list.some = true
	for _, p := range parts {
		for i := range len(p) {
			if p[i] == ',' || p[i] == '\\' {
				e.buf = append(e.buf, '\\')
			}
			e.buf = append(e.buf, p[i])
		}
	}
}

// close ends a list: one without elements, or of one that is empty, is left out.
func (e *encoder) close() {
	value := e.buf[e.list.value:]
	switch {
	case len(value) == 0:
		e.buf, e.begun = e.buf[:e.list.key], e.list.begun
	case e.json || !bare(value):
		e.buf = appendQuoted(e.buf[:e.list.value], string(value))
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

// appendQuoted adds a JSON string of printable ASCII. logfmt readers take the
// same. Bytes that are not UTF-8 become U+FFFD.
func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	for _, r := range s {
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
	}
	return append(dst, '"')
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
