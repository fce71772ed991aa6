package fact

import (
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"io"
	"os"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// disk is files in memory that lose at crash what was not synced.
type disk struct {
	mu       sync.Mutex
	files    map[string]*diskFile
	syncs    int
	noSync   bool // Sync does nothing and says nothing: the guard taken away
	failSync error
	hold     chan struct{} // non-nil: Sync waits for it
}

type diskFile struct {
	d            *disk
	live, stable []byte
}

func newDisk() *disk { return &disk{files: map[string]*diskFile{}} }

func (d *disk) open(path string, size int64) (file, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	f := d.files[path]
	if f == nil {
		f = &diskFile{d: d, live: make([]byte, size), stable: make([]byte, size)}
		d.files[path] = f
	}
	return f, nil
}

// crash forgets what was not synced.
func (d *disk) crash() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, f := range d.files {
		f.live = append([]byte(nil), f.stable...)
	}
}

func (f *diskFile) ReadAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if n := copy(b, f.live[min(at, int64(len(f.live))):]); n < len(b) {
		return n, io.EOF
	}
	return len(b), nil
}

func (f *diskFile) WriteAt(b []byte, at int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if at+int64(len(b)) > int64(len(f.live)) {
		return 0, errors.New("no space left on device")
	}
	return copy(f.live[at:], b), nil
}

func (f *diskFile) Sync() error {
	f.d.mu.Lock()
	hold := f.d.hold
	f.d.mu.Unlock()
	if hold != nil {
		<-hold
	}
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.d.syncs++
	if f.d.failSync != nil {
		return f.d.failSync
	}
	if !f.d.noSync {
		copy(f.stable, f.live)
	}
	return nil
}

func (f *diskFile) Close() error { return nil }

// author is a node that signs.
func author(name string) Signer {
	seed := sha256.Sum256([]byte(name))
	return Signer{Origin: name, KeyID: "key-" + name, Key: ed25519.NewKeyFromSeed(seed[:])}
}

func keysOf(names ...string) func(string, string) (ed25519.PublicKey, bool) {
	return func(keyID, origin string) (ed25519.PublicKey, bool) {
		for _, n := range names {
			if n == origin && keyID == "key-"+n {
				return author(n).Key.Public().(ed25519.PublicKey), true
			}
		}
		return nil, false
	}
}

func (s Signer) fact(t testing.TB, stream Stream, epoch, seq uint64, body string) (Signed, Fact) {
	t.Helper()
	f := Fact{Kind: KindAlert, Stream: stream, Origin: s.Origin, Epoch: epoch, Seq: seq, HLC: 1 << 16, Body: []byte(body)}
	signed, err := Sign(f, s.KeyID, s.Key)
	require.NoError(t, err)
	return signed, f
}

// journalOptions are a small ring: 4 segments of 4 KiB per stream.
func journalOptions(t testing.TB, d *disk) JournalOptions {
	o := JournalOptions{Dir: t.TempDir(), Origin: "self", AlertsBytes: 16 << 10, ReceiptsBytes: 16 << 10, SegmentBytes: 4 << 10}
	if d != nil {
		o.open = d.open
	}
	return o
}

func openJournal(t testing.TB, o JournalOptions) *Journal {
	t.Helper()
	j, err := OpenJournal(o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = j.Close() })
	return j
}

// record makes one own fact.
func record(t testing.TB, j *Journal, body string) Fact {
	t.Helper()
	f, err := tryWrite(t, j, body)
	require.NoError(t, err)
	return f
}

func tryWrite(t testing.TB, j *Journal, body string) (made Fact, err error) {
	err = j.appendOwn(Alerts, func(epoch, seq uint64) (Signed, Fact, error) {
		s, f := author("self").fact(t, Alerts, epoch, seq, body)
		made = f
		return s, f, nil
	})
	return made, err
}

// bodies are the contents of one lane above seq.
func bodies(t testing.TB, j *Journal, origin string, epoch, seq uint64) []string {
	t.Helper()
	facts, err := j.After(origin, Alerts, epoch, seq, 1000)
	require.NoError(t, err)
	var b []string
	for _, s := range facts {
		f, err := s.Fact()
		require.NoError(t, err)
		seq++
		require.Equal(t, seq, f.Seq)
		b = append(b, string(f.Body))
	}
	return b
}

func mustRead(t testing.TB, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	require.NoError(t, err)
	return b
}
