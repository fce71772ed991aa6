package factlog

import (
	"encoding/binary"
	"fmt"

	"almenara/storage"
)

var prefReceipt = []byte("rcp/")

// ReceiptBlock is one stored receipt block.
type ReceiptBlock struct {
	Alert  string // alert.ID, 26 letters
	Index  uint64 // raft index that adopted it
	N      uint16 // within the entry
	Signed []byte // fact.Signed.Encode of the block's fact
}

const AlertIDLen = 26

func receiptKey(alert string, index uint64, n uint16) []byte {
	return binary.BigEndian.AppendUint16(storage.AlertKey(prefReceipt, alert, index), n)
}

// PutReceiptBlock stores a block, or what is left of it in its place, and returns its key for Put.
func PutReceiptBlock(t *storage.Txn, b ReceiptBlock) ([]byte, error) {
	if len(b.Alert) != AlertIDLen {
		return nil, fmt.Errorf("%w: receipt block of alert %q", storage.ErrDamaged, b.Alert)
	}
	k := receiptKey(b.Alert, b.Index, b.N)
	return k, t.Set(k, b.Signed)
}

// ReceiptBlocks calls fn for the blocks of one alert adopted at index from or later,
// in log order, until fn returns false. Signed is valid during the call only.
func ReceiptBlocks(t *storage.Txn, alert string, from uint64, fn func(ReceiptBlock) (bool, error)) error {
	return t.Scan(storage.Key(prefReceipt, alert), receiptKey(alert, from, 0), func(k, v []byte) (bool, error) {
		b, err := parseReceiptKey(k)
		if err != nil {
			return false, err
		}
		b.Signed = v
		return fn(b)
	})
}

// ReceiptBlocksAfter calls fn for the blocks of all alerts, by alert and then in log order, after the place of one,
// the zero one for all, until fn returns false. Signed is valid during the call only.
func ReceiptBlocksAfter(t *storage.Txn, after ReceiptBlock, fn func(ReceiptBlock) (bool, error)) error {
	from := prefReceipt
	if after.Alert != "" {
		from = append(receiptKey(after.Alert, after.Index, after.N), 0)
	}
	return t.Scan(prefReceipt, from, func(k, v []byte) (bool, error) {
		b, err := parseReceiptKey(k)
		if err != nil {
			return false, err
		}
		b.Signed = v
		return fn(b)
	})
}

func parseReceiptKey(k []byte) (ReceiptBlock, error) {
	rest := k[len(prefReceipt):]
	if len(rest) != AlertIDLen+8+2 {
		return ReceiptBlock{}, fmt.Errorf("%w: receipt key %q", storage.ErrDamaged, k)
	}
	return ReceiptBlock{
		Alert: string(rest[:AlertIDLen]),
		Index: binary.BigEndian.Uint64(rest[AlertIDLen:]),
		N:     binary.BigEndian.Uint16(rest[AlertIDLen+8:]),
	}, nil
}

// LastReceipt is where the last receipt block of the alert was adopted; the zero place
// where there is none.
func LastReceipt(t *storage.Txn, alert string) (p Place, err error) {
	return lastPlace(t, storage.Key(prefReceipt, alert))
}
