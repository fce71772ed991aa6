package reached_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/cluster/fact"
	"almenara/node/reached"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// record is what was agreed, and how often it was asked.
type record struct {
	tallies map[alert.ID]*receipt.Tally
	asked   int
}

func (r *record) Tally(id alert.ID) (*receipt.Tally, error) {
	r.asked++
	if t := r.tallies[id]; t != nil {
		return t, nil
	}
	return receipt.NewTally(), nil
}

func (r *record) ReceiptFacts(alert.ID, uint64, func(fact.Fact, receipt.Block)) error { return nil }

// told adds receipts under an id.
func (r *record) told(id alert.ID, revision alert.Revision, rung receipt.Rung, members ...uint32) {
	if r.tallies[id] == nil {
		r.tallies[id] = receipt.NewTally()
	}
	var b receipt.Block
	for _, m := range members {
		b.Receipts = append(b.Receipts, receipt.Receipt{Alert: id, Revision: revision, Member: m, Rung: rung, At: time.Unix(1, 0)})
	}
	r.tallies[id].Add(b)
}

// An alert of many messages has as many ids, under each of which a receipt may have come, and
// all of its messages are counted: each tally is read once, not once for each message.
func TestView_ReadsEachTallyOnce(t *testing.T) {
	r := &record{tallies: map[alert.ID]*receipt.Tally{}}
	var ids []alert.ID
	for i := range 200 {
		ids = append(ids, alert.Key{Sender: "hko", Identifier: fmt.Sprint(i)}.ID())
	}
	r.told(ids[0], 7, receipt.Presented, 1, 2, 3)
	r.told(ids[9], 7, receipt.Presented, 3, 4)
	r.told(ids[9], 8, receipt.Verified, 5)
	view, err := reached.New(r, nil, func() bool { return false }).Now()
	require.NoError(t, err)
	for revision := range alert.Revision(200) {
		c, err := view.Counts(roaring.BitmapOf(1, 2, 3, 4, 5), ids, revision)
		require.NoError(t, err)
		members, err := view.Members(ids, revision, receipt.Presented)
		require.NoError(t, err)
		switch revision {
		case 7:
			require.EqualValues(t, 4, c.Presented, "each member once")
			require.Equal(t, []uint32{1, 2, 3, 4}, members.ToArray())
		case 8:
			require.EqualValues(t, 1, c.Verified)
		default:
			require.Zero(t, c)
			require.Empty(t, members.ToArray())
		}
	}
	c, err := view.Counts(roaring.BitmapOf(2), ids[:1], 7)
	require.NoError(t, err)
	require.EqualValues(t, 1, c.Presented, "of those asked for")
	require.Equal(t, len(ids), r.asked)
}
