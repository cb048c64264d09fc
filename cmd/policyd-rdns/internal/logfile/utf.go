package logfile

import (
	"bufio"
	"bytes"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// wide reports whether a text begins with the mark of UTF-16.
func wide(head []byte) bool {
	return bytes.HasPrefix(head, []byte("\xff\xfe")) || bytes.HasPrefix(head, []byte("\xfe\xff"))
}

// inUTF8 leaves out the mark at the beginning of a text (Unicode 23.8), and reads one of
// UTF-16 as UTF-8.
func inUTF8(from io.Reader) (io.Reader, error) {
	text := bufio.NewReaderSize(from, bufferSize)
	head, err := look(text)
	if err != nil {
		return text, nil // told when it is read
	}
	switch {
	case wide(head):
		return transform.NewReader(text, unicode.UTF16(unicode.LittleEndian, unicode.ExpectBOM).NewDecoder()), nil
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		_, err = text.Discard(3)
	}
	return text, err
}
