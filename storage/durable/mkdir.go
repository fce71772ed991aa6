package durable

import (
	"fmt"
	"os"
	"path/filepath"
)

// MkdirAll makes dir and what is missing above it, mode 0700, as os.MkdirAll does. On
// return the names of the directories that it made are on this disk.
func MkdirAll(dir string) error {
	dir = filepath.Clean(dir)
	if isDir(dir) {
		return nil
	}
	if parent := filepath.Dir(dir); parent != dir {
		if err := MkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !isDir(dir) {
		return fmt.Errorf("making directory: %w", err)
	}
	return SyncDir(filepath.Dir(dir))
}

func isDir(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}
