package main

import (
	"io"
	"os"

	"policyd-rdns/cmd/policyd-rdns/internal/logfile"
)

// openInput opens a file that a command was given: "-" or nothing is standard
// input, and what is compressed is read as if it were not.
func openInput(path string, stdin io.Reader) (io.ReadCloser, error) {
	in, name := io.NopCloser(stdin), "standard input"
	if path != "" && path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in, name = f, path
	}
	text, err := logfile.NewReader(in, name)
	if err != nil {
		_ = in.Close()
		return nil, err
	}
	return &input{text, in}, nil
}

// input reads through a decoder, and closes what is behind it.
type input struct {
	io.Reader
	io.Closer
}
