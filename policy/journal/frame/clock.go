package frame

import (
	"strconv"
	"strings"
	"time"
)

// Clock reads the times of one log. The zero Clock is one of UTC.
type Clock struct {
	// Place is where times without a zone were written; nil: UTC.
	Place *time.Location
	// Written is when the log was last written: no time without a year is after
	// the day that follows it. Zero: not known.
	Written time.Time

	last    time.Time // of those without a year
	date    date      // as it stood there
	month   string    // as it was written
	strange map[string]time.Month
	text    string // the month that was looked up last, as it was written
	months  monthSet
}

// halfYear is how far two lines that follow each other may be apart before the one
// is taken to be of another year.
const halfYear = 183 * 24 * time.Hour

// precision is how much of a time a line tells.
type precision uint8

const (
	noTime   precision = iota
	yearless           // neither a year nor a zone
	zoneless
	exact
)

// cut reads the time that a text begins with, and the blanks after it.
func (c *Clock) cut(s string) (t time.Time, p precision, rest string) {
	if len(s) < len("Jan  1 00:00:00") {
		return t, noTime, s
	}
	switch first := s[0]; {
	case '0' <= first && first <= '9':
		if t, p, rest = c.cutISO(s); p == noTime {
			t, p, rest = cutUnix(s)
		}
		if p == noTime {
			t, p, rest = c.cutBasic(s)
		}
		if p == noTime {
			t, p, rest = c.cutLocal(s) // 10月
		}
	case first == '@':
		t, p, rest = cutTAI(s)
	case s[3] == ' ':
		month := monthOf(s[:3])
		if month > 0 {
			t, p, rest = c.cutDay(s[4:], 1<<month, s[:3])
		}
		if p == noTime {
			t, p, rest = c.cutLocal(s)
		}
	case first >= 'A':
		t, p, rest = c.cutLocal(s)
	}
	if p == noTime || rest != "" && !blank(rest[0]) {
		return time.Time{}, noTime, s
	}
	return t, p, trimBlanks(rest)
}

func (c *Clock) zoneless() *time.Location {
	if c.Place == nil {
		return time.UTC
	}
	return c.Place
}

// cutISO reads 2026-11-23T09:00:00 with a fraction, a zone, or neither. With a
// blank for the T the zone is a word of its own; of words only UTC is known to all.
// svlogd has a line for it, others have strokes in the date.
func (c *Clock) cutISO(s string) (t time.Time, p precision, rest string) {
	const plain = "2006-01-02T15:04:05"
	if len(s) < len(plain) || s[4] != '-' && s[4] != '/' || s[7] != s[4] || strings.IndexByte("T t_", s[10]) < 0 {
		return t, noTime, s
	}
	year, ok1 := number(s[:4])
	month, ok2 := number(s[5:7])
	day, ok3 := number(s[8:10])
	sec, ok4 := clockTime(s[11:19])
	if !ok1 || !ok2 || !ok3 || !ok4 || month < 1 || month > 12 || day < 1 || day > 31 {
		return t, noTime, s
	}
	d := date{day: day, sec: sec}
	d.nanos, rest = fraction(s[len(plain):])
	return c.zoned(d, year, time.Month(month), rest, s[10] == ' ')
}

// cutBasic reads 20261123T090000, with a fraction, a zone, or neither, and without the
// T (ISO 8601, basic format).
func (c *Clock) cutBasic(s string) (t time.Time, p precision, rest string) {
	const plain = "20060102150405"
	whole := s[:min(len(s), len(plain))]
	if rest = s[len(whole):]; s[8] == 'T' && len(s) > len(plain) {
		whole, rest = s[:8]+s[9:len(plain)+1], s[len(plain)+1:]
	}
	t, err := time.Parse(plain, whole)
	if err != nil || t.Year() < 1970 {
		return time.Time{}, noTime, s
	}
	d := date{day: t.Day(), sec: t.Hour()*3600 + t.Minute()*60 + t.Second()}
	d.nanos, rest = fraction(rest)
	return c.zoned(d, t.Year(), t.Month(), rest, false)
}

// zoned completes a time by its zone, if that follows.
func (c *Clock) zoned(d date, year int, month time.Month, s string, word bool) (t time.Time, p precision, rest string) {
	d.place, rest = c.zone(s, word)
	if p = exact; d.place == nil {
		d.place, p = c.zoneless(), zoneless
	}
	return d.at(year, month), p, rest
}

// zone reads Z, +01:00, +0100, +01, or after a blank one of these or the abbreviation
// that journalctl writes; nil: none that is known.
func (c *Clock) zone(s string, word bool) (*time.Location, string) {
	text := s
	if word {
		text = strings.TrimPrefix(s, " ") // Fluentd and Ruby write +0100, journalctl -03
	}
	if place, rest := offset(text); place != nil {
		return place, rest
	}
	if word {
		if rest, ok := strings.CutPrefix(s, " UTC"); ok {
			return time.UTC, rest
		}
		if name, rest, ok := strings.Cut(strings.TrimPrefix(s, " "), " "); ok && upper(name) && len(name) >= 3 && len(name) <= 5 {
			return nil, " " + rest
		}
	}
	return nil, s
}

// offset reads Z, or how far a zone is from UTC, as RFC 3339 or ISO 8601 write it; nil:
// none.
func offset(s string) (place *time.Location, rest string) {
	if s == "" {
		return nil, s
	}
	if s[0] == 'Z' || s[0] == 'z' {
		return time.UTC, s[1:]
	}
	if len(s) < 3 || s[0] != '+' && s[0] != '-' {
		return nil, s
	}
	digits, rest := s[1:3], s[3:]
	minutes := strings.TrimPrefix(rest, ":")
	if len(minutes) >= 2 && digit(minutes[0]) {
		digits, rest = digits+minutes[:2], minutes[2:]
	} else {
		digits += "00"
	}
	n, ok := number(digits)
	if !ok || rest != "" && !blank(rest[0]) {
		return nil, s
	}
	sec := n/100*3600 + n%100*60
	if s[0] == '-' {
		sec = -sec
	}
	if sec == 0 {
		return time.UTC, rest
	}
	return time.FixedZone("", sec), rest
}

func upper(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// cutUnix reads seconds since 1970, as journalctl -o short-unix writes them, or a number
// of these, of milli-, micro- or nanoseconds.
func cutUnix(s string) (t time.Time, p precision, rest string) {
	n := 0
	for n < len(s) && n < 20 && digit(s[n]) {
		n++
	}
	rest = s[n:]
	switch {
	case n >= 9 && n <= 11 && strings.HasPrefix(rest, "."):
		_, rest = fraction(rest)
	case (n == 10 || n == 13 || n == 16 || n == 19) && rest != "" && blank(rest[0]):
	default:
		return t, noTime, s
	}
	t, p = anyTime(s[:len(s)-len(rest)])
	return t, p, rest
}

// cutTAI reads TAI64N, as multilog and svlogd write it: @, and 24 hexadecimal digits of
// seconds and nanoseconds. They take TAI to be 10 seconds ahead of UTC, as it was before
// the first leap second.
func cutTAI(s string) (t time.Time, p precision, rest string) {
	const digits, ahead = 24, 1<<62 + 10
	if len(s) <= digits {
		return t, noTime, s
	}
	sec, err := strconv.ParseUint(s[1:17], 16, 64)
	nanos, err1 := strconv.ParseUint(s[17:1+digits], 16, 32)
	if err != nil || err1 != nil || sec < ahead || sec > ahead+1<<40 || nanos >= 1e9 {
		return t, noTime, s
	}
	return time.Unix(int64(sec-ahead), int64(nanos)), exact, s[1+digits:]
}

// cutDay reads what follows a month: 23 09:00:00, perhaps with a fraction, or with
// the year before the time or behind it. Kibana writes 23, 2026 @ 09:00:00.000.
func (c *Clock) cutDay(s string, months monthSet, text string) (t time.Time, p precision, rest string) {
	day, rest, ok := cutNumber(strings.TrimPrefix(s, " "))
	rest = strings.TrimPrefix(rest, ",")
	if !ok || day < 1 || day > 31 || !strings.HasPrefix(rest, " ") {
		return t, noTime, s
	}
	rest = rest[1:]
	year, after := cutYear(rest)
	if year > 0 {
		rest = strings.TrimPrefix(after[1:], "@ ")
	}
	if len(rest) < 8 {
		return t, noTime, s
	}
	sec, ok := clockTime(rest[:8])
	if !ok {
		return t, noTime, s
	}
	nanos, rest := fraction(rest[8:])
	if year == 0 && strings.HasPrefix(rest, " ") {
		if year, after = cutYear(rest[1:]); year > 0 {
			rest = after
		}
	}
	d := date{day, sec, nanos, c.zoneless()}
	if year > 0 {
		return d.at(year, months.latest()), zoneless, rest
	}
	return c.complete(d, months, text), yearless, rest
}

// cutYear reads a word that is a year; 0: it is none.
func cutYear(s string) (year int, rest string) {
	if len(s) < 5 || s[4] != ' ' || s[0] != '1' && s[0] != '2' {
		return 0, s
	}
	year, _ = number(s[:4])
	return year, s[4:]
}

// monthOf is that of an English abbreviation; 0: it is none.
func monthOf(s string) time.Month {
	const months = "JanFebMarAprMayJunJulAugSepOctNovDec"
	i := strings.Index(months, s)
	if i < 0 || i%3 != 0 {
		return 0
	}
	return time.Month(i/3 + 1)
}

// clockTime is 15:04:05 in seconds of the day; a leap second counts.
func clockTime(s string) (sec int, ok bool) {
	h, ok1 := number(s[0:2])
	m, ok2 := number(s[3:5])
	n, ok3 := number(s[6:8])
	ok = ok1 && ok2 && ok3 && s[2] == ':' && s[5] == ':' && h < 24 && m < 60 && n <= 60
	return h*3600 + m*60 + n, ok
}

// fraction reads .123456 or ,123 in nanoseconds.
func fraction(s string) (nanos int, rest string) {
	if s == "" || s[0] != '.' && s[0] != ',' {
		return 0, s
	}
	n, unit, i := 0, int(time.Second), 1
	for ; i < len(s) && '0' <= s[i] && s[i] <= '9'; i++ {
		if unit > 1 {
			unit /= 10
			n += int(s[i]-'0') * unit
		}
	}
	if i == 1 {
		return 0, s
	}
	return n, s[i:]
}

// number reads a text of digits alone.
func number(s string) (n int, ok bool) {
	n, rest, ok := cutNumber(s)
	return n, ok && rest == ""
}

// cutNumber reads up to nine digits.
func cutNumber(s string) (n int, rest string, ok bool) {
	i := 0
	for ; i < len(s) && i < 9 && '0' <= s[i] && s[i] <= '9'; i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n, s[i:], i > 0
}
