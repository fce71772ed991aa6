package archive

import (
	"fmt"
	"log/slog"
	"time"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/archived"
	"almenara/storage/factlog"
)

// archivePage is how many records of the archive one transaction writes.
const archivePage = 500

// Remake makes the archive anew from what is on the board, which is everything. Only when it
// is whole does its state say so: after a crash it is made again. Where it cannot be made, all
// stays in memory until the next start: a full disk must not keep the node from warning.
func (a *Alerts) Remake(store *storage.Store, log *slog.Logger) {
	if err := a.remake(store, log); err != nil {
		a.Freeze()
		log.Error("the archive of alerts cannot be made; all stay in memory", "error", err)
	}
}

func (a *Alerts) remake(store *storage.Store, log *slog.Logger) error {
	began := time.Now()
	for all := false; !all; {
		err := store.Update(func(t *storage.Txn) (err error) {
			all, err = archived.Clear(t, archivePage)
			return err
		})
		if err != nil {
			return err
		}
	}
	last, err := a.listAll(store)
	if err != nil {
		return err
	}
	retired := 0
	for {
		var groups []archived.Group
		err := store.Update(func(t *storage.Txn) (err error) {
			if groups, err = a.Retire(t, last, func(time.Time) uint32 { return 0 }); err != nil {
				return err
			}
			return archived.StateRecord.Put(t, a.state)
		})
		if err != nil {
			return err
		}
		if a.Retired(groups); len(groups) == 0 {
			break
		}
		retired += len(groups)
	}
	log.Info("archive made", "groups", retired, "took", time.Since(began))
	return nil
}

// listAll lists all adopted messages as active and all approvals under what they approve,
// and gives the time of the last adoption.
func (a *Alerts) listAll(store *storage.Store) (last time.Time, err error) {
	var adoptions []factlog.Adoption
	var kept []factlog.Kept
	err = store.View(func(t *storage.Txn) (err error) {
		if adoptions, err = factlog.Adoptions(t); err == nil {
			kept, err = factlog.KeptAfter(t, uint8(fact.KindApproval), 0, 0, 0)
		}
		return err
	})
	for len(adoptions) > 0 && err == nil {
		page := adoptions[:min(archivePage, len(adoptions))]
		adoptions = adoptions[len(page):]
		err = store.Update(func(t *storage.Txn) error {
			for _, one := range page {
				if at := time.UnixMilli(one.At); at.After(last) {
					last = at
				}
				if err := archived.PutActive(t, Placed{Adoption: one}.fact()); err != nil {
					return err
				}
			}
			return nil
		})
	}
	for len(kept) > 0 && err == nil {
		page := kept[:min(archivePage, len(kept))]
		kept = kept[len(page):]
		err = store.Update(func(t *storage.Txn) error { return listApprovals(t, page) })
	}
	return last, err
}

func listApprovals(t *storage.Txn, kept []factlog.Kept) error {
	for _, k := range kept {
		p, ok, err := approvalOf(k.Fact)
		if err != nil {
			return err
		}
		if !ok {
			continue
		}
		signed, err := fact.DecodeSigned(k.Signed)
		if err != nil {
			return fmt.Errorf("%w: approval of %s: %w", storage.ErrDamaged, k.Key.Origin, err)
		}
		known, err := factlog.Has(t, p.Fact)
		if err != nil {
			return err
		}
		id := signed.ID()
		if err := archived.PutApprovalOf(t, p.Fact, factlog.Place{Index: k.Index, N: k.N}, id[:], !known); err != nil {
			return err
		}
	}
	return nil
}
