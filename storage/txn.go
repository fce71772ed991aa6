package storage

import (
	"errors"
	"fmt"

	"github.com/dgraph-io/badger/v4"
	"github.com/fxamacker/cbor/v2"
)

// Canonical encodes records and the bodies of facts: equal values are equal bytes (RFC 8949 §4.2.1).
var Canonical, _ = cbor.CoreDetEncOptions().EncMode()

// Txn is one transaction: a consistent view of everything, and for the writer its
// changes, which become durable and visible together. A Txn belongs to one
// goroutine.
type Txn struct {
	store *Store
	h     *handle
	b     *badger.Txn
	write bool
	done  bool
	bytes int64
	keys  int64
}

// Read starts a reading transaction. The caller must Discard it. A transaction that
// stays open for long keeps old versions on disk.
func (s *Store) Read() (*Txn, error) {
	h, err := s.acquire()
	if err != nil {
		return nil, err
	}
	return &Txn{store: s, h: h, b: h.db.NewTransaction(false)}, nil
}

// Write starts the writing transaction; it waits for the one before. The caller
// must Commit or Discard it.
func (s *Store) Write() (*Txn, error) {
	s.writeMu.Lock()
	h, err := s.acquire()
	if err != nil {
		s.writeMu.Unlock()
		return nil, err
	}
	return &Txn{store: s, h: h, b: h.db.NewTransaction(true), write: true}, nil
}

// View calls fn with a reading transaction.
func (s *Store) View(fn func(*Txn) error) error {
	t, err := s.Read()
	if err != nil {
		return err
	}
	defer t.Discard()
	return fn(t)
}

// Update calls fn with a writing transaction and commits it when fn returns nil:
// on this disk after fsync. It is not for entries of the raft log, which must move
// the applied index in the same transaction.
func (s *Store) Update(fn func(*Txn) error) error {
	t, err := s.Write()
	if err != nil {
		return err
	}
	defer t.Discard()
	if err := fn(t); err != nil {
		return err
	}
	return t.Commit()
}

// Commit makes the changes durable (fsync) and visible. After an error the state on
// disk is unknown until the store is opened again.
func (t *Txn) Commit() error {
	if t.done {
		return badger.ErrDiscardedTxn
	}
	err := t.b.Commit()
	t.end()
	if err != nil {
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// Discard ends the transaction without its changes. It does nothing after Commit.
func (t *Txn) Discard() {
	if t.done {
		return
	}
	t.b.Discard()
	t.end()
}

func (t *Txn) end() {
	t.done = true
	t.store.release(t.h)
	if t.write {
		t.store.writeMu.Unlock()
	}
}

// Half reports that the changes have reached half of what one Badger transaction
// may hold: time to commit, so that the next log entry fits for certain.
func (t *Txn) Half() bool {
	return 2*t.bytes >= t.h.db.MaxBatchSize() || 2*t.keys >= t.h.db.MaxBatchCount()
}

// Empty reports that nothing was changed.
func (t *Txn) Empty() bool { return t.keys == 0 }

// Get returns a copy of the value of key, or nil where there is none.
func (t *Txn) Get(key []byte) ([]byte, error) {
	item, err := t.b.Get(key)
	if errors.Is(err, badger.ErrKeyNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", key, err)
	}
	value, err := item.ValueCopy([]byte{})
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", key, err)
	}
	return value, nil
}

// Set writes key and value, which the transaction keeps until its end.
func (t *Txn) Set(key, value []byte) error {
	if err := t.b.Set(key, value); err != nil {
		return fmt.Errorf("writing %q: %w", key, err)
	}
	t.count(len(key) + len(value))
	return nil
}

// Delete deletes key. What must never come back is a tombstone value instead.
func (t *Txn) Delete(key []byte) error {
	if err := t.b.Delete(key); err != nil {
		return fmt.Errorf("deleting %q: %w", key, err)
	}
	t.count(len(key))
	return nil
}

// count follows Badger's own estimate of an entry's share of the transaction.
func (t *Txn) count(bytes int) {
	t.keys++
	t.bytes += int64(bytes) + 12
}

// Scan calls fn for the keys with prefix in order, from the key from on (nil: the
// first), until fn returns false. Key and value are valid during the call only.
func (t *Txn) Scan(prefix, from []byte, fn func(key, value []byte) (bool, error)) error {
	opt := badger.DefaultIteratorOptions
	opt.Prefix, opt.PrefetchValues = prefix, false // values lie with their keys: a goroutine each would only cost
	it := t.b.NewIterator(opt)
	defer it.Close()
	if from == nil {
		from = prefix
	}
	for it.Seek(from); it.Valid(); it.Next() {
		more, err := visit(it.Item(), fn)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

func visit(item *badger.Item, fn func(key, value []byte) (bool, error)) (more bool, err error) {
	verr := item.Value(func(v []byte) error {
		more, err = fn(item.Key(), v)
		return nil
	})
	if verr != nil {
		return false, fmt.Errorf("reading %q: %w", item.Key(), verr)
	}
	return more, err
}

// Load reads the record of key; false where there is none.
func Load[T any](t *Txn, key []byte) (rec T, ok bool, err error) {
	raw, err := t.Get(key)
	if err != nil || raw == nil {
		return rec, false, err
	}
	rec, err = Decode[T](key, raw)
	return rec, err == nil, err
}

// Save writes the record of key as canonical CBOR.
func Save(t *Txn, key []byte, rec any) error {
	raw, err := Canonical.Marshal(rec)
	if err != nil {
		return fmt.Errorf("encoding %q: %w", key, err)
	}
	return t.Set(key, raw)
}

// List reads up to limit records with prefix, after the key after (nil: from the
// first), leaving out those that keep refuses. A limit of 0 is none.
func List[T any](t *Txn, prefix, after []byte, limit int, keep func(T) bool) ([]T, error) {
	var out []T
	from := after
	if from != nil {
		from = append(append([]byte{}, after...), 0)
	}
	err := t.Scan(prefix, from, func(key, value []byte) (bool, error) {
		rec, err := Decode[T](key, value)
		if err != nil {
			return false, err
		}
		if keep == nil || keep(rec) {
			out = append(out, rec)
		}
		return limit <= 0 || len(out) < limit, nil
	})
	return out, err
}

func Decode[T any](key, raw []byte) (rec T, err error) {
	if err := cbor.Unmarshal(raw, &rec); err != nil {
		return rec, fmt.Errorf("%w: record %q: %w", ErrDamaged, key, err)
	}
	return rec, nil
}

// Room reports whether changes of that many bytes still fit for certain.
func (t *Txn) Room(bytes int64) bool {
	return t.bytes+bytes < t.h.db.MaxBatchSize() && 2*t.keys < t.h.db.MaxBatchCount()
}

// ScanBack is Scan backwards, from the last key before the key before (nil: the last).
// fn must not use the transaction.
func (t *Txn) ScanBack(prefix, before []byte, fn func(key, value []byte) (bool, error)) error {
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
