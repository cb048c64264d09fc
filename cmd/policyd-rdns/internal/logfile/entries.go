package logfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
)

// maxEntry bounds an entry over several lines, in bytes.
const maxEntry = 1 << 20

// entries reads entries over several lines as a line each, and any other text as it is.
func entries(text *bufio.Reader) io.Reader {
	head, err := look(text)
	if err != nil {
		return text
	}
	switch {
	case bytes.HasPrefix(head, []byte("__CURSOR=")):
		return &entryReader{next: (&export{from: text}).next}
	case severalLines(head):
		return &entryReader{next: (&objects{from: text}).next}
	}
	return text
}

// severalLines reports whether a text begins with an object or a list of JSON that does
// not end on its first line.
func severalLines(head []byte) bool {
	line, _, _ := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte("\n"))
	line = bytes.TrimSpace(line)
	return string(line) == "{" || string(line) == "[" || bytes.HasPrefix(line, []byte("[{"))
}

// entryReader reads what next gives, entry by entry.
type entryReader struct {
	next func() ([]byte, error)
	rest []byte
	err  error
}

// Read is that of [io.Reader].
func (e *entryReader) Read(p []byte) (int, error) {
	for len(e.rest) == 0 {
		if e.err != nil {
			return 0, e.err
		}
		e.rest, e.err = e.next()
	}
	n := copy(p, e.rest)
	e.rest = e.rest[n:]
	return n, nil
}

// export is journald's export format: fields a line each, or with a length where they
// are not text, and an empty line after each entry.
type export struct{ from *bufio.Reader }

// exportFields are the fields that are read.
var exportFields = []string{
	"MESSAGE", "SYSLOG_IDENTIFIER", "_PID", "SYSLOG_PID", "_HOSTNAME", "__REALTIME_TIMESTAMP", "_SOURCE_REALTIME_TIMESTAMP", "CONTAINER_NAME",
}

// next gives the next entry as a line of JSON.
func (x *export) next() ([]byte, error) {
	entry := map[string]string{}
	for {
		key, value, err := x.field()
		switch {
		case err != nil && (!errors.Is(err, io.EOF) || len(entry) == 0):
			return nil, err
		case key == "" || err != nil:
			if len(entry) == 0 {
				continue
			}
			line, _ := json.Marshal(entry)
			return append(line, '\n'), err
		case slices.Contains(exportFields, key):
			entry[key] = string(value)
		}
	}
}

// field gives the next field; none at the end of an entry.
func (x *export) field() (key string, value []byte, err error) {
	line, err := x.line()
	if err != nil || len(line) == 0 {
		return "", nil, err
	}
	name, text, ok := bytes.Cut(line, []byte("="))
	if ok {
		return string(name), text, nil
	}
	key = string(line)
	var size uint64
	if err := binary.Read(x.from, binary.LittleEndian, &size); err != nil {
		return "", nil, cut(err)
	}
	if size > maxEntry {
		return "", nil, &Broken{fmt.Errorf("a field %.40q of the journal has %d bytes", key, size)}
	}
	value = make([]byte, size+1) // with the line's end
	if _, err := io.ReadFull(x.from, value); err != nil {
		return "", nil, cut(err)
	}
	return key, value[:size], nil
}

// line gives the next line without its end. Of one that is too long it gives the
// beginning.
func (x *export) line() ([]byte, error) {
	line, err := x.from.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		if errors.Is(err, io.EOF) && len(line) > 0 {
			err = nil
		}
		return bytes.TrimRight(line, "\r\n"), err
	}
	line = bytes.Clone(line)
	for errors.Is(err, bufio.ErrBufferFull) {
		_, err = x.from.ReadSlice('\n')
	}
	return line, err
}

// cut is the error of an entry that is not whole.
func cut(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return &Broken{errors.New("it ends in the middle of an entry")}
	}
	return err
}

// objects are JSON over several lines: of journalctl -o json-pretty, of jq, of a list.
type objects struct{ from *bufio.Reader }

// next gives the next object on one line, or a line that is none as it is.
func (o *objects) next() ([]byte, error) {
	for {
		c, err := o.from.ReadByte()
		if err != nil {
			return nil, err
		}
		switch c {
		case ' ', '\t', '\r', '\n', ',', '[', ']':
			continue
		case '{':
			return o.object()
		}
		line, err := o.from.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			err = nil
		}
		return append([]byte{c}, line...), err
	}
}

// object gives an object whose first brace was read.
func (o *objects) object() ([]byte, error) {
	object := []byte{'{'}
	quoted, escaped := false, false
	for depth := 1; depth > 0; {
		c, err := o.from.ReadByte()
		if err != nil {
			return nil, cut(err)
		}
		if len(object) > maxEntry {
			return nil, &Broken{fmt.Errorf("an object of JSON has more than %d MiB: part it, as jq -c '.[]' does", maxEntry>>20)}
		}
		switch {
		case escaped:
			escaped = false
		case quoted:
			escaped, quoted = c == '\\', c != '"'
		case c == '"':
			quoted = true
		case c == '{', c == '[':
			depth++
		case c == '}', c == ']':
			depth--
		case c == '\n', c == '\r':
			c = ' '
		}
		object = append(object, c)
	}
	return append(object, '\n'), nil
}
