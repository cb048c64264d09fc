package frame

import (
	_ "embed"
	"math/bits"
	"strings"
	"sync"
	"time"
	"unicode/utf8"
)

// monthSet is a set of months: bit 1 is January.
type monthSet uint16

// anyMonth is what a word of no known language may be.
const anyMonth monthSet = 0x1ffe

// latest is the last of a set.
func (m monthSet) latest() time.Month { return time.Month(bits.Len16(uint16(m)) - 1) }

// has reports whether a month is in the set.
func (m monthSet) has(month time.Month) bool { return m&(1<<month) != 0 }

// monthTexts has a line for each month: how it is abbreviated in the locales of
// glibc (LC_TIME, abmon and ab_alt_mon), in which journalctl writes it, in lower
// case and without a full stop at the end. What is a month in a language of many
// servers is none of another one.
//
//go:embed months.txt
var monthTexts string

// monthTable has the months that an abbreviation may be. Some mean one month in one
// language and another in the next: "lis" is November in Czech and Polish, October in
// Croatian.
var monthTable = sync.OnceValue(func() map[string]monthSet {
	table := map[string]monthSet{}
	month := 1
	for line := range strings.Lines(monthTexts) {
		for name := range strings.SplitSeq(strings.TrimSpace(line), ",") {
			table[name] |= 1 << month
		}
		month++
	}
	return table
})

// maxMonth bounds a month, in bytes.
const maxMonth = 64

// cutLocal reads a time whose month is in the words of some language: Okt 23
// 09:00:00. One word that is in no table is taken for a month too, if day and time
// follow it.
func (c *Clock) cutLocal(s string) (t time.Time, p precision, rest string) {
	colon := strings.IndexByte(s[:min(len(s), maxMonth+len(" 23 2026 09:"))], ':')
	if colon < len("m 1 09") || !digit(s[colon-1]) || !digit(s[colon-2]) {
		return t, noTime, s
	}
	text := strings.TrimRight(s[:colon-2], " ")
	i := strings.LastIndexByte(text, ' ')
	if year, _ := cutYear(text[i+1:] + " "); year > 0 && i > 0 {
		text = strings.TrimRight(text[:i], " ")
		i = strings.LastIndexByte(text, ' ')
	}
	if day, ok := number(text[i+1:]); i <= 0 || !ok || day < 1 || day > 31 {
		return t, noTime, s
	}
	month := strings.TrimRight(text[:i], " ")
	if months := c.lookUp(month); months != 0 {
		return c.cutDay(s[len(month)+1:], months, month)
	}
	if !strangeMonth(month) {
		return t, noTime, s
	}
	return c.cutDay(s[len(month)+1:], anyMonth, month)
}

func digit(c byte) bool { return '0' <= c && c <= '9' }

// strangeMonth reports whether a word of no table may be a month.
func strangeMonth(s string) bool {
	s = strings.TrimSuffix(s, ".")
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && s[i] < utf8.RuneSelf {
			return false
		}
	}
	return s != "" && len(s) <= len("вторник")
}

// lookUp gives the months that a text may be.
func (c *Clock) lookUp(text string) monthSet {
	if text == c.text {
		return c.months
	}
	if len(text) > maxMonth {
		return 0
	}
	if !utf8.ValidString(text) {
		return monthTable()[monthKey(latin1(text))]
	}
	c.text, c.months = strings.Clone(text), monthTable()[monthKey(text)]
	return c.months
}

func monthKey(text string) string {
	return strings.TrimRight(strings.ToLower(text), ".")
}

// latin1 reads a text of ISO 8859-1.
func latin1(s string) string {
	runes := make([]rune, len(s))
	for i := range len(s) {
		runes[i] = rune(s[i])
	}
	return string(runes)
}

// date is a time without its year, and perhaps without its month.
type date struct {
	day, sec, nanos int
	place           *time.Location
}

func (d date) at(year int, month time.Month) time.Time {
	return time.Date(year, month, d.day, d.sec/3600, d.sec/60%60, d.sec%60, d.nanos, d.place)
}

// maxStrange bounds the words that are kept.
const maxStrange = 24

// complete finds year and month of a time: near that of the line before, or at the
// beginning the last one that the log can have been written in. Two words are two
// months, where more than one is possible. A month of which nobody knows the name is the one that
// follows the month of the line before, or what it was taken for the last time.
func (c *Clock) complete(d date, months monthSet, text string) time.Time {
	if text == c.month && d.day == c.date.day && d.sec/3600 == c.date.sec/3600 && !c.last.IsZero() {
		// Of the same hour, in which no clock is changed: as nearly all lines are.
		c.last = c.last.Add(time.Duration(d.sec-c.date.sec)*time.Second + time.Duration(d.nanos-c.date.nanos))
		c.date = d
		return c.last
	}
	strange := months == anyMonth
	if m, ok := c.strange[text]; strange && ok {
		months = 1 << m
	}
	if rest := months &^ (1 << c.last.Month()); !c.last.IsZero() && rest != 0 && text != c.month {
		if bits.OnesCount16(uint16(months)) > 1 {
			months = rest
		}
	}
	var best time.Time
	for month := time.January; month <= time.December; month++ {
		if !months.has(month) {
			continue
		}
		if t := c.inYear(d, month); best.IsZero() || c.better(t, best, strange) {
			best = t
		}
	}
	if text != c.month {
		c.month = strings.Clone(text)
	}
	if strange && len(c.strange) < maxStrange {
		if c.strange == nil {
			c.strange = map[string]time.Month{}
		}
		c.strange[c.month] = best.Month()
	}
	c.last, c.date = best, d
	return best
}

// better reports whether one time is likelier than another one, of another month.
func (c *Clock) better(t, than time.Time, strange bool) bool {
	switch {
	case c.last.IsZero():
		return t.After(than) // neither is too late
	case strange:
		return c.ahead(t) < c.ahead(than)
	}
	return t.Sub(c.last).Abs() < than.Sub(c.last).Abs()
}

// ahead is how many months a time is after the last one: 1 to 12.
func (c *Clock) ahead(t time.Time) int {
	return (int(t.Month()-c.last.Month())+11)%12 + 1
}

// inYear finds the year of a time.
func (c *Clock) inYear(d date, month time.Month) time.Time {
	if c.last.IsZero() {
		year := c.Written.In(d.place).Year()
		t := d.at(year, month)
		for t.After(c.Written.Add(24*time.Hour)) || t.Day() != d.at(2000, month).Day() {
			if year--; year < c.Written.Year()-8 { // leap years are no rarer
				break
			}
			t = d.at(year, month)
		}
		return t
	}
	t := d.at(c.last.Year(), month)
	switch {
	case t.Sub(c.last) > halfYear:
		t = d.at(c.last.Year()-1, month)
	case c.last.Sub(t) > halfYear:
		t = d.at(c.last.Year()+1, month)
	}
	return t
}
