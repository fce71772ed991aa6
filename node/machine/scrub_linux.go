package machine

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// idly runs work on a thread that gets the disk and the processor when nobody else wants
// them (ioprio_set(2), setpriority(2)). The thread ends with the goroutine that calls it.
// Where the system does not allow that, work runs like everything else.
func idly(work func()) {
	const (
		whoProcess = 1
		idleClass  = 3 << 13
	)
	runtime.LockOSThread()
	_, _, _ = unix.Syscall(unix.SYS_IOPRIO_SET, whoProcess, 0, idleClass)
	_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), 19)
	work()
}
