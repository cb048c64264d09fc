// Package lines finds the lines of a TOML file on which its keys stand. The TOML
// library tells the place of syntax errors only.
package lines

import (
	"strconv"
	"strings"
)

// Index tells on which line of a TOML file, counted from 1, a key or an element of an
// array stands: "rule[1].unless[0].client[2]".
type Index map[string]int

// At finds the line of a path, or of what holds it; 0 if that is unknown.
func (x Index) At(path string) int {
	for path != "" {
		if line, ok := x[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['), 0)]
	}
	return 0
}

// Parse reads a file that the TOML library has found to be well-formed.
// Of any other it makes something, in bounded time.
func Parse(text string) Index {
	text = strings.TrimPrefix(text, "\ufeff") // which the TOML library passes over, too
	s := &lineScanner{text: text, line: 1, index: Index{}}
	tables := map[string]int{}
	prefix := ""
	for s.skip(" \t\r\n"); s.pos < len(s.text); s.skip(" \t\r\n") {
		if s.text[s.pos] != '[' {
			s.pair(prefix)
			continue
		}
		array := strings.HasPrefix(s.text[s.pos:], "[[")
		s.pos++
		if array {
			s.pos++
		}
		line := s.line
		prefix = resolveTable(s.key("", ']'), tables, array)
		s.index[prefix] = line
		if first, ok := strings.CutSuffix(prefix, "[0]"); ok {
			s.index[first] = line
		}
		s.restOfLine()
	}
	return s.index
}

// resolveTable turns a table's header into a path: the last element of each
// array of tables that it names.
func resolveTable(key string, tables map[string]int, array bool) string {
	path := ""
	parts := strings.Split(key, ".")
	for i, part := range parts {
		path = Join(path, part)
		n, isArray := tables[path]
		switch {
		case array && i == len(parts)-1:
			tables[path] = n + 1
			path += "[" + strconv.Itoa(n) + "]"
		case isArray:
			path += "[" + strconv.Itoa(n-1) + "]"
		}
	}
	return path
}

// Join is the path of a key in the table of a path; "" is the file itself.
func Join(prefix, key string) string {
	if prefix == "" {
		return key
	}
	return prefix + "." + key
}

type lineScanner struct {
	text  string
	pos   int
	line  int
	index Index
}

// skip passes over the bytes in set, and over comments.
func (s *lineScanner) skip(set string) {
	for s.pos < len(s.text) {
		c := s.text[s.pos]
		switch {
		case c == '#':
			for s.pos < len(s.text) && s.text[s.pos] != '\n' {
				s.pos++
			}
			continue
		case strings.IndexByte(set, c) < 0:
			return
		case c == '\n':
			s.line++
		}
		s.pos++
	}
}

func (s *lineScanner) restOfLine() {
	for s.pos < len(s.text) && s.text[s.pos] != '\n' {
		s.pos++
	}
}

// key reads a dotted key up to end and passes over that.
func (s *lineScanner) key(prefix string, end byte) string {
	path, part := prefix, ""
	for s.pos < len(s.text) && s.text[s.pos] != '\n' {
		c := s.text[s.pos]
		switch {
		case c == '"' || c == '\'':
			part += s.quoted(c)
			continue
		case c == end:
			s.pos++
			return Join(path, part)
		case c == '.':
			path, part = Join(path, part), ""
		case c != ' ' && c != '\t':
			part += string(c)
		}
		s.pos++
	}
	return Join(path, part)
}

// pair reads key = value.
func (s *lineScanner) pair(prefix string) {
	line := s.line
	path := s.key(prefix, '=')
	s.index[path] = line
	for above := path; len(above) > len(prefix)+1; { // of a dotted key
		if above = above[:max(strings.LastIndexByte(above, '.'), 0)]; len(above) > len(prefix) && !s.index.Has(above) {
			s.index[above] = line
		}
	}
	s.skip(" \t")
	s.value(path)
}

// value reads one value, and notes where the parts of an array or an inline
// table stand.
func (s *lineScanner) value(path string) {
	if s.pos == len(s.text) {
		return
	}
	switch c := s.text[s.pos]; c {
	case '"', '\'':
		s.quoted(c)
	case '[':
		s.pos++
		s.parts(']', func(i int) {
			part := path + "[" + strconv.Itoa(i) + "]"
			s.index[part] = s.line
			s.value(part)
		})
	case '{':
		s.pos++
		s.parts('}', func(int) { s.pair(path) })
	default:
		for s.pos < len(s.text) && strings.IndexByte(",]}\n#", s.text[s.pos]) < 0 {
			s.pos++
		}
	}
}

// parts reads parts separated by commas up to end.
func (s *lineScanner) parts(end byte, part func(i int)) {
	for i := 0; ; i++ {
		s.skip(" \t\r\n,")
		if s.pos == len(s.text) || s.text[s.pos] == end {
			s.pos = min(s.pos+1, len(s.text))
			return
		}
		before := s.pos
		part(i)
		if s.pos == before {
			s.pos++ // of no TOML file; go on all the same
		}
	}
}

// quoted reads a string of any of TOML's four kinds and gives what is between
// its quotes.
func (s *lineScanner) quoted(q byte) string {
	fence := string(q)
	if strings.HasPrefix(s.text[s.pos:], strings.Repeat(fence, 3)) {
		fence = strings.Repeat(fence, 3)
	}
	s.pos += len(fence)
	start := s.pos
	for s.pos < len(s.text) {
		switch {
		case strings.HasPrefix(s.text[s.pos:], fence):
			text := s.text[start:s.pos]
			s.pos += len(fence)
			return text
		case s.text[s.pos] == '\\' && q == '"':
			s.pos++
		}
		if s.pos < len(s.text) && s.text[s.pos] == '\n' {
			if len(fence) == 1 {
				break // not closed: of no TOML file
			}
			s.line++
		}
		s.pos++
	}
	s.pos = min(s.pos, len(s.text)) // a backslash may have been the last byte
	return s.text[start:s.pos]
}

// Has reports whether a path stands in the file.
func (x Index) Has(path string) bool {
	_, ok := x[path]
	return ok
}
