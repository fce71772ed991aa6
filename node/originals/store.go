// Package originals keeps the CAP messages that are too large for a fact: each is a
// file, named by its SHA-256, on every node of the district. A node acts by the fact
// alone; the files are for those who want the message as its sender wrote it.
package originals

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"almenara/storage/alert"
	"almenara/storage/durable"
)

// Sum is the SHA-256 of a message's bytes: the name of its file.
type Sum [sha256.Size]byte

// String is the sum in hex.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// sumOf reads what String wrote, and what a fact says.
func sumOf(b []byte) (s Sum, ok bool) { return s, copy(s[:], b) == len(s) && len(b) == len(s) }

// ErrAbsent is returned for a message that is not on this node's disk, or whose file
// does not hold what it should: that one is removed, to be fetched again.
var ErrAbsent = errors.New("the original is not on this node")

// partSuffix marks what has been fetched so far of a message.
const partSuffix = ".part"

// store is the folder of one node. Its methods may be called from any goroutine.
type store struct {
	dir string

	mu   sync.Mutex    // guards have
	have map[Sum]int64 // bytes of each file
}

// openStore makes the folder where it is missing, and removes what a crash left half
// written; parts of messages stay.
func openStore(dir string) (*store, error) {
	if err := durable.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("opening the originals: %w", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("opening the originals: %w", err)
	}
	s := &store{dir: dir, have: map[Sum]int64{}}
	for _, e := range entries {
		name := strings.TrimSuffix(e.Name(), partSuffix)
		raw, err := hex.DecodeString(name)
		sum, ok := sumOf(raw)
		info, infoErr := e.Info()
		switch {
		case err != nil || !ok || infoErr != nil || !e.Type().IsRegular():
			_ = os.Remove(filepath.Join(dir, e.Name())) // of durable.WriteFile
		case name == e.Name():
			s.have[sum] = info.Size()
		}
	}
	return s, nil
}

func (s *store) path(sum Sum) string { return filepath.Join(s.dir, sum.String()) }

// put makes a message durable: on return its bytes and its name are on this disk.
func (s *store) put(sum Sum, b []byte) error {
	if s.has(sum) {
		return nil
	}
	if err := durable.WriteFile(s.path(sum), b); err != nil {
		return fmt.Errorf("keeping an original: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.have[sum] = int64(len(b))
	return nil
}

func (s *store) has(sum Sum) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.have[sum]
	return ok
}

// get reads a message and holds it against its name.
func (s *store) get(sum Sum) ([]byte, error) {
	if !s.has(sum) {
		return nil, ErrAbsent
	}
	b, err := os.ReadFile(s.path(sum))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("reading an original: %w", err)
	}
	if err != nil || sha256.Sum256(b) != sum {
		s.remove(sum)
		return nil, fmt.Errorf("%w: its file was damaged", ErrAbsent)
	}
	return b, nil
}

// remove deletes a message and what was fetched of it. A file that cannot be deleted is
// forgotten all the same, and found again at the next start.
func (s *store) remove(sum Sum) {
	_ = os.Remove(s.path(sum))
	_ = os.Remove(s.path(sum) + partSuffix)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.have, sum)
}

// chunk reads up to chunkBytes from an offset on.
func (s *store) chunk(sum Sum, offset int64) ([]byte, error) {
	if !s.has(sum) {
		return nil, ErrAbsent
	}
	f, err := os.Open(s.path(sum))
	if err != nil {
		return nil, fmt.Errorf("reading an original: %w", err)
	}
	defer func() { _ = f.Close() }()
	b := make([]byte, chunkBytes)
	n, err := f.ReadAt(b, offset)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("reading an original: %w", err)
	}
	return b[:n], nil
}

// part is what has been fetched of a message, at most size bytes.
func (s *store) part(sum Sum, size int64) []byte {
	b, err := os.ReadFile(s.path(sum) + partSuffix)
	if err != nil || int64(len(b)) > size {
		return nil
	}
	return b
}

// keepPart keeps what was fetched for the next try, also after a restart. It is not
// flushed: what a power cut takes is fetched again, and the sum decides in the end.
func (s *store) keepPart(sum Sum, b []byte) { _ = os.WriteFile(s.path(sum)+partSuffix, b, 0o600) }

func (s *store) dropPart(sum Sum) { _ = os.Remove(s.path(sum) + partSuffix) }

// files lists what is there, parts too, with the time of its last change.
func (s *store) files() map[Sum]time.Time {
	out := map[Sum]time.Time{}
	entries, _ := os.ReadDir(s.dir)
	for _, e := range entries {
		raw, _ := hex.DecodeString(strings.TrimSuffix(e.Name(), partSuffix))
		sum, ok := sumOf(raw)
		info, err := e.Info()
		if ok && err == nil && info.ModTime().After(out[sum]) {
			out[sum] = info.ModTime()
		}
	}
	return out
}

// check reads every file; what is damaged is removed.
func (s *store) check() (damaged int) {
	s.mu.Lock()
	sums := make([]Sum, 0, len(s.have))
	for sum := range s.have {
		sums = append(sums, sum)
	}
	s.mu.Unlock()
	for _, sum := range sums {
		if _, err := s.get(sum); errors.Is(err, ErrAbsent) {
			damaged++
		}
	}
	return damaged
}

// MaxBytes bounds one message.
const MaxBytes = alert.MaxMessageBytes
