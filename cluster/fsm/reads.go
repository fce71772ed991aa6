package fsm

import (
	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage"
	"almenara/storage/audience"
)

// The readers of this file and its neighbours may be called from any goroutine. Each
// call reads one consistent state of the store: what is durable here. Answers of the
// index and the board may already have the entries that are being committed.

// Index answers selections and targets. Ask for it anew each time: an installed
// snapshot brings another one.
func (f *FSM) Index() *audience.Index { return f.memory.Load().index }

// Member reads a live member.
func (f *FSM) Member(id string) (rec storage.MemberRecord, ok bool, err error) {
	err = f.store.View(func(t *storage.Txn) error {
		rec, ok, err = t.Member(id)
		ok = ok && !rec.Removed
		return err
	})
	return rec, ok, err
}

// MemberByOrdinal reads a member by its ordinal, also a removed one, of which only
// the id is left: receipts still name it.
func (f *FSM) MemberByOrdinal(ordinal uint32) (rec storage.MemberRecord, ok bool, err error) {
	err = f.store.View(func(t *storage.Txn) error {
		rec, ok, err = memberAt(t, ordinal)
		return err
	})
	return rec, ok, err
}

func memberAt(t *storage.Txn, ordinal uint32) (storage.MemberRecord, bool, error) {
	id, err := t.MemberID(ordinal)
	if err != nil || id == "" {
		return storage.MemberRecord{}, false, err
	}
	return t.Member(id)
}

// Members reads up to limit live members in the order of their ordinals, after the
// member with the id after ("": from the first), only those in filter (nil: all).
func (f *FSM) Members(after string, limit int, filter *roaring.Bitmap) (out []storage.MemberRecord, err error) {
	if filter == nil {
		filter = f.Index().Ordinals()
	}
	err = f.store.View(func(t *storage.Txn) error {
		it := filter.Iterator()
		if after != "" {
			head, known, err := t.MemberHead(after)
			if err != nil || !known {
				return err
			}
			it.AdvanceIfNeeded(head.Ordinal + 1)
		}
		for it.HasNext() && len(out) < limit {
			rec, ok, err := memberAt(t, it.Next())
			if err != nil {
				return err
			}
			if ok && !rec.Removed {
				out = append(out, rec)
			}
		}
		return nil
	})
	return out, err
}

// Places reads all places by path.
func (f *FSM) Places() ([]audience.Place, error) {
	return read(f, (*storage.Txn).Places)
}

// Device reads a device, also a revoked one: look at Revoked.
func (f *FSM) Device(id string) (storage.Device, bool, error) {
	return find(f, func(t *storage.Txn) (storage.Device, bool, error) { return t.Device(id) })
}

// Devices reads up to limit devices (0: all) after the id after, by id, also revoked
// ones.
func (f *FSM) Devices(after string, limit int) ([]storage.Device, error) {
	return read(f, func(t *storage.Txn) ([]storage.Device, error) { return t.Devices(after, limit) })
}

// EachDevice calls fn for every device by id, also revoked ones, until it returns an
// error.
func (f *FSM) EachDevice(fn func(storage.Device) error) error {
	return f.store.View(func(t *storage.Txn) error { return t.EachDevice(fn) })
}

// UserByToken reads the user whose token has that SHA-256; false for unknown,
// replaced and revoked ones.
func (f *FSM) UserByToken(hash []byte) (storage.User, bool, error) {
	return find(f, func(t *storage.Txn) (storage.User, bool, error) { return t.UserByToken(hash) })
}

// User reads a user by name, also a revoked one.
func (f *FSM) User(name string) (storage.User, bool, error) {
	return find(f, func(t *storage.Txn) (storage.User, bool, error) { return t.User(name) })
}

// Users reads all users by name, also revoked ones.
func (f *FSM) Users() ([]storage.User, error) { return read(f, (*storage.Txn).Users) }

// Node reads a node, also a removed one.
func (f *FSM) Node(id string) (storage.Node, bool, error) {
	return find(f, func(t *storage.Txn) (storage.Node, bool, error) { return t.Node(id) })
}

// Nodes reads all nodes by id, also removed ones.
func (f *FSM) Nodes() ([]storage.Node, error) { return read(f, (*storage.Txn).Nodes) }

// JoinToken reads a join token by its SHA-256, also a used one.
func (f *FSM) JoinToken(hash []byte) (storage.JoinToken, bool, error) {
	return find(f, func(t *storage.Txn) (storage.JoinToken, bool, error) { return t.JoinToken(hash) })
}

// KeyRing reads the key ring; false before there is one.
func (f *FSM) KeyRing() (storage.KeyRing, bool, error) { return find(f, (*storage.Txn).KeyRing) }

// District reads the district; false before there is one.
func (f *FSM) District() (storage.District, bool, error) { return find(f, (*storage.Txn).District) }

// Import reads a bulk import; false for an unknown or dropped one.
func (f *FSM) Import(id string) (storage.Import, bool, error) {
	return find(f, func(t *storage.Txn) (storage.Import, bool, error) { return t.Import(id) })
}

// Imports reads all bulk imports. The leader's node proposes FoldImport{ID, Next} for
// the active one until it is done, also one that another leader began.
func (f *FSM) Imports() ([]storage.Import, error) { return read(f, (*storage.Txn).Imports) }

// Audit reads up to limit lines from number from (0: the first) to number to (0: the
// last).
func (f *FSM) Audit(from, to uint64, limit int) (out []storage.AuditEntry, err error) {
	err = f.store.View(func(t *storage.Txn) error {
		return t.Audit(from, to, func(e storage.AuditEntry) (bool, error) {
			out = append(out, e)
			return limit <= 0 || len(out) < limit, nil
		})
	})
	return out, err
}

// AuditHead reads the end of the audit chain.
func (f *FSM) AuditHead() (storage.AuditHead, error) { return read(f, (*storage.Txn).AuditHead) }

// read runs one reader in a transaction.
func read[T any](f *FSM, fn func(*storage.Txn) (T, error)) (out T, err error) {
	err = f.store.View(func(t *storage.Txn) error {
		out, err = fn(t)
		return err
	})
	return out, err
}

// find is read for what may be absent.
func find[T any](f *FSM, fn func(*storage.Txn) (T, bool, error)) (out T, ok bool, err error) {
	err = f.store.View(func(t *storage.Txn) error {
		out, ok, err = fn(t)
		return err
	})
	return out, ok, err
}
