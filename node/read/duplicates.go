package read

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/node/alerts"
	"almenara/node/duplicates"
	"almenara/node/stories"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// duplicatesMost is how many possible duplicates an alert shows, the nearest in time: people
// look at a handful, and of a thousand alerts about the same each would name all others.
const duplicatesMost = 10

// duplicatesLooked is how many alerts about the same are held against one, the nearest in time: of ten thousand
// for other people each would be held against all others at every look at the list.
const duplicatesLooked = 100

// duplicateFinder finds alerts that may be about the same as another, for some of the same
// members. They are shown to people and never merged by their texts. What is on the book is
// gone through once after each change, and not for each alert that is shown. Safe for
// concurrent use.
type duplicateFinder struct {
	book  *alerts.Book
	clock func() time.Time
	// resolve is whom a message addresses now; it may take milliseconds.
	resolve   func(fact string) (*roaring.Bitmap, error)
	presented func() *channels.Situation // what devices were given last, where whom it is for is worked out; nil before

	mu    sync.Mutex
	edits uint64                         // of the book when index was made
	index *duplicates.Index[board.Entry] // not of messages: they would stay in memory
}

// of lists the alerts that may be about the same as the story, which addresses these
// members, and those of them that were addressed by what is known of persons; none where it is
// over.
func (f *duplicateFinder) of(s *stories.Story, members *roaring.Bitmap) (ids, personal []string) {
	m := s.Current()
	if m == nil || !s.OnBook || len(s.Cancels) > 0 || !f.holds(m.Entry) {
		return nil, nil
	}
	own, err := likeness(s.ID, s.Status, m)
	if err != nil {
		return nil, nil
	}
	looked := 0
	for other := range f.indexed().Near(own) {
		if looked++; looked > duplicatesLooked {
			break
		}
		if f.holds(other.Of) && f.overlap(other, members) {
			if m := f.book.Message(other.Of.Fact); m != nil && m.Personal() {
				personal = append(personal, string(other.ID))
			}
			if ids = append(ids, string(other.ID)); len(ids) == duplicatesMost {
				break
			}
		}
	}
	return ids, personal
}

// holds reports whether the message is shown, or will be.
func (f *duplicateFinder) holds(e board.Entry) bool {
	standing, _ := f.book.Standing(&alerts.Message{Entry: e}, f.clock())
	return standing == board.InForce || standing == board.Future || standing == board.Pending
}

// overlap reports whether the alert is for some of the members.
func (f *duplicateFinder) overlap(a *duplicates.Alert[board.Entry], members *roaring.Bitmap) bool {
	if s := f.presented(); s != nil {
		i, ok := slices.BinarySearchFunc(s.InForce, a.ID, func(it channels.Item, id alert.ID) int { return cmp.Compare(it.Alert, id) })
		if ok && s.InForce[i].Revision == a.Of.Revision {
			return slices.ContainsFunc(s.InForce[i].Parts, func(p channels.Part) bool { return overlap(p.To, members) })
		}
	}
	theirs, err := f.resolve(a.Of.Fact)
	return err == nil && overlap(theirs, members)
}

// overlap reports whether two sets have a member in common. Most alerts are for one block,
// whose members often came in a row, so most sets are told apart by their ends.
func overlap(a, b *roaring.Bitmap) bool {
	return !a.IsEmpty() && !b.IsEmpty() && a.Minimum() <= b.Maximum() && b.Minimum() <= a.Maximum() && a.Intersects(b)
}

// indexed is the index of what is on the book now.
func (f *duplicateFinder) indexed() *duplicates.Index[board.Entry] {
	f.mu.Lock()
	defer f.mu.Unlock()
	if edits := f.book.Edits(); f.index == nil || f.edits != edits {
		f.index, f.edits = duplicates.New(f.likenesses(f.book.Running(f.clock()))), edits
	}
	return f.index
}

func likeness(id alert.ID, status alert.Status, m *alerts.Message) (*duplicates.Alert[board.Entry], error) {
	m, err := m.Whole()
	if err != nil {
		return nil, err
	}
	a := &duplicates.Alert[board.Entry]{
		ID: id, Status: status, Accepted: m.Entry.Accepted, Incident: m.Issue.Incident, Scenario: m.Issue.Scenario, Of: m.Entry,
	}
	for _, info := range m.Alert.Infos {
		a.Events = append(a.Events, info.Event)
	}
	return a, nil
}

// likenesses are the alerts by the messages that are shown. What cannot be read is like nothing.
func (f *duplicateFinder) likenesses(running []alerts.Running) (out []*duplicates.Alert[board.Entry]) {
	for _, r := range running {
		s := &stories.Story{Pending: r.Pending, Messages: r.Messages}
		if m := s.Current(); m != nil && f.holds(m.Entry) {
			if a, err := likeness(r.ID, r.Status, m); err == nil {
				out = append(out, a)
			}
		}
	}
	return out
}
