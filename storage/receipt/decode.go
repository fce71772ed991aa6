package receipt

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"unicode/utf8"

	"almenara/storage/alert"
)

// ErrMalformed is wrapped by every error of DecodeBlock and Tally.UnmarshalBinary.
var ErrMalformed = errors.New("receipts are malformed")

// DecodeBlock reads what Encode wrote, and nothing else: for every block that it
// accepts, Encode gives the same bytes again. It allocates in proportion to the
// input, which is at most MaxEncoded, and never panics on foreign bytes.
func DecodeBlock(b []byte) (Block, error) {
	if len(b) > MaxEncoded {
		return Block{}, fmt.Errorf("%w: block of %d bytes, at most %d", ErrMalformed, len(b), MaxEncoded)
	}
	r := &reader{rest: b}
	if v := r.byte(); v != blockVersion {
		r.fail("unknown version")
	}
	base := int64(r.upTo(maxTick, "base"))
	var items []item
	for r.err == nil && (len(r.rest) > 0 || len(items) == 0) {
		items = r.group(base, items)
	}
	if r.err != nil {
		return Block{}, fmt.Errorf("decoding receipt block at byte %d: %w", len(b)-len(r.rest), r.err)
	}
	block := Block{Base: timeOf(base), Receipts: make([]Receipt, len(items))}
	for i := range items {
		block.Receipts[i] = items[i].receipt()
	}
	return block, nil
}

func (x *item) receipt() Receipt {
	return Receipt{
		Alert: x.alert, Revision: x.revision, Member: x.member, Rung: x.rung,
		At: timeOf(x.tick), Answer: x.answer,
	}
}

// group reads one group behind those that are there.
func (r *reader) group(base int64, items []item) []item {
	x := item{alert: r.alert(), revision: alert.Revision(r.uvarint()), rung: Rung(r.byte())}
	if !x.rung.valid() {
		r.fail("rung does not exist")
	}
	if n := len(items); n > 0 && groupOrder(items[n-1], x) >= 0 {
		r.fail("groups are not in order")
	}
	count := r.upTo(uint64(MaxReceipts-len(items)), "number of receipts")
	if count == 0 {
		r.fail("group is empty")
	}
	for i := uint64(0); i < count && r.err == nil; i++ {
		before := x
		x.member += uint32(r.upTo(uint64(math.MaxUint32-x.member), "member"))
		x.tick = r.tick(base)
		if x.rung == Acknowledged {
			x.answer = r.text(MaxAnswer)
		}
		if i > 0 && memberOrder(before, x) >= 0 {
			r.fail("members are not in order")
		}
		items = append(items, x)
	}
	return items
}

// reader takes apart foreign bytes. After the first error every read gives zero.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(what string) {
	if r.err == nil {
		r.err = fmt.Errorf("%w: %s", ErrMalformed, what)
	}
}

func (r *reader) bytes(n int) []byte {
	if r.err == nil && n > len(r.rest) {
		r.fail("it ends too early")
	}
	if r.err != nil {
		return nil
	}
	out := r.rest[:n]
	r.rest = r.rest[n:]
	return out
}

func (r *reader) byte() byte {
	if b := r.bytes(1); len(b) == 1 {
		return b[0]
	}
	return 0
}

// uvarint reads the shortest form only, so that every number has one spelling.
func (r *reader) uvarint() uint64 {
	if r.err != nil {
		return 0
	}
	v, n := binary.Uvarint(r.rest)
	if n <= 0 || (n > 1 && r.rest[n-1] == 0) {
		r.fail("number is not a shortest varint")
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *reader) upTo(limit uint64, what string) uint64 {
	v := r.uvarint()
	if v > limit {
		r.fail(what + " is out of range")
		return 0
	}
	return v
}

// tick reads a zigzag offset from base.
func (r *reader) tick(base int64) int64 {
	u := r.upTo(2*maxTick+1, "time")
	tick := base + (int64(u>>1) ^ -int64(u&1))
	if tick < 0 || tick > maxTick {
		r.fail("time is out of range")
		return 0
	}
	return tick
}

func (r *reader) text(limit int) string {
	n := int(r.byte())
	if n > limit {
		r.fail("text is too long")
	}
	s := string(r.bytes(n))
	if !utf8.ValidString(s) {
		r.fail("text is not UTF-8")
	}
	return s
}

func (r *reader) alert() alert.ID {
	s := r.bytes(idLen)
	if r.err != nil {
		return ""
	}
	id, err := alert.ParseID(string(s))
	if err != nil {
		r.fail(err.Error())
	}
	return id
}
