package load

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// Limits of a file of requests.
const (
	maxRequests  = 1_000_000
	maxFileBytes = 256 << 20
	maxRequest   = 16 << 10 // bytes: fits into a socket's buffer
)

// ReadRequests reads requests as Postfix sends them: lines of name=value, and
// an empty line after each request, which the last one need not have. Lines may
// end with CR LF. The error names the line.
func ReadRequests(r io.Reader) (Recorded, error) {
	lines := bufio.NewScanner(io.LimitReader(r, maxFileBytes+1))
	lines.Buffer(nil, maxRequest)
	var requests Recorded
	var request []byte
	total := 0
	end := func() {
		if len(request) > 0 {
			requests = append(requests, append(request, '\n'))
			request = nil
		}
	}
	for number := 1; lines.Scan(); number++ {
		line := bytes.TrimSuffix(lines.Bytes(), []byte{'\r'})
		if len(line) == 0 {
			end()
			continue
		}
		if bytes.IndexByte(line, '=') < 1 {
			return nil, fmt.Errorf("line %d: %.60q: want name=value", number, line)
		}
		request = append(append(request, line...), '\n')
		total += len(line)
		if len(request) > maxRequest || len(requests) == maxRequests || total > maxFileBytes {
			return nil, fmt.Errorf("line %d: want at most %d requests, each of at most %d bytes, and %d in all",
				number, maxRequests, maxRequest, maxFileBytes)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if end(); requests == nil {
		return nil, errors.New("no request in it")
	}
	return requests, nil
}
