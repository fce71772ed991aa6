//go:build !linux

package fact

import "os"

func preallocate(f *os.File, size int64) error { return fill(f, size) }
