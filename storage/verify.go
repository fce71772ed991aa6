package storage

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"

	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTables reads the end of every table in a database directory: lengths and the
// checksum of the index. Badger opens tables in goroutines of its own, where a
// damaged one ends the process, and passes over one whose index has a wrong checksum;
// so it must not see them.
func checkTables(dir string) error {
	tables, err := filepath.Glob(filepath.Join(dir, "*.sst"))
	if err != nil {
		return err
	}
	for _, path := range tables {
		if err := checkTable(path); err != nil {
			return fmt.Errorf("%w: table %s: %w", ErrDamaged, filepath.Base(path), err)
		}
	}
	return nil
}

// checkTable checks one table, which ends with: index, index length (4 bytes),
// checksum, checksum length (4 bytes).
func checkTable(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	tail := tableTail{f: f, end: info.Size()}
	raw := tail.part("checksum")
	index := tail.part("index")
	if tail.err != nil {
		return tail.err
	}
	var sum pb.Checksum
	if err := proto.Unmarshal(raw, &sum); err != nil {
		return fmt.Errorf("checksum: %w", err)
	}
	if sum.Algo != pb.Checksum_CRC32C && sum.Algo != pb.Checksum_XXHash64 || len(index) == 0 {
		return fmt.Errorf("checksum of kind %d over %d bytes", sum.Algo, len(index))
	}
	return y.VerifyChecksum(index, &sum)
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

// Verify reads every block of every table and checks its checksum: some 2 s per GB,
// more on slow media. Badger's reads take a damaged block for absent records, so a
// node should verify after its start and daily, and stop on ErrDamaged. A dump is
// preceded by it.
func (s *Store) Verify() (err error) {
	h, err := s.acquire()
	if err != nil {
		return err
	}
	defer s.release(h)
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: verifying: %v", ErrDamaged, r)
		}
	}()
	if err := h.db.VerifyChecksum(); err != nil {
		return fmt.Errorf("%w: verifying: %w", ErrDamaged, err)
	}
	return nil
}
