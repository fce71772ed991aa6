package storage

import (
	"encoding/binary"
	"fmt"

	"almenara/storage/audience"
)

// Table is the records of one kind, each under its own key. What is removed or revoked stays, with
// a mark: a key that Badger brings back must not bring back a right.
type Table[K ~string | ~[]byte, T any] struct {
	prefix []byte
	of     func(T) K    // the key that a record has
	gone   func(T) bool // the record was removed; nil: none ever is
}

// Get reads one record, also a removed one; false where there never was one.
func (b Table[K, T]) Get(t *Txn, k K) (T, bool, error) { return load[T](t, b.key(k)) }

// Put writes one record, or its tombstone.
func (b Table[K, T]) Put(t *Txn, rec T) error { return save(t, b.key(b.of(rec)), rec) }

// All reads all records by key, also removed ones.
func (b Table[K, T]) All(t *Txn) ([]T, error) { return list[T](t, b.prefix, nil, 0, nil) }

// Live reads all records by key, without removed ones.
func (b Table[K, T]) Live(t *Txn) ([]T, error) {
	return list(t, b.prefix, nil, 0, func(rec T) bool { return !b.gone(rec) })
}

// After reads up to limit records (0: all) after the key after (of length 0: from the first), by
// key, also removed ones.
func (b Table[K, T]) After(t *Txn, after K, limit int) ([]T, error) {
	if len(after) == 0 {
		return list[T](t, b.prefix, nil, limit, nil)
	}
	return list[T](t, b.prefix, b.key(after), limit, nil)
}

// Each calls fn for every record by key, also removed ones.
func (b Table[K, T]) Each(t *Txn, fn func(T) error) error {
	return t.scan(b.prefix, nil, func(k, v []byte) (bool, error) {
		rec, err := decode[T](k, v)
		if err != nil {
			return false, err
		}
		return true, fn(rec)
	})
}

// Delete really deletes the record: only where nothing depends on its staying away.
func (b Table[K, T]) Delete(t *Txn, k K) error { return t.remove(b.key(k)) }

func (b Table[K, T]) key(k K) []byte { return key(b.prefix, string(k)) }

// Single is a record of which there is one.
type Single[T any] struct{ key []byte }

// Get reads the record; false before there is one.
func (s Single[T]) Get(t *Txn) (T, bool, error) { return load[T](t, s.key) }

// Value reads the record; the zero value before there is one.
func (s Single[T]) Value(t *Txn) (T, error) {
	rec, _, err := load[T](t, s.key)
	return rec, err
}

// Put writes the record.
func (s Single[T]) Put(t *Txn, rec T) error { return save(t, s.key, rec) }

// Number is a number of which there is one.
type Number struct{ key []byte }

// Value reads the number; 0 before there is one.
func (n Number) Value(t *Txn) (uint64, error) {
	raw, err := t.get(n.key)
	if err != nil || raw == nil {
		return 0, err
	}
	if len(raw) != 8 {
		return 0, fmt.Errorf("%w: %q of %d bytes", ErrDamaged, n.key, len(raw))
	}
	return binary.BigEndian.Uint64(raw), nil
}

// Put writes the number.
func (n Number) Put(t *Txn, value uint64) error {
	return t.set(n.key, binary.BigEndian.AppendUint64(nil, value))
}

// The tables of what people and nodes are given, and where else records of one kind lie.
var (
	Devices    = Table[string, Device]{prefix: prefDevice, of: func(d Device) string { return d.ID }}
	Users      = UserTable{Table[string, User]{prefix: prefUser, of: func(u User) string { return u.Name }}}
	Nodes      = Table[string, Node]{prefix: prefNode, of: func(n Node) string { return n.ID }}
	JoinTokens = Table[[]byte, JoinToken]{prefix: prefJoinToken, of: func(j JoinToken) []byte { return j.Hash }}
	Scenarios  = Table[string, Scenario]{prefix: prefScenario, of: func(s Scenario) string { return s.ID }, gone: func(s Scenario) bool { return s.Removed }}
	Licences   = Table[string, Licence]{prefix: prefLicence, of: func(l Licence) string { return l.ID }}
	Places     = Table[audience.Path, PlaceRecord]{prefix: prefPlace, of: func(p PlaceRecord) audience.Path { return p.Place.Path }, gone: func(p PlaceRecord) bool { return p.Removed }}
	Imports    = Table[string, Import]{prefix: prefImport, of: func(i Import) string { return i.ID }}

	KeyRingRecord  = Single[KeyRing]{keyKeyRing}
	DistrictRecord = Single[District]{keyDistrict}
	PolicyRecord   = Single[Policy]{keyPolicy}
	AppliedRecord  = Single[Applied]{keyApplied}
	ArchiveRecord  = Single[ArchiveState]{keyArchive}

	// PolicyVersion is the raft index of the last change of the policy, a scenario or a licence; 0
	// before there was any.
	PolicyVersion = Number{keyPolicyVersion}
)

// UserTable is the table of users, who are also found by their tokens.
type UserTable struct{ Table[string, User] }
