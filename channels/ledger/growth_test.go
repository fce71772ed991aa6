package ledger

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/contract"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// throng is many alerts for many devices.
type throng struct {
	*Ledger
	now     time.Time
	active  []channels.Delivery
	members *roaring.Bitmap
	devices []channels.Endpoint
	looked  int // devices that were looked up
	made    int
}

func newThrong(alerts, devices int) *throng {
	c := &throng{Ledger: New(pause, nil), now: time.Unix(1_000_000, 0), members: roaring.New()}
	c.members.AddRange(1, uint64(devices)+1)
	for i := range devices {
		e := lift(fmt.Sprintf("lift-%d", i+1))
		c.devices = append(c.devices, e)
	}
	for range alerts {
		c.add()
	}
	c.lay()
	return c
}

func (c *throng) add() {
	c.made++
	c.active = append(c.active, channels.Delivery{
		Alert: alert.ID(fmt.Sprint(c.made)), Revision: 1, Expires: c.now.Add(time.Hour), To: c.members,
	})
}

func (c *throng) lay() {
	active := append([]channels.Delivery(nil), c.active...) // as the dispatcher makes them anew each time
	to := map[int][]channels.Endpoint{}
	for _, i := range c.Unlisted(active) {
		to[i] = append([]channels.Endpoint(nil), c.devices...)
		c.looked += len(to[i])
	}
	c.Set(active, to, c.now)
}

// drain sends all that is due.
func (c *throng) drain() (sent int) {
	for {
		jobs, _, _ := c.Due(c.now, c.now, 256)
		for _, j := range jobs {
			c.Sent(j, c.now)
		}
		if sent += len(jobs); len(jobs) == 0 {
			return sent
		}
	}
}

func TestLedger_OneMoreAlertCostsItsOwnDevicesOnly(t *testing.T) {
	c := newThrong(50, 40)
	require.Equal(t, 50*40, c.drain())
	c.looked = 0
	c.add()
	c.lay()
	require.Equal(t, 40, c.looked, "what goes on is not looked up again")
	require.Equal(t, 40, c.drain())
	c.active = c.active[1:]
	c.lay()
	require.Zero(t, c.drain())
	require.Equal(t, 50, c.unanswered["lift-1"])
}

// An alert may have one body for some and another one for others: who changes sides has
// answered what it has answered.
func TestLedger_APartIsForItsOwnDevices(t *testing.T) {
	c := newThrong(0, 4)
	c.add()
	c.active = append(c.active, c.active[0])
	c.active[0].To, c.active[1].To = roaring.BitmapOf(1, 2), roaring.BitmapOf(3, 4)
	c.active[0].Body, c.active[1].Body = []byte("a"), []byte("b")
	set := func(first, second []channels.Endpoint) {
		require.Len(t, c.Unlisted(c.active), 2)
		c.Set(c.active, map[int][]channels.Endpoint{0: slices.Clone(first), 1: slices.Clone(second)}, c.now)
		require.Empty(t, c.Unlisted(c.active))
	}
	set(c.devices[:2:2], c.devices[2:])
	require.Equal(t, 4, c.drain())
	require.EqualValues(t, "a", c.sheets[sheetKey{"1", 1}].jobs["lift-2"].part.delivery.Body)
	c.Answer("lift-2", receipt.Receipt{Alert: "1", Revision: 1, Rung: receipt.Presented}, c.now)
	c.active = append([]channels.Delivery(nil), c.active...)
	c.active[0].To, c.active[1].To = roaring.BitmapOf(1), roaring.BitmapOf(2, 3, 4)
	set(c.devices[:1:1], append([]channels.Endpoint(nil), c.devices[1:]...))
	require.Zero(t, c.drain())
	require.EqualValues(t, "b", c.sheets[sheetKey{"1", 1}].jobs["lift-2"].part.delivery.Body)
	require.Equal(t, map[string]int{"lift-1": 1, "lift-3": 1, "lift-4": 1}, c.unanswered)
}

// Whatever happens, nobody who is there lacks a body for longer than the longest pause, and
// what is counted as unanswered is.
func TestLedger_NobodyIsForgotten(t *testing.T) {
	for seed := range uint64(30) {
		random := rand.New(rand.NewPCG(seed, 9))
		c := newThrong(5, 6)
		session := uint64(1)
		for range 300 {
			c.now = c.now.Add(time.Duration(random.IntN(4000)) * time.Millisecond)
			device := c.devices[random.IntN(len(c.devices))]
			some := c.active[random.IntN(len(c.active))]
			switch random.IntN(8) {
			case 0:
				c.add()
				c.lay()
			case 1:
				if len(c.active) > 2 {
					i := random.IntN(len(c.active))
					c.active = append(append([]channels.Delivery(nil), c.active[:i]...), c.active[i+1:]...)
					c.lay()
				}
			case 2:
				session++
				c.Arrive(device, contract.State{State: contract.StateReady, Session: session}, c.now, c.now)
			case 3:
				c.Arrive(device, contract.State{State: contract.StateLost, Session: session}, c.now, c.now)
			case 4:
				c.Again(c.now)
			case 5:
				c.Answer(device.Device, receipt.Receipt{Alert: some.Alert, Revision: 1, Rung: receipt.Verified}, c.now)
			default:
				c.Answer(device.Device, receipt.Receipt{Alert: some.Alert, Revision: 1, Rung: receipt.Presented}, c.now)
			}
			if random.IntN(3) == 0 {
				c.drain()
			}
			require.Equal(t, counted(c), c.unanswered)
		}
		c.now = c.now.Add(resendGrowth*pause + 1)
		c.drain()
		for _, s := range c.sheets {
			require.Len(t, s.jobs, len(c.devices))
			for device, j := range s.jobs {
				require.True(t, j.tries > 0 || j.answered, "%s was sent %s", device, j.part.delivery.Alert)
				if p := c.Ledger.devices[device]; p != nil && p.Up && !j.answered && j.tries < resendMost {
					require.False(t, j.due.After(c.now.Add(resendGrowth*pause)))
					require.True(t, j.due.After(c.now), "%s waits for %s", device, j.part.delivery.Alert)
				}
			}
		}
	}
}

func counted(c *throng) map[string]int {
	out := map[string]int{}
	for _, s := range c.sheets {
		for device, j := range s.jobs {
			if !j.answered {
				out[device]++
			}
		}
	}
	return out
}

// BenchmarkLedger is what one alert more costs beside so many for 1,000 devices, all of which
// have answered them: to lay it, and to send it.
func BenchmarkLedger(b *testing.B) {
	for _, alerts := range []int{1, 100, 1000} {
		b.Run(fmt.Sprint(alerts), func(b *testing.B) {
			c := newThrong(alerts, 1000)
			c.drain()
			for _, e := range c.devices {
				for i := range c.active {
					c.Answer(e.Device, receipt.Receipt{Alert: c.active[i].Alert, Revision: 1, Rung: receipt.Presented}, c.now)
				}
			}
			for b.Loop() {
				c.add()
				c.lay()
				require.Equal(b, 1000, c.drain())
				c.active = c.active[:len(c.active)-1]
				c.lay()
			}
		})
	}
}
