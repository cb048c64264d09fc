package journal

import (
	"strconv"
	"time"
	"unicode/utf16"

	"policyd-rdns/policy"
)

// Append adds the record as one line, its newline included.
func (f Format) Append(dst []byte, r *Record) []byte {
	e := encoder{buf: dst, format: f, json: f == JSON, cut: r.cut}
	e.record(r)
	return e.end()
}

// encoder writes the fields of one line. Empty values are left out.
type encoder struct {
	buf    []byte
	format Format
	json   bool
	cut    fieldSet
}

// record writes what the record has of each key.
func (e *encoder) record(r *Record) {
	for i := range table {
		row := &table[i]
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
		case kindCount:
			if n := *row.number(r); n != 0 {
				e.key(row)
				e.buf = strconv.AppendInt(e.buf, int64(n), 10)
			}
		case kindMoment:
			if t := *row.time(r); !t.IsZero() {
				e.time(row, t)
			}
		case kindNumber:
			e.key(row)
			e.buf = strconv.AppendInt(e.buf, int64(*row.number(r)), 10)
		case kindAddr:
			if a := *row.addr(r); a.IsValid() {
				e.key(row)
				l := list{buf: e.buf, json: e.json}
				l.quote()
				l.buf = a.AppendTo(l.buf)
				l.quote()
				e.buf = l.buf
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
	l := row.put(list{buf: e.buf, json: e.json, begin: len(e.buf)}, r)
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
	for i := range table {
		if e.cut.has(field(i)) {
			l.element()
			l.plain(table[i].key)
		}
	}
	l.close()
	e.buf = l.buf
}

func sayAction(r *Record) string { return r.Decision.Action.String() }

func sayDecided(r *Record) string {
	d := &r.Decision
	if d.CarriedOut() {
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

func (e *encoder) key(row *row) { e.buf = append(e.buf, row.prefix[e.format]...) }

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

// time writes a time in timeFormat, UTC.
func (e *encoder) time(row *row, t time.Time) {
	e.key(row)
	if e.json {
		e.buf = append(e.buf, '"')
	}
	e.buf = appendTime(e.buf, t)
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

// bare reports whether a logfmt value needs no quotes.
func bare[T string | []byte](v T) bool {
	for i := range len(v) {
		if c := v[i]; c <= ' ' || c >= 0x7f || c == '"' || c == '=' || c == '\\' {
			return false
		}
	}
	return len(v) > 0
}

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
	var units [2]uint16
	for _, u := range utf16.AppendRune(units[:0], r) {
		dst = append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
	}
	return dst
}
