package factlog

import (
	"encoding/binary"
	"fmt"

	"almenara/storage"

	"github.com/RoaringBitmap/roaring/v2"
)

// Where the records lie; storage/keys.go has all keys.
var (
	prefAdoption = []byte("adp/")
	prefCAP      = []byte("cap/")
	prefTarget   = []byte("tgt/")
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

// Place is where an adopted fact stands in the log. The zero place is before all.
type Place struct {
	Index uint64 `cbor:"1,keyasint"` // raft index
	N     uint16 `cbor:"2,keyasint"` // within the entry
}

// Before orders places.
func (p Place) Before(o Place) bool { return p.Index < o.Index || p.Index == o.Index && p.N < o.N }

func (p Place) Key(prefix []byte) []byte {
	return binary.BigEndian.AppendUint16(storage.Key64(prefix, p.Index), p.N)
}

func PlaceOf(raw []byte) Place {
	return Place{Index: binary.BigEndian.Uint64(raw), N: binary.BigEndian.Uint16(raw[8:])}
}

// AdoptionAt reads the adopted message at p.
func AdoptionAt(t *storage.Txn, p Place) (Adoption, bool, error) {
	return storage.Load[Adoption](t, p.Key(prefAdoption))
}

// AdoptionsBefore calls fn for the messages that were adopted before p, the newest first,
// until it returns false; the zero place is all.
func AdoptionsBefore(t *storage.Txn, p Place, fn func(Adoption) (bool, error)) error {
	var from []byte
	if p != (Place{}) {
		from = p.Key(prefAdoption)
	}
	return t.ScanBack(prefAdoption, from, func(k, v []byte) (bool, error) {
		a, err := storage.Decode[Adoption](k, v)
		if err != nil {
			return false, err
		}
		return fn(a)
	})
}

// lastPlace is the place with which the last key with prefix ends; the zero place where there is none.
func lastPlace(t *storage.Txn, prefix []byte) (p Place, err error) {
	err = t.ScanBack(prefix, nil, func(k, _ []byte) (bool, error) {
		p = PlaceOf(k[len(prefix):])
		return false, nil
	})
	return p, err
}

// PutAdoption records that an alert message was adopted.
func PutAdoption(t *storage.Txn, a Adoption) error {
	k := binary.BigEndian.AppendUint16(storage.Key64(prefAdoption, a.Index), a.N)
	return storage.Save(t, k, a)
}

// Adoptions reads all adopted alert messages in log order.
func Adoptions(t *storage.Txn) ([]Adoption, error) {
	return storage.List[Adoption](t, prefAdoption, nil, 0, nil)
}

// PutCAPMark records who owns a CAP triplet.
func PutCAPMark(t *storage.Txn, triplet string, m CAPMark) error {
	return storage.Save(t, storage.Key(prefCAP, triplet), m)
}

// PutTarget records whom a revision addressed.
func PutTarget(t *storage.Txn, alert string, revision uint64, g Target) error {
	return storage.Save(t, storage.AlertKey(prefTarget, alert, revision), g)
}

// TargetOf reads whom a revision addressed; false where nothing was recorded.
func TargetOf(t *storage.Txn, alert string, revision uint64) (Target, bool, error) {
	return storage.Load[Target](t, storage.AlertKey(prefTarget, alert, revision))
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
