package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// WriteJSON writes the report for programs: one object, of the fields of
// [Report], on one line of printable ASCII. Times are RFC 3339. Its error is that
// of out.
func (r *Report) WriteJSON(out io.Writer) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	if err := enc.Encode(r); err != nil {
		return err
	}
	_, err := out.Write(ascii(b.Bytes()))
	return err
}

// ascii escapes all that is not printable ASCII. That can only stand in strings.
func ascii(text []byte) []byte {
	var b bytes.Buffer
	for _, c := range string(text) {
		switch {
		case c == '\n' || c >= ' ' && c <= '~':
			b.WriteRune(c)
		case c > 0xffff:
			c -= 0x10000
			fmt.Fprintf(&b, "\\u%04x\\u%04x", 0xd800+c>>10, 0xdc00+c&0x3ff)
		default:
			fmt.Fprintf(&b, "\\u%04x", c)
		}
	}
	return b.Bytes()
}
