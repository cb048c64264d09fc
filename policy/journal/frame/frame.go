// Package frame reads what stands around a message in a log: time, host and program
// as syslog and journalctl write them, and what container runtimes, relays,
// collectors and tools put before a line or around it, as text or as JSON.
//
// # What is read
//
// The message is what follows the name of the program that is wanted. What stands
// last before it decides: host and time are those next to it, unless only one that is
// farther away tells year and zone. Before it may stand, in any order and several times,
//
//	time      RFC 3339, ISO 8601, Nov 23 09:00:00 in any language, with a year or none,
//	          seconds since 1970 or a number of smaller parts, TAI64N
//	priority  <22>, <22>1 with the fields of RFC 5424, <mail.info>, mail.info
//	program   docker/mail[812]:, if a whole line follows it
//	label     [pod/mail-0/postfix], {app="postfix"}, mail-1  |, stdout F
//	name      hosts, pods, containers; few in a row
//	grep's    /var/log/mail.log:12: and colours
//
// A line may be a JSON object, a row of CSV or of logfmt, that has such a line or a
// message in one of its fields.
//
// # Trust
//
// What strangers choose stands in messages, and a message may hold text that looks like
// a whole line. So the first place where a wanted message can begin counts, not the
// last, and only if all before it is frame, none of it prose: behind the name of another
// program a frame has to begin anew at once. Of a program that writes what strangers
// choose at the very beginning of a line, with nothing before it, nobody can tell.
package frame

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Line is a line without its frame.
type Line struct {
	Time    time.Time // zero: none
	Host    string
	Program string // as logged, such as postfix/submission/smtpd; empty: not logged
	PID     int    // 0: not logged
	Text    string // the message
}

// Wanted tells which lines are wanted.
type Wanted interface {
	// Program reports whether the messages of a program are wanted.
	Program(name string) bool
	// Message reports whether a text is a wanted message by its form. alone: neither a
	// host nor a program stands before it.
	Message(text string, alone bool) bool
	// Stem reports whether a name is what is left of a wanted program's: rsyslog's
	// programname, and so its APP-NAME, ends before the first slash. A message that
	// follows it is told by its form, as if it stood alone.
	Stem(name string) bool
}

// Cut finds the message of a line. It is false for lines that are not wanted. The
// line's texts share memory with it. A Clock is of one log, and reads its lines in
// order.
func (c *Clock) Cut(w Wanted, line string) (Line, bool) {
	f := finder{clock: c, wanted: w}
	ok := f.find(line)
	return f.line, ok
}

const (
	// maxParts bounds the parts of a frame, maxNested the lines within lines.
	maxParts  = 24
	maxNested = 4
	// maxWord bounds a name, in bytes.
	maxWord = 255
	// maxNames bounds the names in a row: a host and a facility; a pod and a container.
	maxNames = 3
)

// finder looks for the message of a line.
type finder struct {
	clock  *Clock
	wanted Wanted
	line   Line

	precision precision
	outer     string // host of the time before
	names     int    // since the last time
	letters   int    // of these, those of letters alone, as words of prose
	named     bool   // the name of another program stands directly before
	pid       bool   // with its process
	stem      bool   // it is what is left of a wanted one's
	nested    int
	done      bool // line is whole
}

// find goes through the parts of a frame.
func (f *finder) find(s string) bool {
	if strings.IndexByte(s, 0x1b) >= 0 {
		s = plain(s)
	}
	s = strings.TrimPrefix(s, "\ufeff")
	for begin := true; ; begin = false {
		if s = trimBlanks(s); s == "" {
			return false
		}
		if s[0] == '{' {
			if found, object := f.object(s); object {
				return found
			}
		}
		if f.nested++; f.nested > maxParts {
			return false
		}
		if t, p, rest := f.clock.cut(s); p != noTime { // with which no message begins
			f.at(t, p)
			s = rest
			continue
		}
		if f.here(s) {
			return true
		}
		rest, ok := f.part(s, begin)
		if !ok || f.done {
			return ok
		}
		s = rest
	}
}

// alone reports whether no name stands before what comes now, or only one that says
// no more than that the message may be wanted.
func (f *finder) alone() bool { return f.stem || !f.named && f.names == 0 }

// here reports whether a wanted message begins here, or the name of its program.
func (f *finder) here(s string) bool {
	if f.wanted.Message(s, f.alone()) {
		return f.take("", 0, s)
	}
	if f.named && !f.pid {
		return false
	}
	name, pid, text, ok := cutProgram(s)
	if !ok || !f.wanted.Program(name) {
		return false
	}
	return f.take(name, pid, text)
}

// take notes the message, which ends the search.
func (f *finder) take(program string, pid int, text string) bool {
	f.line.Program, f.line.PID, f.line.Text = program, pid, trimBlanks(text)
	if f.line.Host == "" {
		f.line.Host = f.outer
	}
	f.done = true
	return true
}

// cutProgram reads "postfix/smtpd[123]: " or the same without a process.
func cutProgram(s string) (name string, pid int, text string, ok bool) {
	end := wordEnd(s)
	if end < 2 || end == len(s) || s[end] != ' ' || s[end-1] != ':' {
		return "", 0, s, false
	}
	name, text = s[:end-1], s[end+1:]
	if name[len(name)-1] == ']' {
		open := strings.LastIndexByte(name, '[')
		if open < 0 {
			return "", 0, s, false
		}
		if pid, ok = number(name[open+1 : len(name)-1]); !ok {
			return "", 0, s, false
		}
		name = name[:open]
	}
	return name, pid, text, wordOf(name, nameBytes+"[]") // postfix/[::1]:10025/smtpd
}

// part leaves out one part of a frame that is no time.
func (f *finder) part(s string, begin bool) (rest string, ok bool) {
	switch {
	case s[0] == '<':
		return f.priority(s)
	case !f.named:
		return f.label(s, begin)
	case f.pid:
		return f.program(s)
	}
	return s, false // it is that program's message
}

// label leaves out what names hosts, containers and files, or reads what tells a time.
func (f *finder) label(s string, begin bool) (rest string, ok bool) {
	switch s[0] {
	case '[':
		return f.bracket(s)
	case '{':
		return cutLabels(s)
	case '|':
		ok = f.names == 1 // which Compose has put there
		f.line.Host, f.outer, f.names, f.letters = "", "", 0, 0
		return s[1:], ok
	case '"':
		return s, begin && f.row(s)
	}
	if len(s) > 9 && s[:3] == "std" && s[6] == ' ' && (s[7] == 'F' || s[7] == 'P') && s[8] == ' ' {
		return s[9:], true // stdout F, of the Container Runtime Interface
	}
	if begin {
		if rest, ok := f.cutFile(s); ok {
			return rest, true
		}
		if in := *f; plainRow(s) && in.row(s) {
			*f = in
			return s, true
		}
		if found, pairs := f.pairs(s); pairs {
			return s, found
		}
	}
	return f.word(s)
}

// at notes a time. One that is farther from the message counts only if it tells more.
func (f *finder) at(t time.Time, p precision) {
	if p >= f.precision {
		f.line.Time, f.precision = t, p
	}
	if !letters(f.line.Host) {
		f.outer = f.line.Host
	}
	f.line.Host = ""
	f.names, f.letters, f.named, f.stem = 0, 0, false, false
}

// program reads the name of another program.
func (f *finder) program(s string) (rest string, ok bool) {
	name, _, rest, ok := cutProgram(s)
	if !ok {
		return s, false
	}
	f.named, f.pid, f.stem = true, s[len(s)-len(rest)-3] == ']', f.wanted.Stem(name)
	f.names, f.letters = 0, 0
	return rest, true
}

// word reads a name, or the name of another program.
func (f *finder) word(s string) (rest string, ok bool) {
	if rest, ok := f.program(s); ok {
		return rest, true
	}
	end := wordEnd(s)
	if end == 0 || end == len(s) {
		return s, false
	}
	word, rest := s[:end], s[end:]
	if f.precision > noTime && (f.wanted.Program(word) || f.wanted.Stem(word)) && processNext(rest) {
		if in := *f; in.fields(word, rest) { // else a host, or a container, is called so
			*f = in
			return s, true
		}
	}
	if !nameWord(word) || timeLike(word) {
		return s, false
	}
	if f.names++; letters(word) {
		f.letters++
	}
	if f.names > maxNames || f.letters > 1 {
		return s, false
	}
	if f.line.Host == "" {
		f.line.Host = word
	}
	return rest, true
}

// cutFile leaves out the file's name, and the line's number, that grep puts before a
// line.
func (f *finder) cutFile(s string) (rest string, ok bool) {
	end := wordEnd(s)
	for i := 1; i < end; i++ {
		if s[i] != ':' && s[i] != '-' || !nameWord(s[:i]) {
			continue
		}
		after := trimBlanks(s[i+1:])
		if after == "" {
			break
		}
		if _, p, _ := (&Clock{}).cut(after); p != noTime || after[0] == '<' || s[i] == ':' && (after[0] == '{' || f.wanted.Message(after, true)) {
			return after, true
		}
		if name, _, _, ok := cutProgram(after); ok && f.wanted.Program(name) {
			return after, true
		}
	}
	return s, false
}

// bracket leaves out [a label], or reads a time in brackets.
func (f *finder) bracket(s string) (rest string, ok bool) {
	end := strings.IndexByte(s[:min(len(s), maxWord)], ']')
	if end < 0 {
		return s, false
	}
	inner := s[1:end]
	if t, p, after := f.clock.cut(inner); p != noTime && after == "" {
		f.at(t, p)
		return s[end+1:], true
	}
	if _, err := netip.ParseAddr(inner); err == nil && f.line.Host == "" {
		f.line.Host = inner
	}
	return s[end+1:], nameWord(inner)
}

// cutLabels leaves out {app="postfix", host="mx"}: Loki's labels, not JSON.
func cutLabels(s string) (rest string, ok bool) {
	if len(s) < 2 || s[1] == '"' || blank(s[1]) {
		return s, false
	}
	quoted := false
	for i := 1; i < len(s) && i < 4<<10; i++ {
		switch c := s[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == '}' && !quoted:
			return s[i+1:], true
		}
	}
	return s, false
}

// row looks for the message in the fields of a row of CSV (RFC 4180).
func (f *finder) row(s string) bool {
	for s != "" {
		var field string
		if s[0] == '"' {
			end := quoteEnd(s)
			if end < 0 {
				return false
			}
			field, s = strings.ReplaceAll(s[1:end], `""`, `"`), s[end+1:]
			if s != "" && s[0] != ',' && s[0] != ';' && s[0] != '\t' {
				return false
			}
			s = s[min(len(s), 1):]
		} else {
			end := strings.IndexAny(s, ",;\t")
			if end < 0 {
				end = len(s)
			}
			field, s = s[:end], s[min(len(s), end+1):]
		}
		if t, p, after := f.clock.cut(field); p != noTime && after == "" {
			f.at(t, p)
			continue
		}
		if f.inner(field) {
			return true
		}
	}
	return false
}

// plainRow reports whether a row of CSV begins with fields without quotes, each of which
// is a name or a number, before one that has them.
func plainRow(s string) bool {
	quote := strings.IndexByte(s, '"')
	if quote < 2 || strings.IndexByte(",;\t", s[quote-1]) < 0 {
		return false
	}
	for field := range strings.SplitSeq(s[:quote-1], s[quote-1:quote]) {
		_, p, rest := (&Clock{}).cut(field)
		if field != "" && !nameWord(field) && (p == noTime || rest != "") {
			return false
		}
	}
	return true
}

// quoteEnd is where the quoted field ends that s begins with; -1: nowhere.
func quoteEnd(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != '"' {
			continue
		}
		if i+1 == len(s) || s[i+1] != '"' {
			return i
		}
		i++
	}
	return -1
}

// inner reads a line within the line.
func (f *finder) inner(s string) bool {
	in := *f
	if in.nested += maxParts / maxNested; in.nested > maxParts {
		return false
	}
	in.names, in.letters = 0, 0
	if !in.find(trimEnd(s)) {
		f.nested = in.nested
		return false
	}
	*f = in
	return true
}

// priority leaves out <PRI> or <facility.level>, and reads the fields that follow if
// it is of RFC 5424.
func (f *finder) priority(s string) (rest string, ok bool) {
	end := strings.IndexByte(s[:min(len(s), 24)], '>')
	if end < 2 {
		return s, false
	}
	inner := s[1:end]
	if n, err := strconv.ParseUint(inner, 10, 8); err != nil || n > 191 {
		return s[end+1:], strings.Contains(inner, ".") && nameWord(inner)
	}
	rest = s[end+1:]
	after, version1 := strings.CutPrefix(rest, "1 ")
	if !version1 {
		return rest, true
	}
	// TIMESTAMP HOSTNAME APP-NAME PROCID MSGID (RFC 5424 section 6.2)
	stamp, after, _ := strings.Cut(after, " ")
	if stamp != "-" {
		t, p, end := f.clock.cut(stamp)
		if p == noTime || end != "" {
			return s, false
		}
		f.at(t, p)
	}
	host, after, _ := strings.Cut(after, " ")
	if host != "-" {
		f.line.Host = host
	}
	app, after, ok := strings.Cut(after, " ")
	if !ok {
		return s, false
	}
	return s, f.fields(app, after)
}

// fields reads what follows APP-NAME: PROCID MSGID STRUCTURED-DATA MSG (RFC 5424
// section 6).
func (f *finder) fields(app, s string) bool {
	pid, s, _ := strings.Cut(trimBlanks(s), " ")
	_, s, _ = strings.Cut(s, " ")
	s, ok := cutStructured(s)
	if !ok {
		return false
	}
	s = strings.TrimPrefix(s, "\ufeff")
	if f.wanted.Program(app) {
		n, _ := number(pid)
		return f.take(app, n, s)
	}
	f.named, f.pid, f.stem = true, true, f.wanted.Stem(app)
	return f.inner(strings.TrimPrefix(s, ": "))
}

// processNext reports whether the next word is a PROCID as programs have it.
func processNext(s string) bool {
	id, _, _ := strings.Cut(trimBlanks(s), " ")
	_, ok := number(id)
	return ok || id == "-"
}

// cutStructured leaves out STRUCTURED-DATA: - or elements in brackets, with quoted
// values in which a bracket is a bracket (RFC 5424 section 6.3).
func cutStructured(s string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, "- "); ok {
		return rest, true
	}
	quoted := false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case i == 0 && c != '[':
			return s, false
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case c == ']' && !quoted:
			if strings.HasPrefix(s[i+1:], " ") {
				return s[i+2:], true
			}
			if !strings.HasPrefix(s[i+1:], "[") {
				return s, false
			}
		}
	}
	return s, false
}

// nameBytes are what a name may hold beside letters and digits: no quotes, brackets or
// equal signs.
const nameBytes = ".-_/@:+~#,%"

// nameWord reports whether a text can be a name of a host, a program, a file or a
// container.
func nameWord(s string) bool { return wordOf(s, nameBytes) }

// wordOf reports whether a text is a word of letters, digits and some other bytes.
func wordOf(s, others string) bool {
	if s == "" || len(s) > maxWord {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !alphanumeric(c) && c < 0x80 && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}

// timeLike reports whether a word is a time, or a part of one, in a form that is not
// read. As a host each would be another one.
func timeLike(s string) bool {
	if len(s) == len("2006-01-02") && (s[4] == '-' || s[4] == '/') && s[7] == s[4] && digit(s[0]) && digit(s[9]) {
		return true
	}
	if strings.Count(s, ":") < 2 {
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	for i := range len(s) - len("5:04:05") {
		if _, ok := clockTime(s[i : i+len("15:04:05")]); ok {
			return true
		}
	}
	return false
}

// wordEnd is where the word ends that s begins with, at most maxWord bytes further and
// what goes with a name.
func wordEnd(s string) int {
	end := min(len(s), maxWord+16)
	for i := range end {
		if blank(s[i]) {
			return i
		}
	}
	return end
}

// letters reports whether a name is of letters alone: a word of prose, or a day of the
// week.
func letters(s string) bool {
	s = strings.TrimSuffix(s, ".")
	for i := range len(s) {
		if c := s[i] | 0x20; (c < 'a' || c > 'z') && c < 0x80 {
			return false
		}
	}
	return true
}

func alphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func blank(c byte) bool { return c == ' ' || c == '\t' }

func trimBlanks(s string) string {
	for s != "" && blank(s[0]) {
		s = s[1:]
	}
	return s
}

// trimEnd leaves out the line end and blanks before it.
func trimEnd(s string) string {
	for s != "" && (s[len(s)-1] == '\n' || s[len(s)-1] == '\r' || s[len(s)-1] == ' ') {
		s = s[:len(s)-1]
	}
	return s
}

// plain leaves out the sequences that colour a line (ECMA-48: CSI up to a final
// byte).
func plain(s string) string {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != 0x1b {
			b = append(b, s[i])
			continue
		}
		if i+1 == len(s) || s[i+1] != '[' {
			continue
		}
		for i += 2; i < len(s) && (s[i] < '@' || s[i] > '~'); i++ {
		}
	}
	return string(b)
}
