//go:build !linux

package durable

import "os"

// Reserve makes f size bytes long with all its space taken: later writes within it meet
// no full disk. Sync f, and its directory if it is new, before relying on it.
func Reserve(f *os.File, size int64) error { return fill(f, size) }
