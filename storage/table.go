package storage

import (
	"encoding/binary"
	"fmt"
)

// Table is the records of one kind, each under its own key. What is removed or revoked stays, with
// a mark: a key that Badger brings back must not bring back a right.
type Table[K ~string | ~[]byte, T any] struct {
	Prefix []byte
	Of     func(T) K    // the key that a record has
	Gone   func(T) bool // the record was removed; nil: none ever is
}

// Get reads one record, also a removed one; false where there never was one.
func (b Table[K, T]) Get(t *Txn, k K) (T, bool, error) { return Load[T](t, b.key(k)) }

// Put writes one record, or its tombstone.
func (b Table[K, T]) Put(t *Txn, rec T) error { return Save(t, b.key(b.Of(rec)), rec) }

// All reads all records by key, also removed ones.
func (b Table[K, T]) All(t *Txn) ([]T, error) { return List[T](t, b.Prefix, nil, 0, nil) }

// Live reads all records by key, without removed ones.
func (b Table[K, T]) Live(t *Txn) ([]T, error) {
	return List(t, b.Prefix, nil, 0, func(rec T) bool { return !b.Gone(rec) })
}

// After reads up to limit records (0: all) after the key after (of length 0: from the first), by
// key, also removed ones.
func (b Table[K, T]) After(t *Txn, after K, limit int) ([]T, error) {
	if len(after) == 0 {
		return List[T](t, b.Prefix, nil, limit, nil)
	}
	return List[T](t, b.Prefix, b.key(after), limit, nil)
}

// Each calls fn for every record by key, also removed ones.
func (b Table[K, T]) Each(t *Txn, fn func(T) error) error {
	return t.Scan(b.Prefix, nil, func(k, v []byte) (bool, error) {
		rec, err := Decode[T](k, v)
		if err != nil {
			return false, err
		}
		return true, fn(rec)
	})
}

// Delete really deletes the record: only where nothing depends on its staying away.
func (b Table[K, T]) Delete(t *Txn, k K) error { return t.Delete(b.key(k)) }

func (b Table[K, T]) key(k K) []byte { return Key(b.Prefix, k) }

// Single is a record of which there is one.
type Single[T any] struct{ Key []byte }

// Get reads the record; false before there is one.
func (s Single[T]) Get(t *Txn) (T, bool, error) { return Load[T](t, s.Key) }

// Value reads the record; the zero value before there is one.
func (s Single[T]) Value(t *Txn) (T, error) {
	rec, _, err := Load[T](t, s.Key)
	return rec, err
}

// Put writes the record.
func (s Single[T]) Put(t *Txn, rec T) error { return Save(t, s.Key, rec) }

// Number is a number of which there is one.
type Number struct{ Key []byte }

// Value reads the number; 0 before there is one.
func (n Number) Value(t *Txn) (uint64, error) {
	raw, err := t.Get(n.Key)
	if err != nil || raw == nil {
		return 0, err
	}
	if len(raw) != 8 {
		return 0, fmt.Errorf("%w: %q of %d bytes", ErrDamaged, n.Key, len(raw))
	}
	return binary.BigEndian.Uint64(raw), nil
}

// Put writes the number.
func (n Number) Put(t *Txn, value uint64) error {
	return t.Set(n.Key, binary.BigEndian.AppendUint64(nil, value))
}

// The tables of what people and nodes are given, and where else records of one kind lie.
var (
	Devices = Table[string, Device]{Prefix: prefDevice, Of: func(d Device) string { return d.ID }}
	Users   = UserTable{Table[string, User]{Prefix: prefUser, Of: func(u User) string { return u.Name }}}

	AppliedRecord = Single[Applied]{Key: keyApplied}
)

// UserTable is the table of users, who are also found by their tokens.
type UserTable struct{ Table[string, User] }
