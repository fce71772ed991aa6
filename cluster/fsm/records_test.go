package fsm

import (
	"time"

	"almenara/cluster/agreed"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/receipt"
)

// What tests look at and no node asks a Reader for.

// member reads a live member.
func (r *rig) member(id string) (rec storage.MemberRecord, ok bool, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		rec, ok, err = storage.MembersGet(t, id)
		ok = ok && !rec.Removed
		return err
	})
	return rec, ok, err
}

// memberAt reads a member by its ordinal, also a removed one.
func (r *rig) memberAt(ordinal uint32) (rec storage.MemberRecord, ok bool, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		id, err := storage.MembersID(t, ordinal)
		if err == nil && id != "" {
			rec, ok, err = storage.MembersGet(t, id)
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

func (r *rig) imports() (all []storage.Import, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		all, err = storage.Imports.All(t)
		return err
	})
	return all, err
}

// audit reads up to limit lines (0: all) from number from (0: the first) to number to (0:
// the last).
func (r *rig) audit(from, to uint64, limit int) (out []storage.AuditEntry, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		return storage.AuditEach(t, from, to, func(e storage.AuditEntry) (bool, error) {
			out = append(out, e)
			return limit <= 0 || len(out) < limit, nil
		})
	})
	return out, err
}

func (r *rig) auditHead() (head storage.AuditHead, err error) {
	err = r.store.View(func(t *storage.Txn) error {
		head, err = storage.AuditEnd(t)
		return err
	})
	return head, err
}

// alerts reads up to limit alerts, the one with the newest adopted message first.
func (r *rig) alerts(limit int) (out []agreed.AlertView, err error) {
	listed, err := r.read.AlertList(storage.Place{}, limit)
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
