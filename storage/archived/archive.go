// Package archived says where the messages of alerts are that are over, and which are not. What it
// keeps is derived from what is agreed; by which rules, cluster/archive knows. It reads and writes
// the transaction of the store and may import nothing of ours but storage and factlog.
package archived

import (
	"fmt"

	"almenara/storage"
	"almenara/storage/factlog"
)

// The archive says where the messages of alerts are that are over, so that a state machine
// holds in memory only what may still matter and finds the rest by key. It is derived from
// what is agreed, and lies among the tally checkpoints, where it is in no hash:
//
//	chk/!v                        State: which records the archive is made of
//	chk/!a index8 n2              Fact: an adopted message that is in memory
//	chk/!k alert.Key.ID           id of the archived group that the key belongs to (raw)
//	chk/!g group26                Group
//	chk/!u until8 group26         nothing: the groups by when they stop to matter (ms since 1970)
//	chk/!p fact32 index8 n2       id of the fact of an approval of that fact (raw)
//	chk/!w index8 n2              id of the fact of an approval whose fact has not come (raw)
var (
	keyArchive     = []byte("chk/!v")
	prefActive     = []byte("chk/!a")
	prefGroupOf    = []byte("chk/!k")
	prefGroup      = []byte("chk/!g")
	prefGroupUntil = []byte("chk/!u")
	prefApprovals  = []byte("chk/!p")
	prefWaiting    = []byte("chk/!w")
	prefArchive    = []byte("chk/!")
)

// StateRecord is how far the archive is.
var StateRecord = storage.Single[State]{Key: keyArchive}

// State says of which records the archive was made. Where it differs from what is
// there, software that does not know the archive has applied entries.
type State struct {
	Version  uint64        `cbor:"1,keyasint"` // of the rules by which it was made
	Alert    factlog.Place `cbor:"2,keyasint"` // of the last adopted message
	Approval factlog.Place `cbor:"3,keyasint"` // of the last adopted approval
}

// Group is all adopted messages that are connected by any references, over for good or
// until one comes that names them.
type Group struct {
	Keys  []string `cbor:"1,keyasint"` // alert.Key.ID of all messages, also of those never seen
	Facts []Fact   `cbor:"2,keyasint"`
	Cards []Alert  `cbor:"3,keyasint"`
	Until int64    `cbor:"4,keyasint"` // ms since 1970: a node need not know of it from then on

	// Ordinals is how many ordinals had been given when the last of its messages ran out:
	// who came later was never addressed. 0: not known.
	Ordinals uint32 `cbor:"5,keyasint,omitempty"`
}

// Fact is one message of a group.
type Fact struct {
	Place factlog.Place `cbor:"1,keyasint"`
	ID    []byte        `cbor:"2,keyasint"` // of its fact

	// Ordinals is how many ordinals had been given when it was adopted. 0: not known.
	Ordinals uint32 `cbor:"3,keyasint,omitempty"`
}

// Alert is one alert of a group.
type Alert struct {
	ID     string        `cbor:"1,keyasint"`
	Newest factlog.Place `cbor:"2,keyasint"` // of its message that was adopted last
}

// Clear removes up to limit records of the archive, its state first, and reports
// whether that was all.
func Clear(t *storage.Txn, limit int) (all bool, err error) {
	keys := [][]byte{keyArchive}
	err = t.Scan(prefArchive, nil, func(k, _ []byte) (bool, error) {
		keys = append(keys, append([]byte{}, k...))
		return len(keys) <= limit, nil
	})
	for _, k := range keys {
		if err == nil {
			err = t.Delete(k)
		}
	}
	return len(keys) <= limit, err
}

// PutActive records that an adopted message is in memory.
func PutActive(t *storage.Txn, f Fact) error { return storage.Save(t, f.Place.Key(prefActive), f) }

// Actives lists the messages that are in memory, in log order.
func Actives(t *storage.Txn) ([]Fact, error) { return storage.List[Fact](t, prefActive, nil, 0, nil) }

func places(t *storage.Txn, prefix []byte) (out []Fact, err error) {
	err = t.Scan(prefix, nil, func(k, id []byte) (bool, error) {
		out = append(out, Fact{Place: factlog.PlaceOf(k[len(k)-10:]), ID: append([]byte{}, id...)})
		return true, nil
	})
	return out, err
}

// Put archives a group: its messages are active no more.
func Put(t *storage.Txn, g Group) error {
	id := g.Keys[0]
	if len(id) != factlog.AlertIDLen {
		return fmt.Errorf("%w: group %q", storage.ErrDamaged, id)
	}
	for _, f := range g.Facts {
		if err := t.Delete(f.Place.Key(prefActive)); err != nil {
			return err
		}
	}
	for _, k := range g.Keys {
		if err := t.Set(storage.Key(prefGroupOf, k), []byte(id)); err != nil {
			return err
		}
	}
	if err := t.Set(storage.Key(storage.Key64(prefGroupUntil, uint64(g.Until)), id), nil); err != nil {
		return err
	}
	return storage.Save(t, storage.Key(prefGroup, id), g)
}

// Take takes a group out of the archive: its messages are active again.
func Take(t *storage.Txn, g Group) error {
	for _, f := range g.Facts {
		if err := PutActive(t, f); err != nil {
			return err
		}
	}
	for _, k := range g.Keys {
		if err := t.Delete(storage.Key(prefGroupOf, k)); err != nil {
			return err
		}
	}
	if err := t.Delete(storage.Key(storage.Key64(prefGroupUntil, uint64(g.Until)), g.Keys[0])); err != nil {
		return err
	}
	return t.Delete(storage.Key(prefGroup, g.Keys[0]))
}

// Of reads the archived group to which the message with that alert.Key.ID belongs;
// false where it is not archived.
func Of(t *storage.Txn, keyID string) (Group, bool, error) {
	id, err := t.Get(storage.Key(prefGroupOf, keyID))
	if err != nil || id == nil {
		return Group{}, false, err
	}
	return storage.Load[Group](t, storage.Key(prefGroup, id))
}

// Beginning calls fn for each message in the archive whose alert.Key.ID begins so,
// with that and the id of its group, until fn returns false.
func Beginning(t *storage.Txn, begin string, fn func(keyID, group string) (bool, error)) error {
	prefix := storage.Key(prefGroupOf, begin)
	return t.Scan(prefix, prefix, func(k, v []byte) (bool, error) {
		return fn(string(k[len(prefGroupOf):]), string(v))
	})
}

// Until reads the archived groups that matter after ms.
func Until(t *storage.Txn, ms int64) (out []Group, err error) {
	var ids []string
	err = t.Scan(prefGroupUntil, storage.Key64(prefGroupUntil, uint64(max(0, ms+1))), func(k, _ []byte) (bool, error) {
		ids = append(ids, string(k[len(prefGroupUntil)+8:]))
		return true, nil
	})
	for _, id := range ids {
		g, ok, failed := storage.Load[Group](t, storage.Key(prefGroup, id))
		if failed != nil {
			return nil, failed
		}
		if ok {
			out = append(out, g)
		}
	}
	return out, err
}

// PutApprovalOf lists an approval, the fact id adopted at p, under what it approves. It
// waits where that has not come.
func PutApprovalOf(t *storage.Txn, approved []byte, p factlog.Place, id []byte, waits bool) error {
	if err := t.Set(p.Key(storage.Key(prefApprovals, approved)), id); err != nil || !waits {
		return err
	}
	return t.Set(p.Key(prefWaiting), id)
}

// ApprovalsOf lists the approvals of one fact in log order.
func ApprovalsOf(t *storage.Txn, approved []byte) ([]Fact, error) {
	return places(t, storage.Key(prefApprovals, approved))
}

// StopWaiting says that what the approval adopted at p approves has come.
func StopWaiting(t *storage.Txn, p factlog.Place) error { return t.Delete(p.Key(prefWaiting)) }

// WaitingApprovals lists the approvals of what has not come, in log order.
func WaitingApprovals(t *storage.Txn) ([]Fact, error) { return places(t, prefWaiting) }
