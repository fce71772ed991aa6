package storage

import (
	"encoding/binary"
	"fmt"

	"github.com/RoaringBitmap/roaring/v2"
)

// Adoption is one alert message as it got its place in the log.
type Adoption struct {
	Index    uint64 `cbor:"1,keyasint"` // raft index
	N        uint16 `cbor:"2,keyasint"` // within the entry
	FactID   []byte `cbor:"3,keyasint"`
	Alert    string `cbor:"4,keyasint"` // alert.ID of the chain
	Revision uint64 `cbor:"5,keyasint"`
	At       int64  `cbor:"6,keyasint"` // ms since 1970, from the command
}

// CAPMark says which fact owns a CAP triplet, and what its content was.
type CAPMark struct {
	FactID []byte `cbor:"1,keyasint"`
	Digest []byte `cbor:"2,keyasint"` // of the message's content
	Alert  string `cbor:"3,keyasint"`
}

// Target is whom one revision of an alert addressed when it was adopted: the fixed
// denominator of every count.
type Target struct {
	Count   uint64      `cbor:"1,keyasint"`
	Kinds   []KindCount `cbor:"2,keyasint,omitempty"` // by kind, sorted
	Members []byte      `cbor:"3,keyasint"`           // roaring bitmap of ordinals, portable format
}

// KindCount is how many addressed members are of one kind.
type KindCount struct {
	Kind  string `cbor:"1,keyasint"`
	Count uint64 `cbor:"2,keyasint"`
}

// PutAdoption records that an alert message was adopted.
func PutAdoption(t *Txn, a Adoption) error {
	k := binary.BigEndian.AppendUint16(key64(prefAdoption, a.Index), a.N)
	return save(t, k, a)
}

// Adoptions reads all adopted alert messages in log order.
func Adoptions(t *Txn) ([]Adoption, error) {
	return list[Adoption](t, prefAdoption, nil, 0, nil)
}

// PutCAPMark records who owns a CAP triplet.
func PutCAPMark(t *Txn, triplet string, m CAPMark) error {
	return save(t, key(prefCAP, triplet), m)
}

// PutTarget records whom a revision addressed.
func PutTarget(t *Txn, alert string, revision uint64, g Target) error {
	return save(t, alertKey(prefTarget, alert, revision), g)
}

// TargetOf reads whom a revision addressed; false where nothing was recorded.
func TargetOf(t *Txn, alert string, revision uint64) (Target, bool, error) {
	return load[Target](t, alertKey(prefTarget, alert, revision))
}

// EncodeBitmap writes b so that equal sets give equal bytes, whatever the history
// of the bitmap: replicas that were restarted differ in their containers. b is not
// changed.
func EncodeBitmap(b *roaring.Bitmap) ([]byte, error) {
	c := b.Clone()
	c.RunOptimize()
	raw, err := c.ToBytes()
	if err != nil {
		return nil, fmt.Errorf("encoding bitmap: %w", err)
	}
	return raw, nil
}

// DecodeBitmap reads what EncodeBitmap wrote into memory of its own, and checks it.
func DecodeBitmap(raw []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	if len(raw) == 0 {
		return b, nil
	}
	if err := b.UnmarshalBinary(raw); err != nil {
		return nil, fmt.Errorf("decoding bitmap: %w", err)
	}
	if err := b.Validate(); err != nil {
		return nil, fmt.Errorf("decoding bitmap: %w", err)
	}
	return b, nil
}
