//go:build !linux

package e2e

import "syscall"

// ownSession has a program run in a session of its own.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
