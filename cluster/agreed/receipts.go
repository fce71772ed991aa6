package agreed

import (
	"github.com/RoaringBitmap/roaring/v2"

	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

// LastReceipts is where the last receipt blocks of the alerts were adopted, in the order of
// ids; the zero place where there is none.
func (r *Reader) LastReceipts(ids []alert.ID) ([]factlog.Place, error) {
	return read(r, func(t *storage.Txn) (out []factlog.Place, err error) {
		for _, id := range ids {
			p, err := factlog.LastReceipt(t, string(id))
			if err != nil {
				return nil, err
			}
			out = append(out, p)
		}
		return out, nil
	})
}

// Tally is what the adopted receipts say of one alert, under this one id. It may be
// read while receipts are added. Ask for it anew each time.
func (r *Reader) Tally(id alert.ID) (*receipt.Tally, error) {
	return r.state.Derived().Tallies.Of(id)
}

// ReceiptMembers lists who reached the rung of one revision, or a rung that implies
// it, under any of the ids. The bitmap is the caller's own.
func (r *Reader) ReceiptMembers(ids []alert.ID, revision alert.Revision, rung receipt.Rung) (*roaring.Bitmap, error) {
	told, err := Told(ids, r.Tally)
	return told.Members(revision, rung), err
}

// ReceiptCountsAmong counts the rungs of one revision under any of the ids, each of these
// members once per rung; nil is all members.
func (r *Reader) ReceiptCountsAmong(among *roaring.Bitmap, ids []alert.ID, revision alert.Revision) (receipt.Counts, error) {
	told, err := Told(ids, r.Tally)
	return told.CountsAmong(among, revision), err
}

// Tallies are those of the ids of one alert under which anything was told.
type Tallies []struct {
	id    alert.ID
	tally *receipt.Tally
}

// Told asks for each tally once.
func Told(ids []alert.ID, of func(alert.ID) (*receipt.Tally, error)) (told Tallies, err error) {
	for _, id := range ids {
		t, err := of(id)
		if err != nil {
			return nil, err
		}
		if len(t.Alerts()) > 0 {
			told = append(told, struct {
				id    alert.ID
				tally *receipt.Tally
			}{id, t})
		}
	}
	return told, nil
}

// Members is Reader.ReceiptMembers of these.
func (told Tallies) Members(revision alert.Revision, rung receipt.Rung) *roaring.Bitmap {
	out := roaring.New()
	for _, one := range told {
		out.Or(one.tally.Members(one.id, revision, rung))
	}
	return out
}

// CountsAmong is Reader.ReceiptCountsAmong of these.
func (told Tallies) CountsAmong(among *roaring.Bitmap, revision alert.Revision) (c receipt.Counts) {
	switch len(told) {
	case 0:
		return c
	case 1:
		return told[0].tally.CountsAmong(among, told[0].id, revision)
	}
	for rung, count := range map[receipt.Rung]*uint64{
		receipt.Queued: &c.Queued, receipt.Sent: &c.Sent, receipt.Delivered: &c.Delivered,
		receipt.Verified: &c.Verified, receipt.Presented: &c.Presented, receipt.Acknowledged: &c.Acknowledged,
		receipt.Failed: &c.Failed, receipt.Expired: &c.Expired, receipt.Cancelled: &c.Cancelled, receipt.Refused: &c.Refused,
	} {
		members := told.Members(revision, rung)
		if among != nil {
			members.And(among)
		}
		*count = members.GetCardinality()
	}
	return c
}
