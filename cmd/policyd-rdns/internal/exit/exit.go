// Package exit is what a command ends with, beside what it prints.
package exit

import (
	"errors"
	"fmt"
)

// The exit status of every command.
const (
	Well    = 0
	NotWell = 1 // the thing asked about is not well, or could not be looked at
	Misused = 2 // wrong usage
)

// ErrNotWell ends a command that has said already what is not well.
var ErrNotWell = errors.New("not well")

// UsageError marks an error in how a command was called.
type UsageError struct{ error }

// Usage makes an error one in how a command was called.
func Usage(err error) error { return UsageError{err} }

// Unwrap is the error without the mark.
func (u UsageError) Unwrap() error { return u.error }

// statusError is [ErrNotWell] with an exit status of its own.
type statusError int

// With ends a command that has said all, with an exit status that others have laid down,
// such as those of Nagios' plugins; nil for 0.
func With(status int) error {
	if status == Well {
		return nil
	}
	return statusError(status)
}

func (s statusError) Error() string        { return fmt.Sprintf("exit status %d", int(s)) }
func (s statusError) Is(target error) bool { return target == ErrNotWell }

// Status is the exit status of a command that ended with an error or with none.
func Status(err error) int {
	var (
		usage UsageError
		own   statusError
	)
	switch {
	case err == nil:
		return Well
	case errors.As(err, &own):
		return int(own)
	case errors.As(err, &usage):
		return Misused
	}
	return NotWell
}
