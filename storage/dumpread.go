package storage

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
)

// ErrDump is returned for bytes that are not a whole, unaltered dump of a known
// format.
var ErrDump = errors.New("not a good dump")

const dumpTrailer = 4

// CheckDump reads a dump of size bytes from start to end: magic, CRC, every frame and
// their order. It is what an install does before it touches anything.
func CheckDump(r io.ReadSeeker, size int64) (Applied, error) {
	return ReadDump(r, size, func(_, _ []byte) error { return nil })
}

// ReadDump is CheckDump that calls fn for every frame, once the CRC is right; key and value are
// valid during the call only. fn's error ends it.
func ReadDump(r io.ReadSeeker, size int64, fn func(key, value []byte) error) (Applied, error) {
	if err := checkDumpSum(r, size); err != nil {
		return Applied{}, err
	}
	return readDump(r, size, fn)
}

// checkDumpSum compares the CRC.
func checkDumpSum(r io.ReadSeeker, size int64) error {
	if size < int64(len(dumpMagic))+dumpTrailer {
		return fmt.Errorf("%w: %d bytes are too few", ErrDump, size)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	sum := crc32.New(castagnoli)
	if _, err := io.CopyN(sum, r, size-dumpTrailer); err != nil {
		return fmt.Errorf("%w: reading: %w", ErrDump, err)
	}
	var want [dumpTrailer]byte
	if _, err := io.ReadFull(r, want[:]); err != nil {
		return fmt.Errorf("%w: reading: %w", ErrDump, err)
	}
	if binary.BigEndian.Uint32(want[:]) != sum.Sum32() {
		return fmt.Errorf("%w: CRC differs", ErrDump)
	}
	return nil
}

// readDump is ReadDump without the CRC.
// It never panics on foreign bytes, and allocates no more than a few MiB.
func readDump(r io.ReadSeeker, size int64, fn func(key, value []byte) error) (Applied, error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return Applied{}, err
	}
	in := bufio.NewReaderSize(io.LimitReader(r, size-dumpTrailer), 64<<10)
	applied, err := readDumpHeader(in)
	if err != nil {
		return applied, err
	}
	z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(8<<20))
	if err != nil {
		return applied, err
	}
	defer z.Close()
	return applied, readFrames(bufio.NewReaderSize(z, 64<<10), fn)
}

func readDumpHeader(in io.Reader) (a Applied, err error) {
	var fixed [len(dumpMagic) + 4]byte
	if _, err := io.ReadFull(in, fixed[:]); err != nil {
		return a, fmt.Errorf("%w: header: %w", ErrDump, err)
	}
	if magic := string(fixed[:len(dumpMagic)]); magic != dumpMagic && magic != dumpMagic2 {
		return a, fmt.Errorf("%w: unknown format %q", ErrDump, fixed[:len(dumpMagic)])
	}
	n := binary.BigEndian.Uint32(fixed[len(dumpMagic):])
	if n > maxDumpHeader {
		return a, fmt.Errorf("%w: header of %d bytes", ErrDump, n)
	}
	header := make([]byte, n)
	if _, err := io.ReadFull(in, header); err != nil {
		return a, fmt.Errorf("%w: header: %w", ErrDump, err)
	}
	if err := cbor.Unmarshal(header, &a); err != nil {
		return a, fmt.Errorf("%w: header: %w", ErrDump, err)
	}
	return a, nil
}

// readFrames reads frames up to the end mark and the count, and nothing after it.
func readFrames(in *bufio.Reader, fn func(key, value []byte) error) error {
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
		if bytes.Compare(last, key) >= 0 || bytes.Equal(key, keyApplied) || bytes.HasPrefix(key, badgerPrefix) {
			return fmt.Errorf("%w: frame %d: key %q is out of place", ErrDump, n, key)
		}
		last = append(last[:0], key...)
		if err := fn(key, value); err != nil {
			return err
		}
	}
}

// badgerPrefix begins the keys that Badger keeps for itself.
var badgerPrefix = []byte("!badger!")

func readFrameHead(in *bufio.Reader) (klen, vlen uint64, err error) {
	if klen, err = binary.ReadUvarint(in); err != nil {
		return 0, 0, err
	}
	if vlen, err = binary.ReadUvarint(in); err != nil {
		return 0, 0, err
	}
	if klen > maxDumpKey || vlen > maxDumpValue {
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
