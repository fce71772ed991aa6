package receipts

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/storage/receipt"
)

func ladderOf(member uint32) (rs []receipt.Receipt) {
	for r := receipt.Queued; r <= receipt.Refused; r++ {
		rs = append(rs, receipt.Receipt{Alert: "a", Revision: 1, Member: member, Rung: r, At: time.Unix(1, 0)})
	}
	return rs
}

func TestPressure_GivesUpInOrderAndNeverWhatDevicesSay(t *testing.T) {
	var used int64
	p := newPressure(func() (int64, int64) { return used, 100 })
	for _, row := range []struct {
		used   int64
		linger time.Duration
		kept   int
	}{{0, linger, 10}, {49, linger, 10}, {50, lateLinger, 10}, {74, lateLinger, 10}, {75, lateLinger, 7}, {100, lateLinger, 7}} {
		used = row.used
		require.Equal(t, row.linger, p.linger())
		kept := p.relieve(ladderOf(1))
		require.Len(t, kept, row.kept, "%d used", row.used)
		for _, r := range kept[len(kept)-7:] {
			require.GreaterOrEqual(t, r.Rung, receipt.Verified)
		}
	}
	require.EqualValues(t, 2, p.lost(receipt.Sent))
	require.EqualValues(t, 2, p.lost(receipt.Delivered))
	require.Zero(t, p.lost(receipt.Presented))
}

func TestFuller_TakesTheBoundThatEndsFirst(t *testing.T) {
	const total, most = 256 << 20, 1 << 16
	for waiting, want := range map[int64]int64{0: 1000, 1: 4096, most / 2: total / 2, most: total, most + 1: total} {
		require.Equal(t, want, fuller(1000, total, waiting, most), "%d blocks", waiting)
	}
	require.EqualValues(t, total, fuller(total, total, 3, most), "by bytes")
	require.Zero(t, fuller(0, 0, 7, most))
}

func TestRepeats_LeavesOutRepeatsOfWhatWasRecorded(t *testing.T) {
	c := newRepeats()
	kept, keys := c.leaveOut(ladderOf(1))
	require.Len(t, kept, 10)
	again, _ := c.leaveOut(ladderOf(1))
	require.Len(t, again, 10, "nothing was recorded yet")
	c.remember(keys)
	later := ladderOf(1)
	for i := range later {
		later[i].At = time.Unix(99, 0)
	}
	again, _ = c.leaveOut(later)
	require.Empty(t, again)
	for _, other := range []receipt.Receipt{
		{Alert: "b", Revision: 1, Member: 1, Rung: receipt.Presented},
		{Alert: "a", Revision: 2, Member: 1, Rung: receipt.Presented},
		{Alert: "a", Revision: 1, Member: 2, Rung: receipt.Presented},
		{Alert: "a", Revision: 1, Member: 1, Rung: receipt.Acknowledged, Answer: "safe"},
	} {
		again, _ = c.leaveOut([]receipt.Receipt{other})
		require.Len(t, again, 1)
	}
}

func TestRepeats_IsBounded(t *testing.T) {
	c := newRepeats()
	for i := range uint64(5 * repeatsMost) {
		c.remember([]uint64{i})
	}
	require.LessOrEqual(t, len(c.now)+len(c.old), 2*repeatsMost)
}
