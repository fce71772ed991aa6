package storage

import (
	"errors"
	"fmt"
)

// RawMember is a member record that has not been decoded yet.
type RawMember struct {
	id  string
	raw []byte
}

// Decode reads the record. It may be called from any goroutine.
func (r RawMember) Decode() (MemberRecord, error) { return decodeMemberRecord(r.id, r.raw) }

// MembersRaw calls fn with all live members in slices of up to n, by id. The slices
// are fn's own, so that other goroutines can decode them while the scan goes on. Each
// ordinal ever given has one record; ErrDamaged tells that some are missing.
func MembersRaw(t *Txn, n int, fn func([]RawMember) error) error {
	some := make([]RawMember, 0, n)
	seen := uint32(0)
	err := t.scan(prefMember, nil, func(k, v []byte) (bool, error) {
		seen++
		id := string(k[len(prefMember):])
		head, _, err := decodeMemberHead(id, v)
		if err != nil || head.Removed {
			return err == nil, err
		}
		some = append(some, RawMember{id: id, raw: append([]byte{}, v...)})
		if len(some) < n {
			return true, nil
		}
		full := some
		some = make([]RawMember, 0, n)
		return true, fn(full)
	})
	if err != nil {
		return err
	}
	if given, err := MembersNextOrdinal(t); err != nil || given != seen {
		return errors.Join(err, fmt.Errorf("%w: %d members of %d", ErrDamaged, seen, given))
	}
	if len(some) == 0 {
		return nil
	}
	return fn(some)
}
