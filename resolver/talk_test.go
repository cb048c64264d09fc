package resolver

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// TestRoom: no more large messages are held than may; who comes later waits for
// one to be read, no longer than it may and not when it is cut short.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBuffers()
		end := time.Now().Add(time.Second)
		var held [][]byte
		for range maxLarge {
			buf, err := r.take(new(leash), end)
			if err != nil || len(buf) != maxMessage {
				t.Fatalf("take() = %d bytes, %v; want %d", len(buf), err, maxMessage)
			}
			held = append(held, buf)
		}
		var waiting sync.WaitGroup
		late, pulled := new(leash), new(leash)
		waiting.Go(func() {
			if _, err := r.take(late, end); !errors.Is(err, os.ErrDeadlineExceeded) || time.Now() != end {
				t.Errorf("take() at the end = %v; want %v", err, os.ErrDeadlineExceeded)
			}
		})
		waiting.Go(func() {
			if _, err := r.take(pulled, end); err == nil || time.Now() == end {
				t.Errorf("take() with a leash that was pulled = %v; want an error at once", err)
			}
			if _, err := r.take(pulled, end); !errors.Is(err, context.Canceled) {
				t.Errorf("take() with a leash that had been pulled = %v; want %v", err, context.Canceled)
			}
		})
		synctest.Wait()
		pulled.pull()
		waiting.Wait()
		waiting.Go(func() {
			if buf, err := r.take(new(leash), end.Add(time.Second)); err != nil || len(buf) != maxMessage {
				t.Errorf("take() after give() = %d bytes, %v; want %d", len(buf), err, maxMessage)
			}
		})
		synctest.Wait()
		r.give(held[0][:100])
		waiting.Wait()
	})
}
