package durable

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// ErrInUse is returned by Lock for a directory that another process has locked.
var ErrInUse = errors.New("the data folder is in use by another process")

// Lock makes the directory this process's own until unlock is called or the process
// ends. The directory must exist.
func Lock(dir string) (unlock func() error, err error) {
	f, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = fmt.Errorf("%w: %s", ErrInUse, dir)
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f.Close, nil // which gives the lock back
}
