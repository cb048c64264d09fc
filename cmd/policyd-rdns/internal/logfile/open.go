package logfile

import (
	"io"
	"os"
)

// Open opens a file that a command was given: "-" or nothing is standard input.
// What is compressed is read as if it were not.
func Open(path string, stdin io.Reader) (io.ReadCloser, error) {
	in, name := io.NopCloser(stdin), "standard input"
	if path != "" && path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in, name = f, path
	}
	text, err := NewReader(in, name)
	if err != nil {
		_ = in.Close()
		return nil, err
	}
	return &File{text, in}, nil
}

// File reads through a decoder, and closes what is behind it.
type File struct {
	io.Reader
	io.Closer
}
