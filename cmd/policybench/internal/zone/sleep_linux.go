package zone

import (
	"syscall"
	"time"
)

// sleep sleeps to some 100 microseconds, or less than d: a signal ends it. The
// runtime's timers, which wait in epoll, are late by up to a millisecond.
func sleep(d time.Duration) {
	t := syscall.NsecToTimespec(int64(d))
	_ = syscall.Nanosleep(&t, nil)
}
