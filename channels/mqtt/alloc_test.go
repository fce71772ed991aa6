//go:build !race

package mqtt

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/RoaringBitmap/roaring/v2"
	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/channels/mqtt/delivery"
	"almenara/storage/receipt"
)

// counting is a Receipts that keeps nothing.
type counting struct{ taken int }

func (c *counting) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	c.taken += len(rs)
	done(nil)
}

// TestDelivery_AllocatesNothing delivers alerts to a polled session, and has the
// device's PUBACKs handled, without a device: what its socket brings is handed over.
func TestDelivery_AllocatesNothing(t *testing.T) {
	const rounds = 100
	kept := &counting{}
	r := newRig(t, func(o *Options) { o.Receipts, o.Hooks = kept, nil })
	w := r.device(r.listen(TCP), "lift-1", false)
	w.subscribe(ownFilterOf("lift-1"))
	s := r.shardOf("lift-1").get("lift-1")
	go drainForever(w)
	to := roaring.BitmapOf(members["lift-1"])
	plans := make([]*delivery.Plan, rounds+1)
	for i := range plans { // made once for all devices, which may allocate
		d := alertTo(fmt.Sprint("flood ", i), 1)
		d.To, d.Body = to, make([]byte, 512)
		plans[i] = r.planner.Next(r.plan.Load(), holds(fmt.Sprint(i), d))
		r.plan.Store(plans[i])
	}
	round, puback := 0, []byte{0x40, 2, 0, 0}
	allocated := testing.AllocsPerRun(rounds, func() {
		r.plan.Store(plans[round])
		round++
		s.deliverNow(false)
		binary.BigEndian.PutUint16(puback[2:], uint16(round)) // ids are given in order
		require.NoError(t, s.in.handleRead(puback))
	})
	require.Equal(t, rounds+1, kept.taken)
	require.Zero(t, allocated, "per delivery with its PUBACK")
}

func drainForever(w *wire) {
	b := make([]byte, 64<<10)
	for {
		if _, err := w.Conn.Read(b); err != nil {
			return
		}
	}
}
