package originals

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
)

// Archive is the messages of one folder as a backup has them: one after the other, each
// with its SHA-256, its length in 4 bytes and its bytes.
type Archive struct {
	Size   int64
	reader io.Reader
	close  func()
}

// Read implements io.Reader. A message that is damaged on the disk ends the reading with an
// error; it counts as absent then, so that another try leaves it out.
func (a *Archive) Read(p []byte) (int, error) { return a.reader.Read(p) }

// Close lets the messages be removed again. It may be called more than once.
func (a *Archive) Close() error {
	a.close()
	return nil
}

// archiveHead is what stands before each message.
const archiveHead = sha256.Size + 4

// ErrArchive is returned for bytes that are no archive, or whose messages are not what they
// are called.
var ErrArchive = errors.New("not a good archive of originals")

// Archive lists what is on this node's disk now, and keeps it there until the archive is
// closed.
func (k *Keeper) Archive() *Archive {
	a, sums := k.store.archive()
	for _, sum := range sums {
		k.pin(sum, 1)
	}
	closed := false
	a.close = func() {
		if closed {
			return
		}
		closed = true
		for _, sum := range sums {
			k.unpin(sum)
		}
	}
	return a
}

// unpin lets a message go that was there before, named or not: the next sweep decides.
func (k *Keeper) unpin(sum Sum) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.pinned[sum]--; k.pinned[sum] <= 0 {
		delete(k.pinned, sum)
	}
}

// ArchiveFolder is the archive of a folder of a node that is not running.
func ArchiveFolder(dir string) (*Archive, error) {
	s, err := openStore(dir)
	if err != nil {
		return nil, err
	}
	a, _ := s.archive()
	return a, nil
}

func (s *store) archive() (*Archive, []Sum) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a := &Archive{close: func() {}}
	var sums []Sum
	for sum := range s.have {
		sums = append(sums, sum)
	}
	slices.SortFunc(sums, func(x, y Sum) int { return bytes.Compare(x[:], y[:]) })
	readers := make([]io.Reader, len(sums))
	for i, sum := range sums {
		size := s.have[sum]
		a.Size += archiveHead + size
		readers[i] = &archived{store: s, sum: sum, size: size}
	}
	a.reader = io.MultiReader(readers...)
	return a, sums
}

// archived reads one message when its turn comes.
type archived struct {
	store *store
	sum   Sum
	size  int64
	rest  *bytes.Reader
}

func (m *archived) Read(p []byte) (int, error) {
	if m.rest == nil {
		b, err := m.store.get(m.sum)
		if err == nil && int64(len(b)) != m.size {
			err = fmt.Errorf("%w: it has %d bytes of %d", ErrAbsent, len(b), m.size)
		}
		if err != nil {
			return 0, fmt.Errorf("reading the original %s: %w", m.sum, err)
		}
		head := binary.BigEndian.AppendUint32(bytes.Clone(m.sum[:]), uint32(len(b)))
		m.rest = bytes.NewReader(append(head, b...))
	}
	return m.rest.Read(p)
}

// ReadArchive calls take for each message of an archive, each held against its SHA-256, and
// returns how many there are. Every fault of the bytes is ErrArchive.
func ReadArchive(r io.Reader, take func(Sum, []byte) error) (n int, err error) {
	for ; ; n++ {
		var head [archiveHead]byte
		switch _, err := io.ReadFull(r, head[:]); {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, fmt.Errorf("%w: message %d: %w", ErrArchive, n+1, err)
		}
		sum, _ := sumOf(head[:sha256.Size])
		size := binary.BigEndian.Uint32(head[sha256.Size:])
		if size == 0 || size > MaxBytes {
			return n, fmt.Errorf("%w: message %d has %d bytes", ErrArchive, n+1, size)
		}
		b := make([]byte, size)
		if _, err := io.ReadFull(r, b); err != nil {
			return n, fmt.Errorf("%w: message %d: %w", ErrArchive, n+1, err)
		}
		if sha256.Sum256(b) != sum {
			return n, fmt.Errorf("%w: message %d is not %s", ErrArchive, n+1, sum)
		}
		if err := take(sum, b); err != nil {
			return n, err
		}
	}
}

// Unpack puts the messages of an archive into a folder. On return they are durable; it may be
// repeated.
func Unpack(dir string, r io.Reader) error {
	s, err := openStore(dir)
	if err != nil {
		return err
	}
	_, err = ReadArchive(r, s.put)
	return err
}
