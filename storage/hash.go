package storage

import (
	"bufio"
	"bytes"
	"crypto/sha256"

	"almenara/storage/dumpfile"
)

// Hash is SHA-256 over all agreed records in key order: equal on every replica at
// the same raft index. The applied index is left out because barriers move it
// without a trace in the data, tally checkpoints because each replica makes its own,
// and answers to requests because their words may differ between versions.
func (t *Txn) Hash() (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	w := bufio.NewWriterSize(h, 64<<10)
	err = t.Scan(nil, nil, func(k, v []byte) (bool, error) {
		if bytes.Equal(k, keyApplied) || bytes.HasPrefix(k, PrefCheck) || bytes.HasPrefix(k, PrefResult) {
			return true, nil
		}
		dumpfile.WriteFrame(w, k, v)
		return true, nil
	})
	if err == nil {
		err = w.Flush()
	}
	h.Sum(sum[:0])
	return sum, err
}
