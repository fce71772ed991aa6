package storage

import "almenara/storage/audience"

// RawMember is a member record that has not been decoded yet.
type RawMember struct {
	id  string
	raw []byte
}

// Decode reads the record. It may be called from any goroutine.
func (r RawMember) Decode() (MemberRecord, error) { return decodeMemberRecord(r.id, r.raw) }

// RawMembers calls fn with all live members in slices of up to n, by id. The slices
// are fn's own, so that other goroutines can decode them while the scan goes on.
func (t *Txn) RawMembers(n int, fn func([]RawMember) error) error {
	some := make([]RawMember, 0, n)
	err := t.scan(prefMember, nil, func(k, v []byte) (bool, error) {
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
	if err != nil || len(some) == 0 {
		return err
	}
	return fn(some)
}

// AllPlaces calls fn for every live place, by path.
func (t *Txn) AllPlaces(fn func(audience.Place)) error {
	places, err := t.Places()
	for _, p := range places {
		fn(p)
	}
	return err
}
