package smtpd

import (
	"net/netip"
	"regexp"
	"strings"
)

// table is a lookup table that was read.
type table struct {
	kind    string // "static", "hash", "cidr", "regexp"
	entries []entry
}

// entry is one line of it.
type entry struct {
	key    string // of a hash
	prefix netip.Prefix
	re     *regexp.Regexp
	not    bool
	value  string
}

// maxEntries bounds what is read of a table.
const maxEntries = 5000

// key is what is looked up in a table.
type key struct {
	text string
	// part: it is a domain or a network that what is looked up lies in. Patterns
	// and networks are not asked about these.
	part bool
}

func isTable(name string) bool {
	return strings.HasPrefix(name, "check_") && strings.HasSuffix(name, "_access") && isRestriction(name)
}

// table is what an access(5) table does with the stranger.
func (w *walk) table(restriction, name string, warn bool) Result {
	what := strings.TrimSuffix(strings.TrimPrefix(restriction, "check_"), "_access")
	switch what {
	case "ccert", "sasl", "etrn":
		return Dunno // of users alone
	case "recipient":
		if !w.recipient {
			return Dunno
		}
	}
	if strings.HasPrefix(name, "{") || !strings.Contains(name, ":") {
		return Broken // "requires maptype:mapname"
	}
	t := w.c.open(name)
	if t == nil {
		w.undetermined(restriction + " " + name)
		return Dunno
	}
	keys, whole := w.s.keys(what)
	if !whole && t.kind != "static" {
		w.undetermined(restriction + " " + name)
		return Dunno
	}
	value, found := t.find(keys)
	if !found {
		return Dunno
	}
	r := w.action(value, warn)
	if r == Permit && (!whole || what == "reverse_client_hostname") {
		return Broken // such a table may not permit (forbid_allowlist)
	}
	return r
}

// action is what a value in an access(5) table does.
func (w *walk) action(value string, warn bool) Result {
	value = strings.TrimSpace(value)
	word, text, _ := strings.Cut(value, " ")
	switch upper := strings.ToUpper(word); {
	case upper == "DUNNO", upper == "INFO", upper == "WARN", upper == "FILTER", upper == "HOLD", upper == "REDIRECT",
		upper == "BCC", upper == "PREPEND", upper == "DEFER_IF_PERMIT", upper == "DEFER_IF_REJECT":
		return Dunno
	case upper == "REJECT", upper == "DEFER", upper == "HANGUP":
		return Refuse
	case upper == "DISCARD":
		return Discard
	case upper == "OK", upper == "RELAY", value == "", digits(value):
		return Permit
	case len(upper) == 3 && digits(upper) && text != "":
		return Refuse
	}
	if strings.Contains(value, ":") {
		return Broken // "do not specify lookup tables inside SMTPD access maps"
	}
	return w.list(Units(value), warn)
}

func digits(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(c rune) bool { return c < '0' || c > '9' })
}

// open reads a table once; nil: it cannot be told what it says.
func (c *Config) open(name string) *table {
	c.prepare()
	if t, ok := c.tables[name]; ok {
		return t
	}
	t := c.read(name)
	c.tables[name] = t
	return t
}

func (c *Config) read(name string) *table {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(name, "proxy:"), ":")
	lines, ok := inlineLines(rest)
	switch {
	case kind == "static":
		text, _ := Unbrace(rest)
		return &table{"static", []entry{{value: text}}}
	case kind == "randmap" && ok && len(lines) == 1: // always the same
		return &table{"static", []entry{{value: lines[0]}}}
	case kind == "inline" && ok:
		return hashTable(lines, "=")
	case kind == "inline" || kind == "randmap":
		return nil
	case !ok:
		var text string
		if text, ok = c.Table(name); ok {
			lines = LogicalLines(text)
		}
	}
	if !ok || len(lines) > maxEntries {
		return nil
	}
	switch kind {
	case "cidr":
		return cidrTable(lines)
	case "regexp", "pcre":
		return patternTable(lines)
	case "hash", "texthash", "btree", "lmdb", "cdb", "dbm", "sdbm":
		return hashTable(lines, " \t")
	}
	return nil
}

// TableFile is the file that holds a table's text, if it is of a kind whose text
// can be read: for indexed ones it is what postmap(1) was given.
func TableFile(name string) (file string, ok bool) {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(name, "proxy:"), ":")
	switch kind {
	case "cidr", "regexp", "pcre", "hash", "texthash", "btree", "lmdb", "cdb", "dbm", "sdbm":
		return rest, strings.HasPrefix(rest, "/")
	}
	return "", false
}

// Readable reports whether all of a table stands in its name.
func Readable(name string) bool {
	kind, rest, _ := strings.Cut(strings.TrimPrefix(name, "proxy:"), ":")
	_, braces := Unbrace(rest)
	return kind == "static" || braces
}

// inlineLines are those of "{ { line }, word }" (Postfix 3.0 for "inline", 3.7 for
// tables that are else files).
func inlineLines(text string) ([]string, bool) {
	text, ok := Unbrace(text)
	if !ok {
		return nil, false
	}
	var lines []string
	for _, word := range Split(text, Separators) {
		line, _ := Unbrace(word)
		lines = append(lines, line)
	}
	return lines, true
}

// LogicalLines joins lines that begin with white space to the one before, and
// leaves comments out, those in the middle too (postconf(5), access(5)).
func LogicalLines(text string) []string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, " \t\r\n")
		body := strings.TrimLeft(line, " \t")
		switch {
		case body == "" || body[0] == '#':
		case body != line && len(lines) > 0:
			lines[len(lines)-1] += " " + body
		default:
			lines = append(lines, body)
		}
	}
	return lines
}

func hashTable(lines []string, separators string) *table {
	t := &table{kind: "hash"}
	for _, line := range lines {
		if i := strings.IndexAny(line, separators); i >= 0 {
			t.entries = append(t.entries, entry{key: strings.ToLower(strings.TrimSpace(line[:i])), value: strings.TrimSpace(line[i+1:])})
		}
	}
	return t
}

// cidrTable reads cidr_table(5). One with conditions is not read.
func cidrTable(lines []string) *table {
	t := &table{kind: "cidr"}
	for _, line := range lines {
		pattern, value, _ := strings.Cut(strings.ReplaceAll(line, "\t", " "), " ")
		if isCondition(pattern) {
			return nil
		}
		pattern, not := strings.CutPrefix(pattern, "!")
		if p, ok := Network(pattern); ok { // others are skipped by Postfix too
			t.entries = append(t.entries, entry{prefix: p, not: not, value: strings.TrimSpace(value)})
		}
	}
	return t
}

func isCondition(word string) bool {
	return strings.EqualFold(word, "if") || strings.EqualFold(word, "endif")
}

// patternTable reads regexp_table(5) and pcre_table(5). One with conditions is not
// read, nor one whose patterns are beyond package regexp.
func patternTable(lines []string) *table {
	t := &table{kind: "regexp"}
	for _, line := range lines {
		if word, _, _ := strings.Cut(line, " "); isCondition(word) {
			return nil
		}
		line, not := strings.CutPrefix(line, "!")
		end := -1
		if line != "" {
			end = strings.LastIndexByte(line[1:firstSpace(line)], line[0])
		}
		if end < 0 {
			continue // skipped by Postfix too
		}
		pattern := line[1 : 1+end]
		flags, value, _ := strings.Cut(strings.ReplaceAll(line[2+end:], "\t", " "), " ")
		if !strings.Contains(flags, "i") {
			pattern = "(?i)" + pattern
		}
		re, err := regexp.Compile(pattern)
		if err != nil {
			return nil
		}
		t.entries = append(t.entries, entry{re: re, not: not, value: strings.TrimSpace(value)})
	}
	return t
}

// firstSpace is where the first white space behind a pattern is. One with white
// space in it is cut there, and so not read.
func firstSpace(line string) int {
	if i := strings.IndexAny(line, " \t"); i > 0 {
		return i
	}
	return len(line)
}

// find is the value for the first of the keys that there is one for.
func (t *table) find(keys []key) (value string, found bool) {
	if t.kind == "static" {
		return t.entries[0].value, true
	}
	for _, k := range keys {
		if k.part && t.kind != "hash" {
			continue
		}
		addr, _ := netip.ParseAddr(k.text)
		for i := range t.entries {
			if e := &t.entries[i]; e.holds(t.kind, k.text, addr) {
				return e.value, true
			}
		}
	}
	return "", false
}

func (e *entry) holds(kind, text string, addr netip.Addr) bool {
	switch kind {
	case "hash":
		return e.key == text
	case "cidr":
		return addr.IsValid() && e.prefix.Contains(addr) != e.not && e.prefix.Addr().Is4() == addr.Is4()
	}
	return e.re.MatchString(text) != e.not
}
