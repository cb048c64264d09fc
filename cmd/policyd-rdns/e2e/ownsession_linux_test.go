package e2e

import "syscall"

// ownSession has a program run in a session of its own. Should the test be killed,
// nothing is left behind.
func ownSession() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGTERM}
}
