package tallies

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"almenara/storage"
)

// checkpointHead says where the newest whole checkpoint of one alert's tally is.
type checkpointHead struct {
	Index  uint64 `cbor:"1,keyasint"` // every block up to this raft index is in it
	Pieces uint32 `cbor:"2,keyasint"`
	CRC    uint32 `cbor:"3,keyasint"` // CRC-32C over all pieces
}

// checkpointPiece bounds one value of a checkpoint in bytes.
const checkpointPiece = 256 << 10

var checkpointTable = crc32.MakeTable(crc32.Castagnoli)

func checkpointKey(alert string, index uint64, piece uint32) []byte {
	return binary.BigEndian.AppendUint32(storage.AlertKey(storage.PrefCheck, alert, index), piece)
}

// saveCheckpoint keeps the tally of one alert as it was at a raft index. It is
// written in pieces, in transactions of their own, and counts only once its head is
// written with the last of them; the one before is then deleted. It is derived from
// the blocks: losing it costs time at the next start, nothing else.
func saveCheckpoint(s *storage.Store, alert string, index uint64, data []byte) error {
	head := checkpointHead{Index: index, CRC: crc32.Checksum(data, checkpointTable)}
	for ; len(data) > 0; head.Pieces++ {
		piece := data[:min(len(data), checkpointPiece)]
		data = data[len(piece):]
		err := s.Update(func(t *storage.Txn) error { return t.Set(checkpointKey(alert, index, head.Pieces), piece) })
		if err != nil {
			return fmt.Errorf("saving checkpoint of %s: %w", alert, err)
		}
	}
	err := s.Update(func(t *storage.Txn) error {
		old, known, err := storage.Load[checkpointHead](t, storage.Key(storage.PrefCheck, alert))
		if err != nil {
			return err
		}
		for n := uint32(0); known && old.Index != index && n < old.Pieces; n++ {
			if err := t.Delete(checkpointKey(alert, old.Index, n)); err != nil {
				return err
			}
		}
		return storage.Save(t, storage.Key(storage.PrefCheck, alert), head)
	})
	if err != nil {
		return fmt.Errorf("saving checkpoint of %s: %w", alert, err)
	}
	return nil
}

// LastCheckpoint reads the newest checkpoint of one alert's tally and the index that it
// includes; nil where there is none, or none that is whole.
func LastCheckpoint(t *storage.Txn, alert string) (data []byte, index uint64, err error) {
	head, known, err := storage.Load[checkpointHead](t, storage.Key(storage.PrefCheck, alert))
	if err != nil || !known {
		return nil, 0, err
	}
	for n := range head.Pieces {
		piece, err := t.Get(checkpointKey(alert, head.Index, n))
		if err != nil {
			return nil, 0, err
		}
		data = append(data, piece...)
	}
	if crc32.Checksum(data, checkpointTable) != head.CRC {
		return nil, 0, nil
	}
	return data, head.Index, nil
}
