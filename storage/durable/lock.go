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
	return func() error { return giveBack(f) }, nil
}

// giveBack gives the lock back by name: closing alone does not while a process that is being started holds
// copies of all descriptors, between its fork and its exec, and whoever locks at that moment would be refused.
func giveBack(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_UN)
	return errors.Join(err, f.Close())
}
