package storage

import (
	"encoding/binary"
	"fmt"

	"github.com/dgraph-io/badger/v4"
)

// The archive says where the messages of alerts are that are over, so that a state machine
// holds in memory only what may still matter and finds the rest by key. It is derived from
// what is agreed, and lies among the tally checkpoints, where it is in no hash:
//
//	chk/!v                        ArchiveState: which records the archive is made of
//	chk/!a index8 n2              GroupFact: an adopted message that is in memory
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

// Place is where an adopted fact stands in the log. The zero place is before all.
type Place struct {
	Index uint64 `cbor:"1,keyasint"` // raft index
	N     uint16 `cbor:"2,keyasint"` // within the entry
}

// Before orders places.
func (p Place) Before(o Place) bool { return p.Index < o.Index || p.Index == o.Index && p.N < o.N }

func (p Place) key(prefix []byte) []byte {
	return binary.BigEndian.AppendUint16(key64(prefix, p.Index), p.N)
}

func placeOf(raw []byte) Place {
	return Place{Index: binary.BigEndian.Uint64(raw), N: binary.BigEndian.Uint16(raw[8:])}
}

// ArchiveState says of which records the archive was made. Where it differs from what is
// there, software that does not know the archive has applied entries.
type ArchiveState struct {
	Version  uint64 `cbor:"1,keyasint"` // of the rules by which it was made
	Alert    Place  `cbor:"2,keyasint"` // of the last adopted message
	Approval Place  `cbor:"3,keyasint"` // of the last adopted approval
}

// Group is all adopted messages that are connected by any references, over for good or
// until one comes that names them.
type Group struct {
	Keys  []string     `cbor:"1,keyasint"` // alert.Key.ID of all messages, also of those never seen
	Facts []GroupFact  `cbor:"2,keyasint"`
	Cards []GroupAlert `cbor:"3,keyasint"`
	Until int64        `cbor:"4,keyasint"` // ms since 1970: a node need not know of it from then on

	// Ordinals is how many ordinals had been given when the last of its messages ran out:
	// who came later was never addressed. 0: not known.
	Ordinals uint32 `cbor:"5,keyasint,omitempty"`
}

// GroupFact is one message of a group.
type GroupFact struct {
	Place Place  `cbor:"1,keyasint"`
	ID    []byte `cbor:"2,keyasint"` // of its fact

	// Ordinals is how many ordinals had been given when it was adopted. 0: not known.
	Ordinals uint32 `cbor:"3,keyasint,omitempty"`
}

// GroupAlert is one alert of a group.
type GroupAlert struct {
	ID     string `cbor:"1,keyasint"`
	Newest Place  `cbor:"2,keyasint"` // of its message that was adopted last
}

// ArchiveEnds reads the places of the last adopted message and of the last fact listed
// under kind, which is that of approvals.
func ArchiveEnds(t *Txn, kind uint8) (message, approval Place, err error) {
	last := func(prefix []byte) (p Place, err error) {
		err = t.scanBack(prefix, nil, func(k, _ []byte) (bool, error) {
			p = placeOf(k[len(prefix):])
			return false, nil
		})
		return p, err
	}
	if message, err = last(prefAdoption); err != nil {
		return message, approval, err
	}
	approval, err = last(append(append([]byte{}, prefRecord...), kind))
	return message, approval, err
}

// ClearArchive removes up to limit records of the archive, its state first, and reports
// whether that was all.
func ClearArchive(t *Txn, limit int) (all bool, err error) {
	keys := [][]byte{keyArchive}
	err = t.scan(prefArchive, nil, func(k, _ []byte) (bool, error) {
		keys = append(keys, append([]byte{}, k...))
		return len(keys) <= limit, nil
	})
	for _, k := range keys {
		if err == nil {
			err = t.remove(k)
		}
	}
	return len(keys) <= limit, err
}

// PutActive records that an adopted message is in memory.
func PutActive(t *Txn, f GroupFact) error { return save(t, f.Place.key(prefActive), f) }

// Actives lists the messages that are in memory, in log order.
func Actives(t *Txn) ([]GroupFact, error) { return list[GroupFact](t, prefActive, nil, 0, nil) }

// LastReceipt is where the last receipt block of the alert was adopted; the zero place
// where there is none.
func LastReceipt(t *Txn, alert string) (p Place, err error) {
	prefix := key(prefReceipt, alert)
	err = t.scanBack(prefix, nil, func(k, _ []byte) (bool, error) {
		p = placeOf(k[len(prefix):])
		return false, nil
	})
	return p, err
}

func places(t *Txn, prefix []byte) (out []GroupFact, err error) {
	err = t.scan(prefix, nil, func(k, id []byte) (bool, error) {
		out = append(out, GroupFact{Place: placeOf(k[len(k)-10:]), ID: append([]byte{}, id...)})
		return true, nil
	})
	return out, err
}

// GroupsPut archives a group: its messages are active no more.
func GroupsPut(t *Txn, g Group) error {
	id := g.Keys[0]
	if len(id) != alertIDLen {
		return fmt.Errorf("%w: group %q", ErrDamaged, id)
	}
	for _, f := range g.Facts {
		if err := t.remove(f.Place.key(prefActive)); err != nil {
			return err
		}
	}
	for _, k := range g.Keys {
		if err := t.set(key(prefGroupOf, k), []byte(id)); err != nil {
			return err
		}
	}
	if err := t.set(key(key64(prefGroupUntil, uint64(g.Until)), id), nil); err != nil {
		return err
	}
	return save(t, key(prefGroup, id), g)
}

// GroupsTake takes a group out of the archive: its messages are active again.
func GroupsTake(t *Txn, g Group) error {
	for _, f := range g.Facts {
		if err := PutActive(t, f); err != nil {
			return err
		}
	}
	for _, k := range g.Keys {
		if err := t.remove(key(prefGroupOf, k)); err != nil {
			return err
		}
	}
	if err := t.remove(key(key64(prefGroupUntil, uint64(g.Until)), g.Keys[0])); err != nil {
		return err
	}
	return t.remove(key(prefGroup, g.Keys[0]))
}

// GroupsOf reads the archived group to which the message with that alert.Key.ID belongs;
// false where it is not archived.
func GroupsOf(t *Txn, keyID string) (Group, bool, error) {
	id, err := t.get(key(prefGroupOf, keyID))
	if err != nil || id == nil {
		return Group{}, false, err
	}
	return load[Group](t, keyBytes(prefGroup, id))
}

// GroupsBeginning calls fn for each message in the archive whose alert.Key.ID begins so,
// with that and the id of its group, until fn returns false.
func GroupsBeginning(t *Txn, begin string, fn func(keyID, group string) (bool, error)) error {
	prefix := key(prefGroupOf, begin)
	return t.scan(prefix, prefix, func(k, v []byte) (bool, error) {
		return fn(string(k[len(prefGroupOf):]), string(v))
	})
}

// GroupsUntil reads the archived groups that matter after ms.
func GroupsUntil(t *Txn, ms int64) (out []Group, err error) {
	var ids []string
	err = t.scan(prefGroupUntil, key64(prefGroupUntil, uint64(max(0, ms+1))), func(k, _ []byte) (bool, error) {
		ids = append(ids, string(k[len(prefGroupUntil)+8:]))
		return true, nil
	})
	for _, id := range ids {
		g, ok, failed := load[Group](t, key(prefGroup, id))
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
func PutApprovalOf(t *Txn, approved []byte, p Place, id []byte, waits bool) error {
	if err := t.set(p.key(keyBytes(prefApprovals, approved)), id); err != nil || !waits {
		return err
	}
	return t.set(p.key(prefWaiting), id)
}

// ApprovalsOf lists the approvals of one fact in log order.
func ApprovalsOf(t *Txn, approved []byte) ([]GroupFact, error) {
	return places(t, keyBytes(prefApprovals, approved))
}

// StopWaiting says that what the approval adopted at p approves has come.
func StopWaiting(t *Txn, p Place) error { return t.remove(p.key(prefWaiting)) }

// WaitingApprovals lists the approvals of what has not come, in log order.
func WaitingApprovals(t *Txn) ([]GroupFact, error) { return places(t, prefWaiting) }

// AdoptionAt reads the adopted message at p.
func AdoptionAt(t *Txn, p Place) (Adoption, bool, error) {
	return load[Adoption](t, p.key(prefAdoption))
}

// AdoptionsBefore calls fn for the messages that were adopted before p, the newest first,
// until it returns false; the zero place is all.
func AdoptionsBefore(t *Txn, p Place, fn func(Adoption) (bool, error)) error {
	var from []byte
	if p != (Place{}) {
		from = p.key(prefAdoption)
	}
	return t.scanBack(prefAdoption, from, func(k, v []byte) (bool, error) {
		a, err := decode[Adoption](k, v)
		if err != nil {
			return false, err
		}
		return fn(a)
	})
}

// scanBack is scan backwards, from the last key before the key before (nil: the last).
// fn must not use the transaction.
func (t *Txn) scanBack(prefix, before []byte, fn func(key, value []byte) (bool, error)) error {
	opt := badger.DefaultIteratorOptions
	opt.Prefix, opt.PrefetchValues, opt.Reverse = prefix, false, true
	it := t.b.NewIterator(opt)
	defer it.Close()
	from := before
	if from == nil {
		from = append(append([]byte{}, prefix...), 0xff)
	}
	for it.Seek(from); it.ValidForPrefix(prefix); it.Next() {
		if before != nil && string(it.Item().Key()) >= string(before) {
			continue
		}
		more, err := visit(it.Item(), fn)
		if err != nil || !more {
			return err
		}
	}
	return nil
}
