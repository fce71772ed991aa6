//go:build unix

package connlimit

import "syscall"

// Descriptors is how many the process may open. The soft limit is raised to the hard one
// first, as far as that is allowed.
func Descriptors() int {
	const usual, most = 1024, 1 << 20
	var limit syscall.Rlimit
	if syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit) != nil {
		return usual
	}
	if limit.Cur < limit.Max {
		raised := syscall.Rlimit{Cur: limit.Max, Max: limit.Max}
		if syscall.Setrlimit(syscall.RLIMIT_NOFILE, &raised) == nil {
			limit = raised
		}
	}
	return int(min(uint64(limit.Cur), most))
}
