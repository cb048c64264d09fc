package maillog

import (
	"strconv"
	"strings"
	"time"
)

// clock reads the times of one log.
type clock struct {
	place *time.Location
	// written is when the log was last written: no time without a year is after
	// the day that follows it.
	written time.Time
	last    time.Time // of those without a year
}

// halfYear is how far two lines that follow each other may be apart before the one
// is taken to be of another year.
const halfYear = 183 * 24 * time.Hour

// timeAhead says that a time follows.
func timeAhead(s string) bool {
	var t time.Time
	_, ok := cutTime(&clock{place: time.UTC, written: time.Unix(0, 0)}, s, &t)
	return ok
}

// cutTime reads the time that a line begins with, and the blanks after it, in any
// of the forms of the package's documentation.
func cutTime(c *clock, line string, t *time.Time) (rest string, ok bool) {
	if len(line) < len("Jan  1 00:00:00 ") {
		return line, false
	}
	switch first := line[0]; {
	case '0' <= first && first <= '9':
		if rest, ok = c.cutISO(line, t); !ok {
			rest, ok = cutUnix(line, t)
		}
	case line[3] == ' ' && '0' <= line[4] && line[4] <= '9' && weekday(line[:3]):
		rest, ok = c.cutISO(line[4:], t) // journalctl -o short-full
	default:
		rest, ok = c.cutTraditional(line, t)
	}
	if !ok || !strings.HasPrefix(rest, " ") {
		return line, false
	}
	return strings.TrimLeft(rest, " "), true
}

func weekday(s string) bool {
	switch s {
	case "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun":
		return true
	}
	return false
}

// cutISO reads 2026-11-23T09:00:00 with a fraction, a zone, or neither. With a
// blank for the T the zone is a word of its own; of words only UTC is known to all.
func (c *clock) cutISO(line string, t *time.Time) (rest string, ok bool) {
	const plain = "2006-01-02T15:04:05"
	if len(line) < len(plain) || line[4] != '-' || line[7] != '-' || line[10] != 'T' && line[10] != ' ' {
		return line, false
	}
	year, ok1 := number(line[:4])
	month, ok2 := number(line[5:7])
	day, ok3 := number(line[8:10])
	sec, ok4 := clockTime(line[11:19])
	if !ok1 || !ok2 || !ok3 || !ok4 || month < 1 || month > 12 || day < 1 || day > 31 {
		return line, false
	}
	nanos, rest := fraction(line[len(plain):])
	place, rest := c.zone(rest, line[10] == ' ')
	*t = time.Date(year, time.Month(month), day, sec/3600, sec/60%60, sec%60, nanos, place)
	return rest, true
}

// zone reads Z, +01:00, +0100, or after a blank the abbreviation that
// journalctl writes.
func (c *clock) zone(s string, word bool) (*time.Location, string) {
	if rest, ok := strings.CutPrefix(s, "Z"); ok {
		return time.UTC, rest
	}
	if len(s) >= 5 && (s[0] == '+' || s[0] == '-') {
		digits, rest := s[1:3]+s[3:5], s[5:]
		if s[3] == ':' && len(s) >= 6 {
			digits, rest = s[1:3]+s[4:6], s[6:]
		}
		if n, ok := number(digits); ok {
			offset := n/100*3600 + n%100*60
			if s[0] == '-' {
				offset = -offset
			}
			if offset == 0 {
				return time.UTC, rest
			}
			return time.FixedZone("", offset), rest
		}
	}
	if word {
		if rest, ok := strings.CutPrefix(s, " UTC"); ok {
			return time.UTC, rest
		}
		if name, rest, ok := strings.Cut(strings.TrimPrefix(s, " "), " "); ok && upper(name) && len(name) >= 3 && len(name) <= 5 {
			return c.place, " " + rest
		}
	}
	return c.place, s
}

func upper(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return true
}

// cutUnix reads seconds since 1970, as journalctl -o short-unix writes them.
func cutUnix(line string, t *time.Time) (rest string, ok bool) {
	whole, _, ok := strings.Cut(line, ".")
	if !ok || len(whole) < 9 || len(whole) > 11 {
		return line, false
	}
	sec, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return line, false
	}
	nanos, rest := fraction(line[len(whole):])
	*t = time.Unix(sec, int64(nanos))
	return rest, true
}

// cutTraditional reads Nov 23 09:00:00, perhaps with a fraction or with the year
// before the time.
func (c *clock) cutTraditional(line string, t *time.Time) (rest string, ok bool) {
	month := monthOf(line[:3])
	if month == 0 || line[3] != ' ' {
		return line, false
	}
	day, rest, ok := cutNumber(strings.TrimPrefix(line[4:], " "))
	if !ok || day < 1 || day > 31 || !strings.HasPrefix(rest, " ") {
		return line, false
	}
	rest = rest[1:]
	year := 0
	if len(rest) > 5 && rest[4] == ' ' {
		if n, ok := number(rest[:4]); ok {
			year, rest = n, rest[5:]
		}
	}
	if len(rest) < 8 {
		return line, false
	}
	sec, ok := clockTime(rest[:8])
	if !ok {
		return line, false
	}
	nanos, rest := fraction(rest[8:])
	at := func(year int) time.Time {
		return time.Date(year, month, day, sec/3600, sec/60%60, sec%60, nanos, c.place)
	}
	if year > 0 {
		*t = at(year)
		return rest, true
	}
	*t = c.inYear(at)
	return rest, true
}

// inYear finds the year of a time that has none: near that of the line before, or
// at the beginning the last one that the log can have been written in.
func (c *clock) inYear(at func(year int) time.Time) time.Time {
	if c.last.IsZero() {
		year := c.written.Year()
		for t := at(year); t.After(c.written.Add(24*time.Hour)) || t.Day() != at(2000).Day(); t = at(year) {
			if year--; year < c.written.Year()-8 { // leap years are no rarer
				break
			}
		}
		c.last = at(year)
		return c.last
	}
	t := at(c.last.Year())
	switch {
	case t.Sub(c.last) > halfYear:
		t = at(c.last.Year() - 1)
	case c.last.Sub(t) > halfYear:
		t = at(c.last.Year() + 1)
	}
	c.last = t
	return t
}

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
