//go:build !linux

package zone

import "time"

// sleep is late by up to a millisecond.
func sleep(d time.Duration) { time.Sleep(d) }
