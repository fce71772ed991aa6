package member

import (
	"errors"
	"fmt"

	"almenara/storage"
)

// RawRecord is a member record that has not been decoded yet.
type RawRecord struct {
	id  string
	raw []byte
}

// Decode reads the record. It may be called from any goroutine.
func (r RawRecord) Decode() (Record, error) { return decodeMemberRecord(r.id, r.raw) }

// Raw calls fn with all live members in slices of up to n, by id. The slices
// are fn's own, so that other goroutines can decode them while the scan goes on. Each
// ordinal ever given has one record; ErrDamaged tells that some are missing.
func Raw(t *storage.Txn, n int, fn func([]RawRecord) error) error {
	some := make([]RawRecord, 0, n)
	seen := uint32(0)
	err := t.Scan(prefMember, nil, func(k, v []byte) (bool, error) {
		seen++
		id := string(k[len(prefMember):])
		head, _, err := decodeMemberHead(id, v)
		if err != nil || head.Removed {
			return err == nil, err
		}
		some = append(some, RawRecord{id: id, raw: append([]byte{}, v...)})
		if len(some) < n {
			return true, nil
		}
		full := some
		some = make([]RawRecord, 0, n)
		return true, fn(full)
	})
	if err != nil {
		return err
	}
	if given, err := NextOrdinal(t); err != nil || given != seen {
		return errors.Join(err, fmt.Errorf("%w: %d members of %d", storage.ErrDamaged, seen, given))
	}
	if len(some) == 0 {
		return nil
	}
	return fn(some)
}
