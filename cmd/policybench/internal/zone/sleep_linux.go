package zone

import (
	"syscall"
	"time"
)

// sleep sleeps to some 100 microseconds. The runtime's timers, which wait in
// epoll, are late by up to a millisecond.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil) // a signal may end it: that is early by less than the delay
}
