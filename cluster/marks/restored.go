package marks

import (
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"almenara/storage/durable"
)

// notHeardFile names the restored copies that this node does not give way to, so that
// a restart while one of them runs changes nothing.
const notHeardFile = "incarnations.disbelieved"

// maxNotHeard bounds the file; the oldest go first.
const maxNotHeard = 64

// RestoredCopies are statements of copies that were restored while the district lived. The
// zero value is ready.
type RestoredCopies struct {
	mu  sync.Mutex
	dir string
	all []string // hashes of statements
}

func (d *RestoredCopies) Load(dir string, log *slog.Logger) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.dir = dir
	raw, err := os.ReadFile(filepath.Join(dir, notHeardFile))
	if err == nil {
		err = json.Unmarshal(raw, &d.all)
	}
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		log.Error("reading which restored copies are not heard", "error", err)
	}
}

func (d *RestoredCopies) Has(hash string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Contains(d.all, hash)
}

// Add is durable on return, unless it returns an error.
func (d *RestoredCopies) Add(hash string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if slices.Contains(d.all, hash) {
		return nil
	}
	d.all = append(d.all, hash)
	d.all = d.all[max(0, len(d.all)-maxNotHeard):]
	raw, err := json.Marshal(d.all)
	if err != nil {
		return err
	}
	return durable.WriteFile(filepath.Join(d.dir, notHeardFile), raw)
}
