package simulation

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels/contract"
	"almenara/channels/device"
)

// Late is who is connected and has not proven the alert ten seconds after it began anywhere, or
// five after it came back; who is dark is dark.
func TestTimes_LateIsWhoCouldHaveShownIt(t *testing.T) {
	now := time.Duration(0)
	x := newTimes(5, func() time.Duration { return now })
	fire := device.Revision{Alert: "fire", Revision: 1}
	at := func(second int, i int, what device.What) {
		now = time.Duration(second) * time.Second
		e := device.Event{What: what}
		if what == device.Started || what == device.Told {
			e.Alert, e.Revision, e.Rung = fire.Alert, fire.Revision, contract.RungPresented
		}
		x.happened(i, e)
	}
	const punctual, slowly, silent, dark, returning = 0, 1, 2, 3, 4
	for _, i := range []int{punctual, slowly, silent, dark} {
		at(1, i, device.Connected)
	}
	at(2, dark, device.Disconnected)
	at(10, punctual, device.Started)
	at(11, punctual, device.Told)
	require.Equal(t, verdict{known: true, took: time.Second}, x.judge(punctual, fire))
	require.Equal(t, verdict{}, x.judge(silent, fire), "nothing can be said yet")
	at(21, slowly, device.Told)
	require.Equal(t, verdict{known: true, late: true, took: 11 * time.Second}, x.judge(slowly, fire))
	require.Equal(t, verdict{known: true, late: true}, x.judge(silent, fire))
	require.Equal(t, verdict{}, x.judge(dark, fire))
	at(100, returning, device.Connected)
	at(104, returning, device.Told)
	require.Equal(t, verdict{known: true, back: true, took: 4 * time.Second}, x.judge(returning, fire))
	at(105, returning, device.Told)
	require.Equal(t, 4*time.Second, x.judge(returning, fire).took, "the first proof counts")
	at(110, dark, device.Connected)
	now = 115*time.Second + 1
	require.Equal(t, verdict{known: true, back: true, late: true}, x.judge(dark, fire))

	var all []verdict
	for i := range 3 {
		all = append(all, x.judge(i, fire))
	}
	p := pace(all)
	require.Equal(t, []int{3, 1}, []int{p.Due, p.InTime})
	require.Equal(t, []float64{11000, 11000, 11000}, []float64{p.P50MS, p.P99MS, p.LastMS})
}
