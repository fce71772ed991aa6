// Package member keeps the members and places of the district in the store, with the ordinals that stand for
// them in bitmaps, and what imports have staged. Who of them is meant by a selection is
// audience/lookup's matter. It may import nothing of ours but storage and audience.
package member

import (
	"encoding/binary"
	"fmt"

	"almenara/storage"
	"almenara/storage/audience"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefMember  = []byte("mem/")
	prefOrdinal = []byte("ord/")
	keyOrdinal  = []byte("orn")
)

// Record is a member as it is kept.
type Record struct {
	Ordinal uint32 // dense, from 0, given at first insert, never given to another member
	Index   uint64 // raft index of the entry that wrote it last
	Removed bool   // then Member holds only the id
	Member  audience.Member
}

// A member record is: ordinal (uvarint), index (uvarint), flags (bit 0: removed),
// then the member in the audience package's codec. Removal leaves the head only, so
// that the personal data are gone and the ordinal is not.
const flagRemoved = 1

// Get reads the member id, also a removed one; false where there never was one.
func Get(t *storage.Txn, id string) (Record, bool, error) {
	k := storage.Key(prefMember, id)
	raw, err := t.Get(k)
	if err != nil || raw == nil {
		return Record{}, false, err
	}
	rec, err := decodeMemberRecord(id, raw)
	return rec, err == nil, err
}

// Head is Get without the member itself but for its id: cheap.
func Head(t *storage.Txn, id string) (Record, bool, error) {
	raw, err := t.Get(storage.Key(prefMember, id))
	if err != nil || raw == nil {
		return Record{Member: audience.Member{ID: id}}, false, err
	}
	rec, _, err := decodeMemberHead(id, raw)
	return rec, err == nil, err
}

// ID is the id of the member with that ordinal; "" where there is none.
func ID(t *storage.Txn, ordinal uint32) (string, error) {
	raw, err := t.Get(storage.Key32(prefOrdinal, ordinal))
	return string(raw), err
}

// Replace writes the member of the head, which is encoded by audience.EncodeMember, under index and
// returns its ordinal: the one it had or, where it is not known, the next one. The caller has read
// the head, or that there is none, in this transaction.
func Replace(t *storage.Txn, head Record, known bool, encoded []byte, index uint64) (ordinal uint32, err error) {
	id := head.Member.ID
	if ordinal = head.Ordinal; !known {
		if ordinal, err = newOrdinal(t, id); err != nil {
			return 0, err
		}
	}
	raw := memberHead(ordinal, index, 0, len(encoded))
	return ordinal, t.Set(storage.Key(prefMember, id), append(raw, encoded...))
}

// Heads calls fn for the heads of members after the id after, by id, with the
// removed ones, until it returns false.
func Heads(t *storage.Txn, after string, fn func(Record) bool) error {
	var from []byte
	if after != "" {
		from = append(storage.Key(prefMember, after), 0)
	}
	return t.Scan(prefMember, from, func(k, v []byte) (bool, error) {
		head, _, err := decodeMemberHead(string(k[len(prefMember):]), v)
		return err == nil && fn(head), err
	})
}

// Remove leaves a tombstone; false where there is no live member.
func Remove(t *storage.Txn, id string, index uint64) (Record, bool, error) {
	head, known, err := Head(t, id)
	if err != nil || !known || head.Removed {
		return head, false, err
	}
	head.Removed = true
	return head, true, t.Set(storage.Key(prefMember, id), memberHead(head.Ordinal, index, flagRemoved, 0))
}

// Bury leaves a tombstone of index for an id that is no member now and may never
// have been one, but that an active import is still to bring.
func Bury(t *storage.Txn, id string, index uint64) error {
	head, known, err := Head(t, id)
	if err != nil {
		return err
	}
	if !known {
		if head.Ordinal, err = newOrdinal(t, id); err != nil {
			return err
		}
	}
	return t.Set(storage.Key(prefMember, id), memberHead(head.Ordinal, index, flagRemoved, 0))
}

// Erase takes the member's record and id away: under its ordinal stands from now on a tombstone of the
// pseudonym. False where there is no such member.
func Erase(t *storage.Txn, id, pseudonym string, index uint64) (Record, bool, error) {
	rec, known, err := Get(t, id)
	if err != nil || !known {
		return rec, false, err
	}
	if err := t.Delete(storage.Key(prefMember, id)); err != nil {
		return rec, false, err
	}
	if err := t.Set(storage.Key32(prefOrdinal, rec.Ordinal), []byte(pseudonym)); err != nil {
		return rec, false, err
	}
	return rec, true, t.Set(storage.Key(prefMember, pseudonym), memberHead(rec.Ordinal, index, flagRemoved, 0))
}

// NextOrdinal is the ordinal that the next new member gets.
func NextOrdinal(t *storage.Txn) (uint32, error) {
	raw, err := t.Get(keyOrdinal)
	if err != nil || raw == nil {
		return 0, err
	}
	if len(raw) != 4 {
		return 0, fmt.Errorf("%w: ordinal counter of %d bytes", storage.ErrDamaged, len(raw))
	}
	return binary.BigEndian.Uint32(raw), nil
}

func newOrdinal(t *storage.Txn, id string) (uint32, error) {
	n, err := NextOrdinal(t)
	if err != nil {
		return 0, err
	}
	if err := t.Set(storage.Key32(prefOrdinal, n), []byte(id)); err != nil {
		return 0, err
	}
	return n, t.Set(keyOrdinal, binary.BigEndian.AppendUint32(nil, n+1))
}

func memberHead(ordinal uint32, index uint64, flags byte, room int) []byte {
	b := make([]byte, 0, 2*binary.MaxVarintLen32+binary.MaxVarintLen64+room)
	b = binary.AppendUvarint(b, uint64(ordinal))
	b = binary.AppendUvarint(b, index)
	return append(b, flags)
}

func decodeMemberHead(id string, raw []byte) (rec Record, rest []byte, err error) {
	ordinal, n := binary.Uvarint(raw)
	if n <= 0 || ordinal > 1<<32-1 {
		return rec, nil, fmt.Errorf("%w: member %q: ordinal", storage.ErrDamaged, id)
	}
	index, m := binary.Uvarint(raw[n:])
	if m <= 0 || len(raw) < n+m+1 {
		return rec, nil, fmt.Errorf("%w: member %q: head", storage.ErrDamaged, id)
	}
	rec = Record{Ordinal: uint32(ordinal), Index: index, Removed: raw[n+m]&flagRemoved != 0}
	rec.Member.ID = id
	return rec, raw[n+m+1:], nil
}

func decodeMemberRecord(id string, raw []byte) (Record, error) {
	rec, rest, err := decodeMemberHead(id, raw)
	if err != nil || rec.Removed {
		return rec, err
	}
	if rec.Member, err = audience.DecodeMember(rest); err != nil {
		return rec, fmt.Errorf("%w: member %q: %w", storage.ErrDamaged, id, err)
	}
	return rec, nil
}
