package durable

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Reserve makes f size bytes long with all its space taken, without writing it where
// the file system can: later writes within it meet no full disk. Sync f, and its
// directory if it is new, before relying on it.
func Reserve(f *os.File, size int64) error {
	err := unix.Fallocate(int(f.Fd()), 0, 0, size)
	if errors.Is(err, unix.EOPNOTSUPP) || errors.Is(err, unix.ENOSYS) {
		return fill(f, size)
	}
	return err
}
