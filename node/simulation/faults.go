package simulation

import (
	"context"
	"crypto/rand"
	mathrand "math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/storage/wait"
)

// The faults that simulated devices can have.
const (
	slow      = "slow"      // shows after some seconds
	skewed    = "skewed"    // its clock is hours off
	rebooting = "rebooting" // loses its power again and again
	deaf      = "deaf"      // takes alerts and shows nothing: it must not be counted as if it did
	forging   = "forging"   // also tells what is not so, of itself and of others
)

var faults = []string{slow, skewed, rebooting, deaf, forging}

// faultOf is the fault of the i-th of all devices, of which percent have one; "" is none.
func faultOf(i, percent int) string {
	if i*percent/100 == (i+1)*percent/100 {
		return ""
	}
	return faults[(i*percent/100)%len(faults)]
}

// ail gives a device its fault. over ends what it does not do.
func ail(o *device.Options, fault string, over <-chan struct{}) {
	switch fault {
	case slow:
		pause := 2*time.Second + mathrand.N(3*time.Second)
		o.Present = func(rules.Effect) error { rest(pause, over); return nil }
	case skewed:
		begun, off := time.Now(), mathrand.N(6*time.Hour)-3*time.Hour
		start := begun.Add(off).Round(0)
		o.Clock = func() time.Time { return start.Add(time.Since(begun)) }
	case deaf:
		o.Present = func(rules.Effect) error { <-over; return context.Canceled }
		o.Command = func(contract.Command) {} // a test finds it out: it is never answered
	}
}

// rest waits, or until it is over.
func rest(d time.Duration, over <-chan struct{}) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-over:
	}
}

// misbehave does what the faulty devices of a fleet do by themselves, until ctx ends.
func misbehave(ctx context.Context, devices []*device.Device, percent int, running *sync.WaitGroup) {
	for i, d := range devices {
		switch faultOf(i, percent) {
		case rebooting:
			running.Go(func() {
				for wait.Sleep(ctx, 5*time.Second+mathrand.N(10*time.Second)) {
					_ = device.PowerCut(d) // its memory can always be read
				}
			})
		case forging:
			other := devices[(i+1)%len(devices)].ID()
			running.Go(func() { forge(ctx, d, other) })
		}
	}
}

// never is the id of an alert that never was.
func never() string { return strings.ToLower(rand.Text()) }

// forge has a device tell, every few seconds, of an alert that never was, of a revision that it
// never got, the same twice, of the day after tomorrow, and in the name of another device, in turn.
// A node that is told in another's name ends the connection, so the device comes back.
func forge(ctx context.Context, d *device.Device, other string) {
	for turn := 0; wait.Sleep(ctx, 2*time.Second+mathrand.N(4*time.Second)); turn++ {
		as, now := d.ID(), device.LocalOf(d).Now().UTC().Truncate(time.Millisecond)
		about := device.Revision{Alert: never(), Revision: 1}
		for known := range d.Record() {
			about = known // any: it forges about what it has, where it has something
		}
		told := contract.Receipt{Alert: about.Alert, Revision: about.Revision, Rung: contract.RungAcknowledged, At: now, Seq: 1 << 40, Answer: "forged"}
		forged := []contract.Receipt{told}
		switch turn % 5 {
		case 0:
			forged[0].Alert = never()
		case 1:
			forged[0].Revision += 1000
		case 2:
			forged = slices.Repeat(forged, 2)
		case 3:
			forged[0].At = now.Add(48 * time.Hour)
		case 4:
			as = other
		}
		_ = device.Forge(ctx, d, as, forged) // refused, or it is not connected
	}
}
