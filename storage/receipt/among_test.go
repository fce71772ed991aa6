package receipt_test

import (
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/storage/alert"
	"almenara/storage/receipt"
)

func TestCountsAmong_LeavesTheOthersOut(t *testing.T) {
	const id = alert.ID("7qggodrwesnbuxamkutppyfgoa")
	tally := receipt.NewTally()
	var rs []receipt.Receipt
	for member, rung := range []receipt.Rung{receipt.Presented, receipt.Acknowledged, receipt.Delivered, receipt.Failed, receipt.Refused} {
		rs = append(rs, receipt.Receipt{Alert: id, Revision: 1, Member: uint32(member), Rung: rung, At: time.Unix(1, 0)})
	}
	tally.Add(receipt.Block{Receipts: rs})

	require.Equal(t, tally.Counts(id, 1), tally.CountsAmong(nil, id, 1))
	require.Equal(t, tally.Counts(id, 1), tally.CountsAmong(roaring.BitmapOf(0, 1, 2, 3, 4), id, 1))
	require.Equal(t, receipt.Counts{}, tally.CountsAmong(roaring.BitmapOf(7), id, 1))
	c := tally.CountsAmong(roaring.BitmapOf(0, 3), id, 1)
	require.EqualValues(t, 1, c.Presented)
	require.Zero(t, c.Acknowledged)
	require.EqualValues(t, 1, c.Failed)
	require.Zero(t, c.Refused)
	require.EqualValues(t, 5, tally.Counts(id, 1).Queued, "the tally itself is as it was")
}
