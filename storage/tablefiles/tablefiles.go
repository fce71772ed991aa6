// Package tablefiles looks at the files of a Badger database without Badger: before it is opened,
// because Badger passes over damage or ends the process, and beside it, because Badger would keep
// what it reads. It knows no key and no record, and imports nothing of ours.
package tablefiles

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"github.com/klauspost/compress/snappy"
	"google.golang.org/protobuf/proto"
)

// Check reads the end of every table that the manifest of a database names:
// lengths and the checksum of the index. Badger opens tables in goroutines of its own,
// where a damaged one ends the process, and passes over one whose index has a wrong
// checksum; so it must not see them. A table that the manifest does not name yet was being
// written when the power failed; its content is in a memtable's log or in older tables still,
// and Badger deletes it. Without a manifest it would delete all of them.
func Check(o badger.Options) error {
	paths, err := filepath.Glob(filepath.Join(o.Dir, "*.sst"))
	if err != nil {
		return err
	}
	named, err := manifest(o)
	if errors.Is(err, fs.ErrNotExist) && len(paths) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("manifest: %w", err)
	}
	for _, path := range paths {
		if id, ok := table.ParseFileID(path); !ok || !named[id] {
			continue
		}
		if err := checkTable(path); err != nil {
			return fmt.Errorf("table %s: %w", filepath.Base(path), err)
		}
	}
	return nil
}

// manifest reads which tables a database consists of.
func manifest(o badger.Options) (map[uint64]bool, error) {
	f, err := os.Open(filepath.Join(o.Dir, badger.ManifestFilename))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	m, _, err := badger.ReplayManifestFile(f, o.ExternalMagicVersion, o)
	named := map[uint64]bool{}
	for id := range m.Tables {
		named[id] = true
	}
	return named, err
}

// checkTable checks one table, which ends with: index, index length (4 bytes),
// checksum, checksum length (4 bytes).
func checkTable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = readIndex(f)
	return err
}

// readIndex reads the index of a table and checks it.
func readIndex(f *os.File) ([]byte, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	tail := tableTail{f: f, end: info.Size()}
	raw := tail.part("checksum")
	index := tail.part("index")
	if tail.err != nil {
		return nil, tail.err
	}
	var sum pb.Checksum
	if err := proto.Unmarshal(raw, &sum); err != nil {
		return nil, fmt.Errorf("checksum: %w", err)
	}
	if sum.Algo != pb.Checksum_CRC32C && sum.Algo != pb.Checksum_XXHash64 || len(index) == 0 {
		return nil, fmt.Errorf("checksum of kind %d over %d bytes", sum.Algo, len(index))
	}
	return index, y.VerifyChecksum(index, &sum)
}

// tableTail reads a file from its end.
type tableTail struct {
	f   *os.File
	end int64
	err error
}

// part takes the next part: its length is in the last 4 bytes.
func (t *tableTail) part(what string) []byte {
	n := t.take(4, what)
	if t.err != nil {
		return nil
	}
	return t.take(int64(binary.BigEndian.Uint32(n)), what)
}

func (t *tableTail) take(n int64, what string) []byte {
	if t.err != nil {
		return nil
	}
	if n > t.end {
		t.err = fmt.Errorf("%s of %d bytes where %d are left", what, n, t.end)
		return nil
	}
	t.end -= n
	b := make([]byte, n)
	if _, err := t.f.ReadAt(b, t.end); err != nil {
		t.err = fmt.Errorf("%s: %w", what, err)
	}
	return b
}

// Verify reads one table from its end, which says where its blocks are, and
// checks each of them. When ctx ends it returns its error within one block.
func Verify(ctx context.Context, path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	raw, err := readIndex(f)
	if err != nil {
		return err
	}
	var at fb.BlockOffset
	var packed, plain []byte // used again for each block
	for i, index := 0, fb.GetRootAsTableIndex(raw, 0); i < index.OffsetsLength(); i++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if !index.Offsets(&at, i) {
			return fmt.Errorf("block %d is not in the index", i)
		}
		packed = slices.Grow(packed[:0], int(at.Len()))[:at.Len()]
		if _, err := f.ReadAt(packed, int64(at.Offset())); err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
		if plain, err = snappy.Decode(plain[:cap(plain)], packed); err == nil {
			err = verifyBlock(plain)
		}
		if err != nil {
			return fmt.Errorf("block %d: %w", i, err)
		}
	}
	return nil
}

// verifyBlock checks one block, which ends with: checksum, checksum length (4 bytes).
func verifyBlock(block []byte) error {
	if len(block) < 4 {
		return fmt.Errorf("%d bytes", len(block))
	}
	end := len(block) - 4
	n := int64(binary.BigEndian.Uint32(block[end:]))
	if n > int64(end) {
		return fmt.Errorf("checksum of %d bytes where %d are left", n, end)
	}
	var sum pb.Checksum
	if err := proto.Unmarshal(block[end-int(n):end], &sum); err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	return y.VerifyChecksum(block[:end-int(n)], &sum)
}
