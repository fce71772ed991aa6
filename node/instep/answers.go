package instep

import (
	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/reached"
	"almenara/node/stories"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Known is what a node knows of alerts and receipts, as Answers.
type Known struct {
	// OnBook is an alert that may still matter, nil where none has that id. What a phone says that it
	// shows may be anything, every second: it is looked for nowhere else.
	OnBook func(id alert.ID) *stories.Story
	Now    func() (reached.View, error)
}

// Who implements Answers.
func (k Known) Who(id string, among *roaring.Bitmap) (revision uint64, words map[uint32]string, err error) {
	s := k.OnBook(alert.ID(id))
	if s == nil {
		return 0, nil, nil
	}
	m := s.Current()
	view, err := k.Now()
	if err != nil || m == nil {
		return 0, nil, err
	}
	who, err := view.Members(s.IDs, m.Entry.Revision, receipt.Acknowledged)
	if err != nil {
		return 0, nil, err
	}
	who.And(among)
	said, err := view.Answers(s.IDs, m.Entry.Revision, who)
	if err != nil {
		return 0, nil, err
	}
	words = make(map[uint32]string, who.GetCardinality())
	for it := who.Iterator(); it.HasNext(); {
		member := it.Next()
		words[member] = said[member].Text
	}
	return uint64(m.Entry.Revision), words, nil
}
