package kiosk

import "syscall"

// ownGroup makes a program the first of a group, which can be ended as a whole, and has it end with
// the agent, however that ends: two browsers must not stand over each other.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
