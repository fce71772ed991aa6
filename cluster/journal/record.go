package journal

import (
	"encoding/binary"
	"hash/crc32"

	"almenara/cluster/fact"
)

// Layout of a segment, little endian: a header of 64 bytes, then records, each at
// a multiple of 8 bytes: length, CRC32C, payload. The checksum covers the segment's
// generation too, so that what an earlier use of the file left behind never passes
// for a record.
const (
	headerBytes   = 64
	recordHeader  = 8
	recordAlign   = 8
	maxRecord     = 512 << 10 // of a payload
	segmentMagic  = "ALMJRNL1"
	headerSummed  = 40 // bytes of the header under its checksum
	minimumRecord = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// header begins a segment. Floor is the highest sequence number of the node's own
// facts in Epoch when the segment was begun: it is never given again, even when
// every record is gone.
type header struct {
	Generation uint64 // grows with every use of a segment of the ring; never 0
	Epoch      uint64
	Floor      uint64
	Stream     fact.Stream
}

func (h header) encode() []byte {
	b := make([]byte, headerBytes)
	copy(b, segmentMagic)
	binary.LittleEndian.PutUint64(b[8:], h.Generation)
	binary.LittleEndian.PutUint64(b[16:], h.Epoch)
	binary.LittleEndian.PutUint64(b[24:], h.Floor)
	b[32] = byte(h.Stream)
	binary.LittleEndian.PutUint32(b[headerSummed:], crc32.Checksum(b[:headerSummed], castagnoli))
	return b
}

// decodeHeader returns false for a segment that was never used or whose header was
// torn; both are free.
func decodeHeader(b []byte, want fact.Stream) (header, bool) {
	if len(b) < headerBytes || string(b[:8]) != segmentMagic {
		return header{}, false
	}
	if crc32.Checksum(b[:headerSummed], castagnoli) != binary.LittleEndian.Uint32(b[headerSummed:]) {
		return header{}, false
	}
	h := header{
		Generation: binary.LittleEndian.Uint64(b[8:]), Epoch: binary.LittleEndian.Uint64(b[16:]),
		Floor: binary.LittleEndian.Uint64(b[24:]), Stream: fact.Stream(b[32]),
	}
	return h, h.Generation != 0 && h.Stream == want
}

func recordBytes(payload int) int64 {
	n := int64(recordHeader + payload)
	return (n + recordAlign - 1) / recordAlign * recordAlign
}

func recordSum(generation uint64, payload []byte) uint32 {
	var b [12]byte
	binary.LittleEndian.PutUint64(b[:], generation)
	binary.LittleEndian.PutUint32(b[8:], uint32(len(payload)))
	return crc32.Update(crc32.Checksum(b[:], castagnoli), castagnoli, payload)
}

// appendRecord adds the record of payload to b.
func appendRecord(b []byte, generation uint64, payload []byte) []byte {
	at := len(b)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(payload)))
	b = binary.LittleEndian.AppendUint32(b, recordSum(generation, payload))
	b = append(b, payload...)
	return append(b, make([]byte, recordBytes(len(payload))-int64(len(b)-at))...)
}

// decodeRecord reads the record at the beginning of b, which aliases the payload.
func decodeRecord(b []byte, generation uint64) (payload []byte, ok bool) {
	if len(b) < recordHeader {
		return nil, false
	}
	n := int64(binary.LittleEndian.Uint32(b))
	if n < minimumRecord || n > maxRecord || recordHeader+n > int64(len(b)) {
		return nil, false
	}
	payload = b[recordHeader : recordHeader+n]
	return payload, recordSum(generation, payload) == binary.LittleEndian.Uint32(b[4:])
}

// scan calls each for every record of a segment's content up to the first that is
// not whole, and returns where that is. damaged says that whole records follow
// after that place: it is no torn tail but lost data.
func scan(segment []byte, generation uint64, each func(at int64, payload []byte)) (end int64, damaged bool) {
	end = headerBytes
	for end < int64(len(segment)) {
		payload, ok := decodeRecord(segment[end:], generation)
		if !ok {
			break
		}
		each(end, payload)
		end += recordBytes(len(payload))
	}
	for at := end + recordAlign; at < int64(len(segment)); at += recordAlign {
		if _, ok := decodeRecord(segment[at:], generation); ok {
			return end, true
		}
	}
	return min(end, int64(len(segment))), false
}
