package receipt

import (
	"cmp"
	"strings"
)

// Blocks writes receipts as encoded blocks, each of one alert and within
// MaxReceipts and MaxEncoded. Receipts of one member for one revision are
// coalesced to what is highest: the first Presented and the first Acknowledged,
// whose times matter, and the last answer; or, before these, the highest rung and
// the end; and always the first Cancelled, which says who has stopped. No count of a Tally changes by it, but the times of the lower rungs are
// gone. The order and repetition of receipts do not show in the result.
//
// Receipts without an alert id or a rung are left out, and the error, which wraps
// ErrInvalid, tells of them; the blocks of all others are still returned.
func Blocks(receipts []Receipt) ([][]byte, error) {
	w := sorters.Get().(*sorter)
	defer w.done()
	err := w.take(receipts)
	w.sort()
	var blocks [][]byte
	for items := w.kept; len(items) > 0; {
		n := 1
		for n < len(items) && n < MaxReceipts && items[n].alert == items[0].alert {
			n++
		}
		blocks = appendBlocks(blocks, items[:n])
		items = items[n:]
	}
	return blocks, err
}

// appendBlocks halves what is too long. One receipt always fits.
func appendBlocks(blocks [][]byte, items []item) [][]byte {
	b := encode(middle(items), items)
	if len(b) <= MaxEncoded {
		return append(blocks, b)
	}
	half := len(items) / 2
	return appendBlocks(appendBlocks(blocks, items[:half]), items[half:])
}

func ofMember(x, y item) int {
	return cmp.Or(strings.Compare(string(x.alert), string(y.alert)),
		cmp.Compare(x.revision, y.revision), cmp.Compare(x.member, y.member))
}

// byMember orders by member, the highest rung last, of one rung the latest last.
func byMember(x, y item) int {
	return cmp.Or(ofMember(x, y), cmp.Compare(x.rung.rank(), y.rung.rank()),
		cmp.Compare(x.tick, y.tick), strings.Compare(x.answer, y.answer))
}

// appendKept chooses what to keep of one member's ladder, which is ordered by
// byMember.
func appendKept(kept, ladder []item) []item {
	var first [Refused + 1]int // place in ladder plus one
	var step, end Rung         // the highest of each kind
	answer := -1
	for i := range ladder {
		r := ladder[i].rung
		if first[r] == 0 {
			first[r] = i + 1
		}
		if r.Ends() {
			end = r // by rank, so the last one is the highest
		} else {
			step = r
		}
		if ladder[i].answer != "" {
			answer = i // the latest so far
		}
	}
	var chosen [4]item
	keep := chosen[:0]
	take := func(r Rung) {
		if first[r] > 0 {
			keep = append(keep, ladder[first[r]-1])
		}
	}
	if step >= Presented {
		take(Presented)
		take(Acknowledged)
		if answer >= 0 && answer != first[Acknowledged]-1 {
			keep = append(keep, ladder[answer])
		}
		take(Cancelled)
		return append(kept, keep...)
	}
	if !end.Implies(step) {
		take(step)
	}
	take(end)
	if end != Cancelled {
		take(Cancelled)
	}
	return append(kept, keep...)
}
