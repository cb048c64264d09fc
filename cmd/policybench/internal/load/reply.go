package load

import (
	"bytes"
	"errors"
)

// maxReply bounds a reply, in bytes. Postfix takes no longer lines than 2048
// (line_length_limit in postconf(5)).
const maxReply = 4 << 10

// errReply is the error of what is no reply.
var errReply = errors.New("want action=…, and an empty line")

// actionOf finds the first word of the action of a reply, nil as long as it is
// not whole. It refers to the reply.
func actionOf(reply []byte) ([]byte, error) {
	const prefix = "action="
	if !bytes.HasPrefix(reply, []byte(prefix[:min(len(prefix), len(reply))])) {
		return nil, errReply
	}
	end := bytes.Index(reply, []byte("\n\n"))
	switch {
	case end < 0 && len(reply) >= maxReply:
		return nil, errReply
	case end < 0:
		return nil, nil
	case end+2 < len(reply): // nobody asked for more
		return nil, errReply
	}
	word := reply[len(prefix):end]
	if i := bytes.IndexAny(word, " \t\r\n"); i >= 0 {
		word = word[:i]
	}
	if len(word) == 0 {
		return nil, errReply
	}
	return word, nil
}

// maxActions bounds the actions that are told apart: a service may answer
// anything. maxAction bounds their length, in bytes.
const (
	maxActions = 64
	maxAction  = 32
)

// actions counts replies by the first word of their action.
type actions map[string]*int64

func (a actions) add(word []byte) {
	if n, ok := a[string(word)]; ok {
		*n++
		return
	}
	key := string(word[:min(len(word), maxAction)])
	if n, ok := a[key]; ok {
		*n++
		return
	}
	if len(a) >= maxActions {
		key = "other"
	}
	if a[key] == nil {
		a[key] = new(int64)
	}
	*a[key]++
}
