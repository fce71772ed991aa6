package device

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/storage/wait"
)

// defaultPerSecond is how many devices of a fleet start in a second.
const defaultPerSecond = 200

// connectsAtOnce is how many devices of a fleet connect at the same time. A real device has a processor
// of its own; these share one. Where it is busy, all of them at once would run into their timeouts, lose
// what they have begun and begin again, and so for ever: connections that last would get no processor,
// and what devices show would never be told.
const connectsAtOnce = 32

// stopsAtOnce is how many devices of a fleet say goodbye at the same time.
const stopsAtOnce = 64

// FleetOptions describe many devices in one process.
type FleetOptions struct {
	Devices   []Options // OnEvent of each is still called
	PerSecond int       // devices that begin to connect in a second; 0: 200
}

// Progress is how far a fleet has come.
type Progress struct {
	Devices   int
	Started   int // Start was called
	Connected int // now
	Refused   int // payloads that did not verify
	Alerts    map[Revision]Reach
}

// Reach counts devices for one revision of one alert.
type Reach struct {
	Verified     int       // told and acknowledged by a node
	Started      int       // began to present it
	Twice        int       // began more than once: a defect
	Proven       int       // told as presented and acknowledged by a node
	Acknowledged int       // confirmed by a person, told and acknowledged by a node
	Failed       int       // told as failed
	Stopped      int       // present it no more
	First, Last  time.Time // first and last start, by the devices' corrected clocks
}

// Fleet runs devices and counts what happens to them. Its methods may be called
// from any goroutine.
type Fleet struct {
	devices []*Device
	pause   time.Duration
	cancel  context.CancelFunc
	ctx     context.Context
	done    sync.WaitGroup
	begin   sync.Once

	mu       sync.Mutex // guards all below
	progress Progress
	changed  chan struct{} // closed at the next change; nil while nobody waits
}

// NewFleet makes the devices. Nothing runs yet.
func NewFleet(o FleetOptions) (*Fleet, error) {
	if o.PerSecond <= 0 {
		o.PerSecond = defaultPerSecond
	}
	f := &Fleet{
		pause:    time.Second / time.Duration(o.PerSecond),
		progress: Progress{Devices: len(o.Devices), Alerts: map[Revision]Reach{}},
	}
	f.ctx, f.cancel = context.WithCancel(context.Background())
	turns := make(chan struct{}, connectsAtOnce)
	for i, options := range o.Devices {
		options.turns = turns
		var d *Device
		next := options.OnEvent
		options.OnEvent = func(e Event) {
			f.happened(d, e)
			if next != nil {
				next(e)
			}
		}
		made, err := New(options)
		if err != nil {
			f.cancel()
			return nil, fmt.Errorf("device %d of fleet: %w", i, err)
		}
		d = made
		f.devices = append(f.devices, made)
	}
	return f, nil
}

// Start starts the devices one after the other and returns at once.
func (f *Fleet) Start() {
	f.begin.Do(func() {
		f.done.Add(1)
		go f.startAll()
	})
}

func (f *Fleet) startAll() {
	defer f.done.Done()
	paced(f.ctx, len(f.devices), f.pause, func(i int) {
		if f.devices[i].Start() == nil {
			f.change(func(p *Progress) { p.Started++ })
		}
	})
}

// paced calls do for 0 to n-1, one every pause, until ctx ends. What a busy machine delays is made up
// for: pauses that only followed each other would add up, and devices that were never started would
// be taken for ones that could not connect.
func paced(ctx context.Context, n int, pause time.Duration, do func(i int)) {
	begun := time.Now()
	for i := range n {
		if ahead := time.Duration(i)*pause - time.Since(begun); ahead > 0 && !wait.Sleep(ctx, ahead) || ctx.Err() != nil {
			return
		}
		do(i)
	}
}

// Stop stops the devices and waits for them.
func (f *Fleet) Stop() {
	f.cancel()
	f.begin.Do(func() {}) // no start after this
	f.done.Wait()
	var stopping sync.WaitGroup
	turns := make(chan struct{}, stopsAtOnce)
	for _, d := range f.devices {
		turns <- struct{}{}
		stopping.Go(func() {
			defer func() { <-turns }()
			d.Stop()
		})
	}
	stopping.Wait()
}

// Devices returns the devices in the order of their options.
func (f *Fleet) Devices() []*Device { return f.devices }

// Progress returns the counts of this moment.
func (f *Fleet) Progress() Progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.copy()
}

func (f *Fleet) copy() Progress {
	p := f.progress
	p.Alerts = maps.Clone(p.Alerts)
	return p
}

// ErrNotReached is returned by Wait when its context ends first.
var ErrNotReached = errors.New("fleet did not get there")

// Wait returns nil once enough says so, or ErrNotReached with the last progress
// when ctx ends. enough is asked after every change and must be quick.
func (f *Fleet) Wait(ctx context.Context, enough func(Progress) bool) error {
	for {
		f.mu.Lock()
		p := f.copy()
		if f.changed == nil {
			f.changed = make(chan struct{})
		}
		changed := f.changed
		f.mu.Unlock()
		if enough(p) {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%w: %w: %+v", ErrNotReached, context.Cause(ctx), p)
		case <-changed:
		}
	}
}

func (f *Fleet) change(how func(*Progress)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	how(&f.progress)
	if f.changed != nil {
		close(f.changed)
		f.changed = nil
	}
}

// happened counts one event of one device.
func (f *Fleet) happened(d *Device, e Event) {
	f.change(func(p *Progress) {
		switch e.What {
		case Connected:
			p.Connected++
		case Disconnected:
			p.Connected--
		case Refused:
			p.Refused++
		case Started, Stopped, Told:
			key := Revision{Alert: e.Alert, Revision: e.Revision}
			p.Alerts[key] = p.Alerts[key].with(e, d.Tally(key))
		}
	})
}

// with adds an event of a device whose tally already holds it. Every device counts
// once in each column, however often it tells.
func (r Reach) with(e Event, t Tally) Reach {
	switch {
	case e.What == Stopped && t.Stops == 1:
		r.Stopped++
	case e.What == Started && t.Starts == 1:
		r.Started++
		r = r.at(e.At)
	case e.What == Started && t.Starts == 2:
		r.Twice++
	case e.What == Told && t.times(e.Rung) == 1:
		return r.told(e.Rung)
	}
	return r
}

func (r Reach) at(t time.Time) Reach {
	if r.First.IsZero() || t.Before(r.First) {
		r.First = t
	}
	if t.After(r.Last) {
		r.Last = t
	}
	return r
}

func (r Reach) told(rung string) Reach {
	switch rung {
	case contract.RungVerified:
		r.Verified++
	case contract.RungPresented:
		r.Proven++
	case contract.RungAcknowledged:
		r.Acknowledged++
	case contract.RungFailed:
		r.Failed++
	}
	return r
}
