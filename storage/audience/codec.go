package audience

import (
	"encoding/binary"
	"errors"

	"almenara/storage/audience/geometry"
)

// ErrBadRecord is what DecodeMember returns for bytes that EncodeMember did not
// write.
var ErrBadRecord = errors.New("the bytes are not a member's record")

// memberVersion begins every record. A node that meets another one must stop.
const memberVersion = 1

// hasLocation is the flag that two 32-bit coordinates follow.
const hasLocation = 1

// EncodeMember writes the member compactly; equal members give equal bytes on
// every machine. Nothing is checked: see Validate.
func EncodeMember(m *Member) []byte { return AppendMember(nil, m) }

// AppendMember appends what EncodeMember writes to dst.
func AppendMember(dst []byte, m *Member) []byte {
	if m.Location == nil {
		dst = append(dst, memberVersion, 0)
	} else {
		dst = append(dst, memberVersion, hasLocation)
		dst = binary.LittleEndian.AppendUint32(dst, uint32(m.Location.Lat))
		dst = binary.LittleEndian.AppendUint32(dst, uint32(m.Location.Lon))
	}
	dst = AppendStrings(dst, m.ID, m.Name, string(m.Kind), string(m.Place))
	dst = binary.AppendUvarint(dst, uint64(len(m.Tags)))
	for _, tag := range m.Tags {
		dst = AppendStrings(dst, tag.Name, tag.Value)
	}
	dst = binary.AppendUvarint(dst, uint64(len(m.Languages)))
	dst = AppendStrings(dst, m.Languages...)
	dst = binary.AppendUvarint(dst, uint64(len(m.Endpoints)))
	for _, endpoint := range m.Endpoints {
		dst = AppendStrings(dst, endpoint.Channel, endpoint.Address)
	}
	return dst
}

// AppendStrings appends each text behind its length in bytes, a varint.
func AppendStrings(dst []byte, texts ...string) []byte {
	for _, s := range texts {
		dst = binary.AppendUvarint(dst, uint64(len(s)))
		dst = append(dst, s...)
	}
	return dst
}

// DecodeMember reads what EncodeMember wrote; the result does not alias b. Any
// other bytes, also a second spelling of the same member, are ErrBadRecord. What
// it returns has not been validated.
func DecodeMember(b []byte) (Member, error) {
	d := decoder{text: string(b)}
	m := Member{Location: d.header()}
	m.ID, m.Name, m.Kind, m.Place = d.str(), d.str(), Kind(d.str()), Path(d.str())
	if n := d.count(2); n > 0 {
		m.Tags = make([]Tag, n)
		for i := range m.Tags {
			m.Tags[i] = Tag{d.str(), d.str()}
		}
	}
	if n := d.count(1); n > 0 {
		m.Languages = make([]string, n)
		for i := range m.Languages {
			m.Languages[i] = d.str()
		}
	}
	if n := d.count(2); n > 0 {
		m.Endpoints = make([]Endpoint, n)
		for i := range m.Endpoints {
			m.Endpoints[i] = Endpoint{d.str(), d.str()}
		}
	}
	if d.bad || d.at != len(d.text) {
		return Member{}, ErrBadRecord
	}
	return m, nil
}

// decoder cuts substrings out of one copy of the record: one allocation for all
// of its texts. Once bad, it returns zero values.
type decoder struct {
	text string
	at   int
	bad  bool
}

// header reads version, flags and coordinates.
func (d *decoder) header() *geometry.Point {
	if len(d.text) < 2 || d.text[0] != memberVersion || d.text[1] > hasLocation {
		d.bad = true
		return nil
	}
	if d.at = 2; d.text[1] == 0 {
		return nil
	}
	if len(d.text) < 10 {
		d.bad = true
		return nil
	}
	d.at = 10
	return &geometry.Point{Lat: d.int32(2), Lon: d.int32(6)}
}

func (d *decoder) int32(at int) int32 {
	t := d.text[at : at+4]
	return int32(uint32(t[0]) | uint32(t[1])<<8 | uint32(t[2])<<16 | uint32(t[3])<<24)
}

// uvarint reads a number of at most 21 bits in its shortest form: no length in a
// record is longer.
func (d *decoder) uvarint() int {
	value := 0
	for shift := 0; shift < 21 && d.at < len(d.text); shift += 7 {
		c := d.text[d.at]
		d.at++
		value |= int(c&0x7f) << shift
		if c < 0x80 {
			d.bad = d.bad || c == 0 && shift > 0
			return value
		}
	}
	d.bad = true
	return 0
}

// count reads how many items of at least size bytes follow, so that a lying count
// cannot make the decoder allocate more than a few times the input.
func (d *decoder) count(size int) int {
	n := d.uvarint()
	if d.bad || n*size > len(d.text)-d.at {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) str() string {
	n := d.uvarint()
	if d.bad || n > len(d.text)-d.at {
		d.bad = true
		return ""
	}
	s := d.text[d.at : d.at+n]
	d.at += n
	return s
}
