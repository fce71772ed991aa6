//go:build !linux

package boxclock

// readable says that this system tells nothing of its clock. Its machines are larger ones, with a battery.
const readable = false

func synced() bool { return false }
