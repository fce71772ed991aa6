package afteraction_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"almenara/node/wire/able"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// How soon an estate was reached counts from when the message might be shown, and each member once.
func TestReport_SaysHowSoonEachEstateWasReached(t *testing.T) {
	d := newDistrict(t, 4)
	m := d.say("drill", "place under d", 0, func(a *alert.Alert) { a.Status = alert.StatusExercise })
	id, rev := m.Entry.Key.ID(), m.Entry.Revision
	d.now = after(100)
	for i, at := range []float64{10, 11, 61} {
		member := d.log.State.Index().Ordinals().ToArray()[i]
		d.tell(receipt.Receipt{Alert: id, Revision: rev, Member: member, Rung: receipt.Presented, At: after(at)})
		d.tell(receipt.Receipt{Alert: id, Revision: rev, Member: member, Rung: receipt.Acknowledged, At: after(at + 5)})
	}
	require.Equal(t, []able.Score{{Place: "d/e", Of: 4, TenSeconds: 1, Minute: 2}}, d.report(amy, id).Estates)

	personal := d.say("care", "has care or kind = screen", 0, nil)
	require.Empty(t, d.report(looks, personal.Entry.Key.ID()).Estates, "counts that are rounded tell of no estate")
}
