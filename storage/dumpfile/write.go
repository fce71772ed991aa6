// Package dumpfile is the format of dumps: writing and reading a header and frames of key and value,
// and a checksum. It knows no record, and imports nothing of ours.
package dumpfile

import (
	"bufio"
	"encoding/binary"
	"hash/crc32"
	"io"

	"github.com/klauspost/compress/zstd"
)

// A dump is the whole database at one raft index, for a node that is too far behind
// and for backups:
//
//	magic            8 bytes, "ALMDUMP" and the format's number: 1, or 2 where entries
//	                 of version 2 or above were applied, so that the software before
//	                 those versions refuses it
//	header length    4 bytes, big-endian
//	header           storage.Applied, canonical CBOR
//	body             zstd: frames {key length, value length (uvarint), key, value}
//	                 in strictly ascending key order; two zero bytes; the number of
//	                 frames (uvarint)
//	CRC              4 bytes, big-endian, CRC-32C over everything before
const (
	magic     = "ALMDUMP\x01"
	newMagic  = "ALMDUMP\x02"
	maxHeader = 64 << 10
	MaxKey    = 1 << 10 // bytes
	MaxValue  = 1 << 20 // bytes
	Trailer   = 4       // bytes of the CRC
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Write writes a dump: frames calls put for every record, in key order. newer is whether entries of
// version 2 or above were applied.
func Write(to io.Writer, header []byte, newer bool, frames func(put func(key, value []byte)) error) error {
	sum := crc32.New(castagnoli)
	w := io.MultiWriter(to, sum)
	if err := WriteHeader(w, header, newer); err != nil {
		return err
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	if err := writeFrames(z, frames); err != nil {
		z.Close()
		return err
	}
	if err := z.Close(); err != nil {
		return err
	}
	_, err = to.Write(binary.BigEndian.AppendUint32(nil, sum.Sum32()))
	return err
}

// WriteHeader writes what stands before the frames.
func WriteHeader(w io.Writer, header []byte, newer bool) error {
	begin := magic
	if newer {
		begin = newMagic
	}
	b := binary.BigEndian.AppendUint32([]byte(begin), uint32(len(header)))
	_, err := w.Write(append(b, header...))
	return err
}

func writeFrames(to io.Writer, frames func(put func(key, value []byte)) error) error {
	w := bufio.NewWriterSize(to, 64<<10)
	var n uint64
	err := frames(func(key, value []byte) {
		n++
		WriteFrame(w, key, value)
	})
	if err != nil {
		return err
	}
	w.Write([]byte{0, 0})
	w.Write(binary.AppendUvarint(nil, n))
	return w.Flush()
}

// WriteFrame writes one record as hashes and dumps have it: both lengths as
// uvarints, then key and value. Errors of a bufio.Writer stay until Flush.
func WriteFrame(w *bufio.Writer, k, v []byte) {
	var head [2 * binary.MaxVarintLen64]byte
	b := binary.AppendUvarint(head[:0], uint64(len(k)))
	b = binary.AppendUvarint(b, uint64(len(v)))
	w.Write(b)
	w.Write(k)
	w.Write(v)
}
