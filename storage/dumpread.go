package storage

import (
	"bytes"
	"fmt"
	"io"

	"github.com/fxamacker/cbor/v2"

	"almenara/storage/dumpfile"
)

// CheckDump reads a dump of size bytes from start to end: magic, CRC, every frame and
// their order. It is what an install does before it touches anything.
func CheckDump(r io.ReadSeeker, size int64) (Applied, error) {
	return ReadDump(r, size, func(_, _ []byte) error { return nil })
}

// ReadDump is CheckDump that calls fn for every frame, once the CRC is right; key and value are
// valid during the call only. fn's error ends it.
func ReadDump(r io.ReadSeeker, size int64, fn func(key, value []byte) error) (Applied, error) {
	if err := dumpfile.CheckSum(r, size); err != nil {
		return Applied{}, err
	}
	return readDump(r, size, fn)
}

// readDump is ReadDump without the CRC.
func readDump(r io.ReadSeeker, size int64, fn func(key, value []byte) error) (applied Applied, err error) {
	d, err := dumpfile.Open(r, size)
	if err != nil {
		return applied, err
	}
	if err := cbor.Unmarshal(d.Header, &applied); err != nil {
		return applied, fmt.Errorf("%w: header: %w", dumpfile.ErrDump, err)
	}
	return applied, d.Frames(reserved, fn)
}

// reserved are the keys that are in no dump: Badger's own, and how far the database has come,
// which is the header.
func reserved(key []byte) bool {
	return bytes.Equal(key, keyApplied) || bytes.HasPrefix(key, []byte("!badger!"))
}
