package receipt

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"sync"

	"almenara/storage/alert"
)

// sorter is the memory in which Blocks orders and coalesces receipts. Nearly always
// they are of one alert, revision and rung, with one receipt of each member: then all
// that is sorted is a list of numbers.
type sorter struct {
	items  []item            // as they came
	groups []cohort          // of items
	places map[cohortKey]int // of groups
	ladder []item            // of one member
	kept   []item            // what is left, in the order of a block
	rungs  [Refused + 1]int
	spare  []item
}

// cohort is the receipts of one revision.
type cohort struct {
	cohortKey
	index []uint64 // member and place in items, in one number
}

type cohortKey struct {
	alert    alert.ID
	revision alert.Revision
}

func (k cohortKey) compare(other cohortKey) int {
	return cmp.Or(strings.Compare(string(k.alert), string(other.alert)), cmp.Compare(k.revision, other.revision))
}

var sorters = sync.Pool{New: func() any { return &sorter{places: map[cohortKey]int{}} }}

// done gives the memory back, without what it holds.
func (w *sorter) done() {
	for _, items := range [][]item{w.items, w.ladder, w.kept, w.spare} {
		clear(items[:cap(items)]) // alert ids and answers
	}
	for i := range w.groups {
		w.groups[i].cohortKey = cohortKey{}
	}
	clear(w.places)
	w.items, w.groups, w.ladder, w.kept, w.spare = w.items[:0], w.groups[:0], w.ladder[:0], w.kept[:0], w.spare[:0]
	sorters.Put(w)
}

// take sorts the receipts into groups, and tells of those that cannot be written.
func (w *sorter) take(receipts []Receipt) error {
	var refused []error
	var checked alert.ID
	at := -1 // the group of the last one, and most likely of the next
	for i := range receipts {
		r := &receipts[i]
		if r.Alert != checked || !r.Rung.valid() {
			if err := writable(r.Alert, r.Rung); err != nil {
				refused = append(refused, err)
				continue
			}
			checked = r.Alert
		}
		if at < 0 || w.groups[at].revision != r.Revision || w.groups[at].alert != r.Alert {
			at = w.group(r)
		}
		g := &w.groups[at]
		g.index = append(g.index, uint64(r.Member)<<32|uint64(len(w.items)))
		w.items = append(w.items, itemOf(r))
	}
	return errors.Join(refused...)
}

// group finds the receipt's group, or begins it.
func (w *sorter) group(r *Receipt) int {
	key := cohortKey{r.Alert, r.Revision}
	at, known := w.places[key]
	if !known {
		at = len(w.groups)
		w.places[key] = at
		w.groups = slices.Grow(w.groups, 1)[:at+1] // takes an old group's memory again
		w.groups[at].cohortKey, w.groups[at].index = key, w.groups[at].index[:0]
	}
	return at
}

// sort fills kept.
func (w *sorter) sort() {
	slices.SortFunc(w.groups, func(x, y cohort) int { return x.compare(y.cohortKey) })
	for i := range w.groups {
		begin := len(w.kept)
		slices.Sort(w.groups[i].index)
		w.coalesce(w.groups[i].index)
		w.byRung(w.kept[begin:])
	}
}

// coalesce appends what is kept of each member.
func (w *sorter) coalesce(index []uint64) {
	for len(index) > 0 {
		n := 1
		for n < len(index) && index[n]>>32 == index[0]>>32 {
			n++
		}
		if n == 1 {
			w.kept = append(w.kept, w.items[uint32(index[0])])
		} else {
			w.ladder = w.ladder[:0]
			for _, at := range index[:n] {
				w.ladder = append(w.ladder, w.items[uint32(at)])
			}
			slices.SortFunc(w.ladder, byMember)
			w.kept = appendKept(w.kept, slices.Compact(w.ladder))
		}
		index = index[n:]
	}
}

// byRung orders items of one group, which are in order of members, by rung first.
func (w *sorter) byRung(items []item) {
	clear(w.rungs[:])
	for i := range items {
		w.rungs[items[i].rung]++
	}
	if len(items) == 0 || w.rungs[items[0].rung] == len(items) {
		return
	}
	w.spare = append(w.spare[:0], items...)
	at := 0
	for r, n := range w.rungs {
		w.rungs[r], at = at, at+n
	}
	for i := range w.spare {
		x := &w.spare[i]
		items[w.rungs[x.rung]] = *x
		w.rungs[x.rung]++
	}
}
