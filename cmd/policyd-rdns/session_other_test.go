//go:build !linux

package main

import "syscall"

// ownSession has a program run in a session of its own.
func ownSession() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }
