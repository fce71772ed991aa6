package instep

import (
	"time"

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
func (k Known) Who(id string, among *roaring.Bitmap) (revision uint64, who *roaring.Bitmap, err error) {
	s := k.OnBook(alert.ID(id))
	if s == nil {
		return 0, roaring.New(), nil
	}
	m := s.Current()
	view, err := k.Now()
	if err != nil || m == nil {
		return 0, roaring.New(), err
	}
	if who, err = view.Members(s.IDs, m.Entry.Revision, receipt.Acknowledged); err != nil {
		return 0, nil, err
	}
	who.And(among)
	return uint64(m.Entry.Revision), who, nil
}

// Words implements Answers.
func (k Known) Words(id string, revision uint64, who *roaring.Bitmap) (map[uint32]string, error) {
	s := k.OnBook(alert.ID(id))
	if s == nil {
		return nil, nil
	}
	view, err := k.Now()
	if err != nil {
		return nil, err
	}
	words, at := map[uint32]string{}, map[uint32]time.Time{}
	err = view.Receipts(s.IDs, func(r receipt.Receipt) {
		if r.Answer != "" && r.Revision == alert.Revision(revision) && who.Contains(r.Member) && !r.At.Before(at[r.Member]) {
			words[r.Member], at[r.Member] = r.Answer, r.At
		}
	})
	return words, err
}
