package tablefiles

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// RemoveUnborn deletes memtable and value logs of no length, of which Badger would say
// "Create a new file" for ever. It makes such a file and then gives it its length; a
// power cut in between leaves it empty. Nothing is in it: the length is on disk with the
// first commit that is.
func RemoveUnborn(dir string) error {
	for _, pattern := range []string{"*.mem", "*.vlog"} {
		paths, err := filepath.Glob(filepath.Join(dir, pattern))
		if err != nil {
			return fmt.Errorf("looking at logs: %w", err)
		}
		for _, path := range paths {
			info, err := os.Stat(path)
			if err != nil && !errors.Is(err, fs.ErrNotExist) {
				return fmt.Errorf("looking at logs: %w", err)
			}
			if err != nil || info.Size() > 0 {
				continue
			}
			if err := os.Remove(path); err != nil {
				return fmt.Errorf("removing empty log: %w", err)
			}
		}
	}
	return nil
}
