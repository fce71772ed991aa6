package peers

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"

	"almenara/storage/durable"
)

// readKnown reads what an earlier run noted of its peers, by id; nil where there is nothing
// that can be read. Doing without is always safe.
func readKnown[V any](dir, file string, log *slog.Logger) map[string]V {
	raw, err := os.ReadFile(filepath.Join(dir, file))
	var known map[string]V
	if err == nil {
		err = json.Unmarshal(raw, &known)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Warn("reading what is known of the peers", "file", file, "error", err)
		return nil
	}
	return known
}

// writeKnown notes it for the next run.
func writeKnown[V any](dir, file string, known map[string]V, log *slog.Logger) {
	raw, err := json.Marshal(known)
	if err == nil {
		err = durable.WriteFile(filepath.Join(dir, file), raw)
	}
	if err != nil {
		log.Warn("writing what is known of the peers", "file", file, "error", err)
	}
}
