package transport

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"policyd-rdns/resolver/internal/message"
)

// TestRoom: no more large messages are held than may; who comes later waits for
// one to be read, no longer than it may and not when it is cut short.
func TestRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newBuffers()
		end := time.Now().Add(time.Second)
		var held [][]byte
		for range maxLarge {
			buf, err := r.take(new(Cutoff), end)
			if err != nil || len(buf) != message.MaxSize {
				t.Fatalf("take() = %d bytes, %v; want %d", len(buf), err, message.MaxSize)
			}
			held = append(held, buf)
		}
		var waiting sync.WaitGroup
		late, cut := new(Cutoff), new(Cutoff)
		waiting.Go(func() {
			if _, err := r.take(late, end); !errors.Is(err, os.ErrDeadlineExceeded) || time.Now() != end {
				t.Errorf("take() at the end = %v; want %v", err, os.ErrDeadlineExceeded)
			}
		})
		waiting.Go(func() {
			if _, err := r.take(cut, end); err == nil || time.Now() == end {
				t.Errorf("take() with a cutoff that is cut = %v; want an error at once", err)
			}
			if _, err := r.take(cut, end); !errors.Is(err, context.Canceled) {
				t.Errorf("take() with a cutoff that was cut = %v; want %v", err, context.Canceled)
			}
		})
		synctest.Wait()
		cut.Cut(context.Canceled)
		waiting.Wait()
		waiting.Go(func() {
			if buf, err := r.take(new(Cutoff), end.Add(time.Second)); err != nil || len(buf) != message.MaxSize {
				t.Errorf("take() after give() = %d bytes, %v; want %d", len(buf), err, message.MaxSize)
			}
		})
		synctest.Wait()
		r.give(held[0][:100])
		waiting.Wait()
	})
}
