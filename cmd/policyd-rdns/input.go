package main

import (
	"bufio"
	"compress/gzip"
	"fmt"
	"io"
	"os"
)

// openInput opens a file that a command was given: "-" or nothing is standard
// input, and what is compressed with gzip is read as if it were not.
func openInput(path string, stdin io.Reader) (io.ReadCloser, error) {
	in := io.NopCloser(stdin)
	if path != "" && path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return nil, err
		}
		in = f
	}
	buffered := bufio.NewReaderSize(in, 64<<10)
	if magic, err := buffered.Peek(2); err != nil || magic[0] != 0x1f || magic[1] != 0x8b {
		return &input{buffered, in}, nil
	}
	unzipped, err := gzip.NewReader(buffered)
	if err != nil {
		_ = in.Close()
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return &input{unzipped, in}, nil
}

// input reads through a decoder, and closes what is behind it.
type input struct {
	io.Reader
	io.Closer
}
