package fsm

import (
	"time"

	"almenara/cluster/agreed"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/audit"
	"almenara/storage/factlog"
	"almenara/storage/member"
	"almenara/storage/receipt"
)

// What tests look at and no node asks a Reader for.

// member reads a live member.
func (r *rig) memberNumber(id string) (rec member.Record, ok bool, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		rec, ok, err = member.Get(t, id)
		ok = ok && !rec.Removed
		return err
	})
	return rec, ok, err
}

// memberAt reads a member by its ordinal, also a removed one.
func (r *rig) memberAt(ordinal uint32) (rec member.Record, ok bool, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		id, err := member.ID(t, ordinal)
		if err == nil && id != "" {
			rec, ok, err = member.Get(t, id)
		}
		return err
	})
	return rec, ok, err
}

func (r *rig) userByToken(hash []byte) (u storage.User, ok bool, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		u, ok, err = storage.Users.ByToken(t, hash)
		return err
	})
	return u, ok, err
}

func (r *rig) imports() (all []member.Import, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		all, err = member.Imports.All(t)
		return err
	})
	return all, err
}

// audit reads up to limit lines (0: all) from number from (0: the first) to number to (0:
// the last).
func (r *rig) audit(from, to uint64, limit int) (out []audit.Entry, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		return audit.Each(t, from, to, func(e audit.Entry) (bool, error) {
			out = append(out, e)
			return limit <= 0 || len(out) < limit, nil
		})
	})
	return out, err
}

func (r *rig) auditHead() (head audit.Head, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		head, err = audit.End(t)
		return err
	})
	return head, err
}

// alerts reads up to limit alerts, the one with the newest adopted message first.
func (r *rig) alerts(limit int) (out []agreed.AlertView, err error) {
	listed, err := r.read.AlertList(factlog.Place{}, limit)
	for _, one := range listed[:min(limit, len(listed))] {
		view, ok, failed := r.read.Alert(one.ID)
		if failed != nil {
			return nil, failed
		}
		if ok {
			out = append(out, view)
		}
	}
	return out, err
}

func (r *rig) counts(ids []alert.ID, revision alert.Revision) (receipt.Counts, error) {
	return r.read.ReceiptCountsAmong(nil, ids, revision)
}

// inForce is what the adopted messages say is in force at now.
func (r *rig) inForce(now time.Time) (active []board.Active) {
	r.fsm.Derived().Alerts.View(func(b *board.Board) { active = b.InForce(now) })
	return active
}

// ended is what the adopted messages say has ended at now.
func (r *rig) ended(now time.Time) (ends []board.End) {
	r.fsm.Derived().Alerts.View(func(b *board.Board) { ends = b.Ended(now) })
	return ends
}
