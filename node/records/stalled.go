package records

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"almenara/storage/member"
)

// abandonAfter is how long an import may stand still before it is active: longer
// than an upload and its staging take on a bad link, whose request ends at 15 minutes.
// Who stages on after that is refused, and nothing of the import holds.
const abandonAfter = time.Hour

// uploads is the pattern of the files that Import keeps while it reads them.
const uploads = "import-*.csv"

// RemoveUploads deletes what a process that was killed left of its uploads. The
// folder must be this process's own.
func RemoveUploads(dir string) error {
	left, err := filepath.Glob(filepath.Join(dir, uploads))
	if err != nil {
		return fmt.Errorf("looking for old uploads: %w", err)
	}
	for _, path := range left {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("removing an old upload: %w", err)
		}
	}
	return nil
}

// stalledImports knows since when each import that is not active yet has stood still. Only
// the steward uses it; after a change of leader the time begins again.
type stalledImports struct{ seen map[string]progressed }

type progressed struct {
	chunks uint32
	since  time.Time
}

// abandoned lists the imports that have not got further for abandonAfter.
func (s *stalledImports) abandoned(imports []member.Import, now time.Time) (ids []string) {
	seen := map[string]progressed{}
	for _, i := range imports {
		if i.State != member.ImportStaging {
			continue
		}
		at, known := s.seen[i.ID]
		if !known || at.chunks != i.Staged {
			at = progressed{i.Staged, now}
		}
		seen[i.ID] = at
		if now.Sub(at.since) >= abandonAfter {
			ids = append(ids, i.ID)
		}
	}
	s.seen = seen
	return ids
}

// dropAbandoned gives up imports whose node died while it staged them.
func (im *Imports) dropAbandoned(ctx context.Context, imports []member.Import) error {
	var errs []error
	for _, id := range im.staging.abandoned(imports, time.Now()) {
		im.proposer.log.Warn("an import that was never finished is dropped", "import", id)
		errs = append(errs, (&importing{im: im, ctx: ctx, by: im.name, id: id}).drop(ctx))
	}
	return errors.Join(errs...)
}
