//go:build linux

package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// historyFile is where in the folder of a run its history is.
const historyFile = "history.json"

// save writes the whole history into the folder: who looks into a breach needs what was
// asked and answered, not only what was printed.
func (h History) save(dir string) error {
	raw, err := json.MarshalIndent(h, "", " ")
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, historyFile), raw, 0o600)
	}
	if err != nil {
		return fmt.Errorf("saving the history: %w", err)
	}
	return nil
}
