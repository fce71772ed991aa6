package archive

import (
	"log/slog"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/archived"
	"almenara/storage/factlog"
)

// archiveVersion changes with the rules by which the archive is made.
const archiveVersion = 1

// Load lays on the board what may still matter. Where the archive is not of all records,
// because older software made them, it lays everything there and says that it is stale:
// Remake makes it anew.
func Load(t *storage.Txn, log *slog.Logger) (a *Alerts, stale bool, err error) {
	a = empty()
	state, known, err := archived.StateRecord.Get(t)
	if err != nil {
		return nil, false, err
	}
	want := archived.State{Version: archiveVersion}
	if want.Alert, want.Approval, err = factlog.LastAdopted(t, uint8(fact.KindApproval)); err != nil {
		return nil, false, err
	}
	a.state = want
	if known && state != want || !known && want != (archived.State{Version: archiveVersion}) {
		return a, true, a.loadAll(t, log)
	}
	active, err := archived.Actives(t)
	if err != nil {
		return nil, false, err
	}
	return a, false, a.restore(t, active, log)
}

// loadAll folds all adopted messages and approvals onto the board.
func (a *Alerts) loadAll(t *storage.Txn, log *slog.Logger) error {
	adoptions, err := factlog.Adoptions(t)
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
	kept, err := factlog.KeptAfter(t, uint8(fact.KindApproval), 0, 0, 0)
	if err != nil {
		return err
	}
	for _, k := range kept {
		p, ok, err := approvalOf(k.Fact)
		if err != nil {
			return err
		}
		if ok {
			a.Approve(p)
		}
	}
	return nil
}
