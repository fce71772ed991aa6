//go:build !linux

package kiosk

import "syscall"

// ownGroup makes a program the first of a group, which can be ended as a whole.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
