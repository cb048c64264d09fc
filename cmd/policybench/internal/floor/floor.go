// Package floor is the policy service that decides nothing: what every other one
// is measured against. It is as Go programs are written, a goroutine for each
// connection and a buffered reader, and reads a request to the empty line at its
// end without looking at what is in it. The answer is always DUNNO.
package floor

import (
	"bufio"
	"context"
	"net"
	"sync"
)

var answer = []byte("action=DUNNO\n\n")

// Serve answers requests until ctx is done or the listener fails, closes all
// connections and the listener, and returns when everything has ended. The error
// is nil if ctx was done.
func Serve(ctx context.Context, l net.Listener) error { return serve(ctx, l, converse) }

// serve has each connection conversed with by a goroutine.
func serve(ctx context.Context, l net.Listener, converse func(net.Conn)) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	serving, stop := context.WithCancel(ctx)
	defer stop()
	defer context.AfterFunc(serving, func() { l.Close() })()
	for {
		conn, err := l.Accept()
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		wg.Go(func() {
			defer conn.Close()
			defer context.AfterFunc(serving, func() { conn.Close() })()
			converse(conn)
		})
	}
}

// converse ends when the connection does, or with a line of more than 4 KiB.
func converse(conn net.Conn) {
	r := bufio.NewReader(conn)
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return
		}
		if len(line) > 1 {
			continue
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
	}
}
