// Package backup writes and reads the one file that holds a district: the agreed state
// as a dump, the CAP messages that are too large for it, the keys without which it is nobody's, and a digest over everything. It
// holds secrets and is not encrypted: whoever has the file can become the district.
//
// The layout, numbers big-endian:
//
//	magic            8 bytes, "ALMBACK" and the format's number: 1, or 2 where there are originals
//	header length    4 bytes
//	header           Header, CBOR
//	secrets          Secrets, CBOR; its length is in the header
//	dump             storage.Dump; its length is in the header
//	originals        originals.Archive; its length is in the header
//	digest           SHA-256 over everything before
package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/fxamacker/cbor/v2"

	"almenara/node/originals"
	"almenara/storage"
	"almenara/storage/audit"
)

const (
	magic      = "ALMBACK\x01" // without originals, which older software reads
	magicTwo   = "ALMBACK\x02"
	maxHeader  = 64 << 10
	maxSecrets = 1 << 20
	digestSize = sha256.Size
)

// ErrBackup is returned for bytes that are not a whole, unaltered backup of a known
// format.
var ErrBackup = errors.New("not a good backup")

// Header says what a backup is of. Nothing in it is secret.
type Header struct {
	Created     int64  `cbor:"1,keyasint"` // ms since 1970, by the clock of the node
	District    string `cbor:"2,keyasint"` // id
	Name        string `cbor:"3,keyasint"` // of the district
	Node        string `cbor:"4,keyasint"` // server id of the node that wrote it
	NodeName    string `cbor:"5,keyasint"`
	Incarnation uint64 `cbor:"6,keyasint"`
	Index       uint64 `cbor:"7,keyasint"` // last raft entry in it
	Program     string `cbor:"8,keyasint"` // version of the software that wrote it
	SecretsSize uint64 `cbor:"9,keyasint"`
	DumpSize    uint64 `cbor:"10,keyasint"`

	OriginalsSize uint64 `cbor:"11,keyasint,omitempty"`
}

// Secrets are what makes the state this district's.
type Secrets struct {
	District  []byte `cbor:"1,keyasint"`           // identity.District.Marshal: authority and root key
	Statement string `cbor:"2,keyasint,omitempty"` // identity.Incarnation.Text
	Token     string `cbor:"3,keyasint,omitempty"` // of the first administrator, where the node still has it
}

var decoding, _ = cbor.DecOptions{
	DupMapKey: cbor.DupMapKeyEnforcedAPF, MaxArrayElements: 16, MaxMapPairs: 64, MaxNestedLevels: 4,
	IndefLength: cbor.IndefLengthForbidden,
}.DecMode()

// Part is a part of a backup, and how many bytes of it there will be.
type Part struct {
	io.Reader
	Size int64
}

// NewReader gives the backup's bytes and how many there will be. The sizes in h are
// filled in. It reads from dump and messages, the originals, and the caller closes those afterwards.
func NewReader(h Header, s Secrets, dump, messages Part) (io.Reader, int64, error) {
	secrets, err := cbor.Marshal(s)
	if err != nil {
		return nil, 0, fmt.Errorf("encoding backup: %w", err)
	}
	h.SecretsSize, h.DumpSize = uint64(len(secrets)), uint64(dump.Size)
	first := magic
	if h.OriginalsSize = uint64(messages.Size); messages.Size > 0 {
		first = magicTwo
	}
	header, err := cbor.Marshal(h)
	if err != nil {
		return nil, 0, fmt.Errorf("encoding backup: %w", err)
	}
	front := binary.BigEndian.AppendUint32([]byte(first), uint32(len(header)))
	front = append(append(front, header...), secrets...)
	sum := sha256.New()
	body := io.TeeReader(io.MultiReader(bytes.NewReader(front), dump.limited(), messages.limited()), sum)
	return io.MultiReader(body, &trailer{sum: sum}), int64(len(front)) + dump.Size + messages.Size + digestSize, nil
}

// limited is the part as far as its size; the zero part is empty.
func (p Part) limited() io.Reader {
	if p.Reader == nil {
		return bytes.NewReader(nil)
	}
	return io.LimitReader(p.Reader, p.Size)
}

// trailer yields the digest of what was read before it.
type trailer struct {
	sum  hash.Hash
	rest *bytes.Reader
}

// Read implements io.Reader.
func (t *trailer) Read(p []byte) (int, error) {
	if t.rest == nil {
		t.rest = bytes.NewReader(t.sum.Sum(nil))
	}
	return t.rest.Read(p)
}

// File is a backup whose bytes were all read and found good.
type File struct {
	Header
	Secrets Secrets
	Dump    *io.SectionReader
	Applied storage.Applied // of the dump
	Audit   uint64          // lines of its audit chain, which is whole

	Originals *io.SectionReader // an originals.Archive
	Messages  int               // in it
}

// Open reads a backup of size bytes from start to end: digest, lengths, every record
// of the dump and the audit chain in it. Whatever is wrong is ErrBackup, in one
// sentence. progress may be nil; it is told how many bytes were read.
func Open(r io.ReaderAt, size int64, progress func(int64)) (*File, error) {
	if size < int64(len(magic))+4+digestSize {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrBackup, size)
	}
	f := &File{}
	at, err := f.readFront(r, size)
	if err != nil {
		return nil, err
	}
	if err := checkDigest(r, size, progress); err != nil {
		return nil, err
	}
	secrets := make([]byte, f.SecretsSize)
	if _, err := r.ReadAt(secrets, at); err != nil {
		return nil, fmt.Errorf("%w: reading its keys: %w", ErrBackup, err)
	}
	if err := decoding.Unmarshal(secrets, &f.Secrets); err != nil {
		return nil, fmt.Errorf("%w: its keys cannot be read: %w", ErrBackup, err)
	}
	f.Dump = io.NewSectionReader(r, at+int64(f.SecretsSize), int64(f.DumpSize))
	report, err := audit.VerifyDump(f.Dump, f.Dump.Size())
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	if report.Applied.Index != f.Index {
		return nil, fmt.Errorf("%w: it says entry %d and holds entry %d", ErrBackup, f.Index, report.Applied.Index)
	}
	f.Applied, f.Audit = report.Applied, report.AuditLines
	f.Originals = io.NewSectionReader(r, at+int64(f.SecretsSize)+int64(f.DumpSize), int64(f.OriginalsSize))
	if f.Messages, err = originals.ReadArchive(f.Originals, func(originals.Sum, []byte) error { return nil }); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBackup, err)
	}
	return f, nil
}

// readFront reads magic and header and says where the secrets begin.
func (f *File) readFront(r io.ReaderAt, size int64) (at int64, err error) {
	var fixed [len(magic) + 4]byte
	if _, err := r.ReadAt(fixed[:], 0); err != nil {
		return 0, fmt.Errorf("%w: reading it: %w", ErrBackup, err)
	}
	if first := string(fixed[:len(magic)]); first != magic && first != magicTwo {
		return 0, fmt.Errorf("%w: it begins with %q", ErrBackup, fixed[:len(magic)])
	}
	n := int64(binary.BigEndian.Uint32(fixed[len(magic):]))
	at = int64(len(fixed)) + n
	if n > maxHeader || at+digestSize > size {
		return 0, fmt.Errorf("%w: header of %d bytes", ErrBackup, n)
	}
	raw := make([]byte, n)
	if _, err := r.ReadAt(raw, int64(len(fixed))); err != nil {
		return 0, fmt.Errorf("%w: reading it: %w", ErrBackup, err)
	}
	if err := decoding.Unmarshal(raw, &f.Header); err != nil {
		return 0, fmt.Errorf("%w: its header cannot be read: %w", ErrBackup, err)
	}
	if f.SecretsSize > maxSecrets || f.DumpSize > 1<<50 || f.OriginalsSize > 1<<50 {
		return 0, fmt.Errorf("%w: parts of %d, %d and %d bytes", ErrBackup, f.SecretsSize, f.DumpSize, f.OriginalsSize)
	}
	if whole := at + int64(f.SecretsSize) + int64(f.DumpSize) + int64(f.OriginalsSize) + digestSize; whole != size {
		return 0, fmt.Errorf("%w: it has %d bytes of %d", ErrBackup, size, whole)
	}
	return at, nil
}

func checkDigest(r io.ReaderAt, size int64, progress func(int64)) error {
	sum := sha256.New()
	in := io.Reader(io.NewSectionReader(r, 0, size-digestSize))
	if progress != nil {
		in = &counting{r: in, tell: progress}
	}
	if _, err := io.Copy(sum, in); err != nil {
		return fmt.Errorf("%w: reading it: %w", ErrBackup, err)
	}
	var want [digestSize]byte
	if _, err := r.ReadAt(want[:], size-digestSize); err != nil {
		return fmt.Errorf("%w: reading it: %w", ErrBackup, err)
	}
	if !bytes.Equal(want[:], sum.Sum(nil)) {
		return fmt.Errorf("%w: its digest differs; it was altered or damaged", ErrBackup)
	}
	return nil
}

// counting tells how much was read.
type counting struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	c.tell(c.n)
	return n, err
}
