package archive

import (
	"log/slog"

	"almenara/cluster/fact"
	"almenara/storage"
)

// archiveVersion changes with the rules by which the archive is made.
const archiveVersion = 1

// Load lays on the board what may still matter. Where the archive is not of all records,
// because older software made them, it lays everything there and says that it is stale:
// Remake makes it anew.
func Load(t *storage.Txn, log *slog.Logger) (a *Alerts, stale bool, err error) {
	a = empty()
	state, known, err := storage.ArchiveRecord.Get(t)
	if err != nil {
		return nil, false, err
	}
	want := storage.ArchiveState{Version: archiveVersion}
	if want.Alert, want.Approval, err = storage.ArchiveEnds(t, uint8(fact.KindApproval)); err != nil {
		return nil, false, err
	}
	a.state = want
	if known && state != want || !known && want != (storage.ArchiveState{Version: archiveVersion}) {
		return a, true, a.loadAll(t, log)
	}
	active, err := storage.Actives(t)
	if err != nil {
		return nil, false, err
	}
	return a, false, a.restore(t, active, log)
}

// loadAll folds all adopted messages and approvals onto the board.
func (a *Alerts) loadAll(t *storage.Txn, log *slog.Logger) error {
	adoptions, err := storage.Adoptions(t)
	if err != nil {
		return err
	}
	for _, one := range adoptions {
		msg, err := Stored(t, one.FactID)
		if err != nil {
			return err
		}
		if msg == nil {
			log.Error("adopted alert cannot be read by this version", "alert", one.Alert, "revision", one.Revision)
			continue
		}
		a.Add(msg)
		a.place(msg.Entry, Placed{Adoption: one})
	}
	kept, err := storage.KeptFacts(t, uint8(fact.KindApproval), 0, 0, 0)
	if err != nil {
		return err
	}
	for _, k := range kept {
		p, ok, err := approvalOf(k.StoredFact)
		if err != nil {
			return err
		}
		if ok {
			a.Approve(p)
		}
	}
	return nil
}
