package storage

import (
	"encoding/binary"
	"fmt"
)

// ReceiptBlock is one stored receipt block.
type ReceiptBlock struct {
	Alert  string // alert.ID, 26 letters
	Index  uint64 // raft index that adopted it
	N      uint16 // within the entry
	Signed []byte // fact.Signed.Encode of the block's fact, as it was adopted
}

const alertIDLen = 26

func receiptKey(alert string, index uint64, n uint16) []byte {
	return binary.BigEndian.AppendUint16(alertKey(prefReceipt, alert, index), n)
}

// PutReceiptBlock stores a block unchanged and returns its key for PutFact.
func PutReceiptBlock(t *Txn, b ReceiptBlock) ([]byte, error) {
	if len(b.Alert) != alertIDLen {
		return nil, fmt.Errorf("%w: receipt block of alert %q", ErrDamaged, b.Alert)
	}
	k := receiptKey(b.Alert, b.Index, b.N)
	return k, t.set(k, b.Signed)
}

// ReceiptBlocks calls fn for the blocks of one alert adopted at index from or later,
// in log order, until fn returns false. Signed is valid during the call only.
func ReceiptBlocks(t *Txn, alert string, from uint64, fn func(ReceiptBlock) (bool, error)) error {
	return t.scan(key(prefReceipt, alert), receiptKey(alert, from, 0), func(k, v []byte) (bool, error) {
		b, err := parseReceiptKey(k)
		if err != nil {
			return false, err
		}
		b.Signed = v
		return fn(b)
	})
}

// ReceiptAlerts lists the alerts that have receipt blocks.
func ReceiptAlerts(t *Txn) ([]string, error) {
	var out []string
	from := prefReceipt
	for {
		var found string
		err := t.scan(prefReceipt, from, func(k, _ []byte) (bool, error) {
			b, err := parseReceiptKey(k)
			found = b.Alert
			return false, err
		})
		if err != nil || found == "" {
			return out, err
		}
		out = append(out, found)
		from = receiptKey(found, 1<<64-1, 1<<16-1)
		from = append(from, 0)
	}
}

func parseReceiptKey(k []byte) (ReceiptBlock, error) {
	rest := k[len(prefReceipt):]
	if len(rest) != alertIDLen+8+2 {
		return ReceiptBlock{}, fmt.Errorf("%w: receipt key %q", ErrDamaged, k)
	}
	return ReceiptBlock{
		Alert: string(rest[:alertIDLen]),
		Index: binary.BigEndian.Uint64(rest[alertIDLen:]),
		N:     binary.BigEndian.Uint16(rest[alertIDLen+8:]),
	}, nil
}
