//go:build !linux

package load

import (
	"context"
	"errors"
)

type loop struct{}

func newWorker(context.Context, *measurement, int) (*worker, error) {
	return nil, errors.New("the load generator needs Linux")
}

func (w *worker) run(context.Context) error { return nil }
func (w *worker) close()                    {}
