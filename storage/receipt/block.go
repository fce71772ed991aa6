package receipt

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"almenara/storage/alert"
)

// The bounds of one block.
const (
	MaxReceipts = 2000
	MaxEncoded  = 64 << 10 // bytes

	// Resolution is the precision of times in a block; finer digits are cut off.
	Resolution = 100 * time.Millisecond
)

// ErrTooLarge is returned by Encode for more than MaxReceipts or MaxEncoded.
var ErrTooLarge = errors.New("receipt block is too large")

const (
	blockVersion = 1
	idLen        = 26                // an alert id as text
	maxTick      = 2_534_023_007_999 // the end of the year 9999, in units of Resolution since 1970
)

// Block is what receipts travel and are kept in: the audit record of DESIGN.md §5.
type Block struct {
	// Base is the time from which the others are counted; any value is right, one
	// in the middle of the receipts is short. Zero lets Encode choose.
	Base     time.Time
	Receipts []Receipt
}

// Alert is the alert of a block that has receipts of one alert only, as Blocks
// makes them; false for an empty or mixed block.
func (b Block) Alert() (alert.ID, bool) {
	if len(b.Receipts) == 0 {
		return "", false
	}
	id := b.Receipts[0].Alert
	for i := range b.Receipts {
		if b.Receipts[i].Alert != id {
			return "", false
		}
	}
	return id, true
}

// Encode writes the block: sorted, repetitions left out, times cut to Resolution
// and into the years 1970 to 9999, answers cut to MaxAnswer and left out where they
// do not belong. Equal sets of receipts with equal Base give equal bytes. It
// returns ErrTooLarge beyond the bounds, and an error that wraps ErrInvalid for an
// empty block or a receipt without an alert or a rung.
//
// The layout is a version byte and the base (uvarint, units of Resolution since
// 1970), then to the end groups of one alert, revision and rung, each ascending:
//
//	alert (26 letters), revision (uvarint), rung (byte), count (uvarint), count times:
//	  member (uvarint, from the previous one), time (zigzag varint, from the base),
//	  and for acknowledged the answer (length byte, UTF-8)
func (b Block) Encode() ([]byte, error) {
	items, err := itemsOf(b.Receipts)
	if err != nil {
		return nil, err
	}
	if len(items) == 0 {
		return nil, fmt.Errorf("%w: block without receipts", ErrInvalid)
	}
	if len(items) > MaxReceipts {
		return nil, fmt.Errorf("%w: %d receipts, at most %d", ErrTooLarge, len(items), MaxReceipts)
	}
	base := middle(items)
	if !b.Base.IsZero() {
		base = tickOf(b.Base)
	}
	out := encode(base, items)
	if len(out) > MaxEncoded {
		return nil, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(out), MaxEncoded)
	}
	return out, nil
}

// item is a receipt in the form in which it is written.
type item struct {
	alert    alert.ID
	revision alert.Revision
	rung     Rung
	member   uint32
	tick     int64
	answer   string
}

func itemsOf(receipts []Receipt) ([]item, error) {
	items := make([]item, 0, len(receipts))
	var checked alert.ID // nearly always all are of one alert
	for i := range receipts {
		r := &receipts[i]
		if r.Alert != checked || !r.Rung.valid() {
			if err := writable(r.Alert, r.Rung); err != nil {
				return nil, err
			}
			checked = r.Alert
		}
		items = append(items, itemOf(r))
	}
	slices.SortFunc(items, inOrder)
	return slices.Compact(items), nil
}

func itemOf(r *Receipt) item {
	return item{r.Alert, r.Revision, r.Rung, r.Member, tickOf(r.At), answerOf(r)}
}

// groupOrder orders by what items of one group share.
func groupOrder(x, y item) int {
	return cmp.Or(strings.Compare(string(x.alert), string(y.alert)),
		cmp.Compare(x.revision, y.revision), cmp.Compare(x.rung, y.rung))
}

func sameGroup(x, y *item) bool {
	return x.rung == y.rung && x.revision == y.revision && x.alert == y.alert
}

func memberOrder(x, y item) int {
	return cmp.Or(cmp.Compare(x.member, y.member), cmp.Compare(x.tick, y.tick), strings.Compare(x.answer, y.answer))
}

func inOrder(x, y item) int { return cmp.Or(groupOrder(x, y), memberOrder(x, y)) }

// tickOf counts t in units of Resolution since 1970, kept within what is written.
func tickOf(t time.Time) int64 {
	switch seconds := t.Unix(); {
	case seconds < 0:
		return 0
	case seconds > maxTick/10:
		return maxTick
	default:
		return t.UnixMilli() / Resolution.Milliseconds()
	}
}

func timeOf(tick int64) time.Time { return time.UnixMilli(tick * Resolution.Milliseconds()).UTC() }

// answerOf is the answer as far as it can be written.
func answerOf(r *Receipt) string {
	if r.Rung != Acknowledged || r.Answer == "" {
		return ""
	}
	s := strings.ToValidUTF8(r.Answer, "\uFFFD")
	if len(s) <= MaxAnswer {
		return s
	}
	end := MaxAnswer
	for !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end]
}

// middle is the median time: one device with a wild clock must not make every
// other offset long.
func middle(items []item) int64 {
	ticks, same := make([]int64, len(items)), true
	for i := range items {
		ticks[i] = items[i].tick
		same = same && ticks[i] == ticks[0]
	}
	if !same {
		slices.Sort(ticks)
	}
	return ticks[len(ticks)/2]
}

func encode(base int64, items []item) []byte {
	out := make([]byte, 0, 64+5*len(items))
	out = append(out, blockVersion)
	out = binary.AppendUvarint(out, uint64(base))
	for len(items) > 0 {
		first := items[0]
		n := 1
		for n < len(items) && sameGroup(&first, &items[n]) {
			n++
		}
		out = append(out, first.alert...)
		out = binary.AppendUvarint(out, uint64(first.revision))
		out = append(out, byte(first.rung))
		out = binary.AppendUvarint(out, uint64(n))
		out = appendMembers(out, base, items[:n])
		items = items[n:]
	}
	return out
}

func appendMembers(out []byte, base int64, group []item) []byte {
	var last uint32
	for i := range group {
		x := &group[i]
		out = binary.AppendUvarint(out, uint64(x.member-last))
		out = binary.AppendVarint(out, x.tick-base)
		if x.rung == Acknowledged {
			out = append(out, byte(len(x.answer)))
			out = append(out, x.answer...)
		}
		last = x.member
	}
	return out
}
