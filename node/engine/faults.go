package engine

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"

	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/storage/wait"
)

// The faults that simulated devices can have.
const (
	faultSlow      = "slow"      // shows after some seconds
	faultSkewed    = "skewed"    // its clock is hours off
	faultRebooting = "rebooting" // loses its power again and again
	faultDeaf      = "deaf"      // takes alerts and shows nothing: it must not be counted as if it did
)

var faults = []string{faultSlow, faultSkewed, faultRebooting, faultDeaf}

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
	case faultSlow:
		pause := 2*time.Second + rand.N(3*time.Second)
		o.Present = func(rules.Effect) error { rest(pause, over); return nil }
	case faultSkewed:
		begun, off := time.Now(), rand.N(6*time.Hour)-3*time.Hour
		start := begun.Add(off).Round(0)
		o.Clock = func() time.Time { return start.Add(time.Since(begun)) }
	case faultDeaf:
		o.Present = func(rules.Effect) error { <-over; return context.Canceled }
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

// cutPower cuts the power of one device every 5 to 15 seconds until ctx ends.
func cutPower(ctx context.Context, d *device.Device, running *sync.WaitGroup) {
	running.Go(func() {
		for wait.Sleep(ctx, 5*time.Second+rand.N(10*time.Second)) {
			_ = device.PowerCut(d) // its memory can always be read
		}
	})
}
