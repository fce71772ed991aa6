package afteraction

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/reached"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// moment is when a member told something.
type moment struct {
	at   time.Time
	node bool // it is when a node took it down: the time that the device told cannot be
}

// told is what the receipts of an alert say, of those who count for any of its messages.
type told struct {
	everybody *roaring.Bitmap
	heard     *roaring.Bitmap                      // who told anything
	presented map[alert.Revision]map[uint32]moment // who presented each message first when
	first     map[uint32]moment                    // the first of those
	stopped   map[uint32]moment                    // who shows the message that was shown last no more
	answers   map[uint32]receipt.Receipt           // the last of each member
}

// clocksApart is how far the corrected clock of a device may be off before its word is put aside. A
// device does not follow corrections that go back by less than 15 s, so its times are often some
// seconds off; what is far off is told apart by NodeClock, what is near is kept within what can be.
const clocksApart = time.Second

// read reads all receipts under the ids, once.
func read(view reached.View, ids []alert.ID, messages []message, current *alerts.Message) (*told, error) {
	t := &told{
		everybody: roaring.New(), heard: roaring.New(), presented: map[alert.Revision]map[uint32]moment{},
		first: map[uint32]moment{}, stopped: map[uint32]moment{}, answers: map[uint32]receipt.Receipt{},
	}
	for _, m := range messages {
		t.everybody.Or(m.who)
		t.presented[m.Entry.Revision] = map[uint32]moment{}
	}
	since := standing(messages)
	err := view.Blocks(ids, func(made time.Time, b receipt.Block) {
		for i := range b.Receipts {
			x := &b.Receipts[i]
			if by, known := t.presented[x.Revision]; known && t.everybody.Contains(x.Member) {
				t.add(x, by, since[x.Revision], made, current)
			}
		}
	})
	return t, err
}

// add takes one receipt.
func (t *told) add(x *receipt.Receipt, by map[uint32]moment, since, made time.Time, current *alerts.Message) {
	if x.Rung != receipt.Sent && x.Rung != receipt.Queued && x.Rung != receipt.Expired { // a node says these by itself
		t.heard.Add(x.Member)
	}
	switch x.Rung {
	case receipt.Presented, receipt.Acknowledged:
		m := believed(x.At, since, made)
		earliest(by, x.Member, m)
		earliest(t.first, x.Member, m)
		if last, ok := t.answers[x.Member]; x.Answer != "" && (!ok || follows(x, &last)) {
			t.answers[x.Member] = *x
		}
	case receipt.Cancelled:
		if current != nil && x.Revision == current.Entry.Revision {
			earliest(t.stopped, x.Member, believed(x.At, since, made))
		}
	}
}

// believed is the time that a device told, within what can be: not before the message stood, and not
// after a node took the word down. Where it is further off than clocks are, the node's time counts.
func believed(at, since, made time.Time) moment {
	switch {
	case at.Before(since.Add(-clocksApart)), at.After(made.Add(clocksApart)):
		return moment{latest(made, since).UTC(), true}
	case at.Before(since):
		return moment{since.UTC(), false}
	case at.After(made):
		return moment{latest(made, since).UTC(), false}
	}
	return moment{at.UTC(), false}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earliest(of map[uint32]moment, member uint32, m moment) {
	if old, ok := of[member]; !ok || m.at.Before(old.at) {
		of[member] = m
	}
}

// follows orders the answers of one member as a receipt.Tally does.
func follows(x, old *receipt.Receipt) bool {
	return cmp.Or(cmp.Compare(x.Revision, old.Revision), x.At.Compare(old.At), cmp.Compare(x.Answer, old.Answer)) > 0
}

// dark is who never told anything.
func (t *told) dark() *roaring.Bitmap { return roaring.AndNot(t.everybody, t.heard) }

// presentedBy is who presented any message of the alert.
func (t *told) presentedBy() *roaring.Bitmap {
	out := roaring.New()
	for member := range t.first {
		out.Add(member)
	}
	return out
}

// answered counts the answers, the most frequent first.
func (t *told) answered() []wire.Count {
	counts := map[string]uint64{}
	for _, a := range t.answers {
		counts[a.Answer]++
	}
	out := []wire.Count{}
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, wire.Count{Name: name, Count: counts[name]})
	}
	slices.SortStableFunc(out, func(a, b wire.Count) int { return cmp.Compare(b.Count, a.Count) })
	return out[:min(len(out), answersMost)]
}

// answersMost is how many different answers a report has: devices offer three, and what else is told is
// noise.
const answersMost = 20
