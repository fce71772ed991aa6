package dumpfile

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
)

// ErrDump is returned for bytes that are not a whole, unaltered dump of a known
// format.
var ErrDump = errors.New("not a good dump")

// CheckSum compares the CRC of a dump of size bytes. ErrDump says that it differs.
func CheckSum(r io.ReadSeeker, size int64) error {
	if size < int64(len(magic))+Trailer {
		return fmt.Errorf("%w: %d bytes are too few", ErrDump, size)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	if _, err := io.CopyN(sum, r, size-Trailer); err != nil {
		return fmt.Errorf("%w: reading: %w", ErrDump, err)
	}
	var want [Trailer]byte
	if _, err := io.ReadFull(r, want[:]); err != nil {
		return fmt.Errorf("%w: reading: %w", ErrDump, err)
	}
	if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
		return fmt.Errorf("%w: CRC differs", ErrDump)
	}
	return nil
}

// Reader reads a dump. It never panics on foreign bytes, and allocates no more than a few MiB.
type Reader struct {
	Header []byte
	in     *bufio.Reader
}

// Open reads the header of a dump of size bytes.
func Open(r io.ReadSeeker, size int64) (*Reader, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	in := bufio.NewReaderSize(io.LimitReader(r, size-Trailer), 64<<10)
	header, err := readHeader(in)
	if err != nil {
		return nil, err
	}
	return &Reader{Header: header, in: in}, nil
}

// Frames calls fn for every frame, once; key and value are valid during the call only. Keys that
// are reserved may not be in a dump. fn's error ends it.
func (d *Reader) Frames(reserved func(key []byte) bool, fn func(key, value []byte) error) error {
	z, err := zstd.NewReader(d.in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return err
	}
	defer z.Close()
	return readFrames(bufio.NewReaderSize(z, 64<<10), reserved, fn)
}

func readHeader(in io.Reader) ([]byte, error) {
	var fixed [len(magic) + 4]byte
	if _, err := io.ReadFull(in, fixed[:]); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrDump, err)
	}
	if begin := string(fixed[:len(magic)]); begin != magic && begin != newMagic {
		return nil, fmt.Errorf("%w: unknown format %q", ErrDump, fixed[:len(magic)])
	}
	n := binary.BigEndian.Uint32(fixed[len(magic):])
	if n > maxHeader {
		return nil, fmt.Errorf("%w: header of %d bytes", ErrDump, n)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(in, header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrDump, err)
	}
	return header, nil
}

// readFrames reads frames up to the end mark and the count, and nothing after it.
func readFrames(in *bufio.Reader, reserved func(key []byte) bool, fn func(key, value []byte) error) error {
	var key, value, last []byte
	for n := uint64(0); ; n++ {
		klen, vlen, err := readFrameHead(in)
		if err != nil {
			return fmt.Errorf("%w: frame %d: %w", ErrDump, n, err)
		}
		if klen == 0 {
			return readFramesEnd(in, n, vlen)
		}
		if key, err = readInto(in, key, klen); err != nil {
			return fmt.Errorf("%w: frame %d: %w", ErrDump, n, err)
		}
		if value, err = readInto(in, value, vlen); err != nil {
			return fmt.Errorf("%w: frame %d: %w", ErrDump, n, err)
		}
		if bytes.Compare(last, key) >= 0 || reserved(key) {
			return fmt.Errorf("%w: frame %d: key %q is out of place", ErrDump, n, key)
		}
		last = append(last[:0], key...)
		if err := fn(key, value); err != nil {
			return err
		}
	}
}

func readFrameHead(in *bufio.Reader) (klen, vlen uint64, err error) {
	if klen, err = binary.ReadUvarint(in); err != nil {
		return 0, 0, err
	}
	if vlen, err = binary.ReadUvarint(in); err != nil {
		return 0, 0, err
	}
	if klen > MaxKey || vlen > MaxValue {
		return 0, 0, fmt.Errorf("key of %d bytes, value of %d", klen, vlen)
	}
	return klen, vlen, nil
}

func readFramesEnd(in *bufio.Reader, n, vlen uint64) error {
	count, err := binary.ReadUvarint(in)
	if err != nil || vlen != 0 || count != n {
		return fmt.Errorf("%w: %d frames where %d were said", ErrDump, n, count)
	}
	if _, err := in.ReadByte(); err != io.EOF {
		return fmt.Errorf("%w: bytes after the end", ErrDump)
	}
	return nil
}

func readInto(in io.Reader, buf []byte, n uint64) ([]byte, error) {
	if uint64(cap(buf)) < n {
		buf = make([]byte, n)
	}
	buf = buf[:n]
	_, err := io.ReadFull(in, buf)
	return buf, err
}
