// Package agent is what runs on a device's own box beside its browser: it is the device of the
// contract, keeps what is in force, and serves the page of a screen at an address of the box
// itself, which therefore survives a reload while no node can be reached. The browser draws what
// it is given and says what it has painted; the agent tells that, and nothing else, as presented.
//
// It owns the requests between page and agent. It knows neither files nor flags, and of our
// packages imports channels/device, its rules, the contract and channels/pages.
package agent

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device"
	"almenara/channels/device/rules"
	"almenara/channels/pages"
)

// DefaultPatience is how long a browser may take to paint before the district is told that the
// alert failed here. What it paints later is told all the same.
const DefaultPatience = 8 * time.Second

// Options describe an agent.
type Options struct {
	// Device is the device; Present, Command and Health are the agent's own and must be nil.
	Device device.Options
	Pages  *pages.Pages
	// Speak gets what begins, is taken up again or ends, for a box that also makes sound; it
	// returns at once. Nil: silence.
	Speak func(rules.Effect)
	// Zone and Under are given to the page: the time zone of people here, and the address of what
	// runs while nothing is in force; both may be empty.
	Zone, Under string
	Patience    time.Duration // zero: DefaultPatience
	Logger      *slog.Logger  // nil: no logs
}

// Agent is one device with its page. All methods may be called from any goroutine.
type Agent struct {
	options Options
	device  *device.Device
	changed chan struct{} // closed and made anew with every change

	mu       sync.Mutex // guards all below
	seq      uint64     // grows with every change of what the page is to show
	alerts   map[string]*presented
	stopping map[device.Revision]uint64 // to be gone from the glass once the page has drawn this seq
	commands []contract.Command         // the last few, for pages that come later
	test     string                     // id of the test that no page has answered yet; "" for none
	health   map[string]string          // as the page last said
	browsers int                        // pages that listen
}

// presented is one alert that the page is to show.
type presented struct {
	effect  rules.Effect
	painted bool // by some page

	reminders int // how often it was to be presented again
	timer     *time.Timer
}

// New makes an agent; nothing runs yet. It returns the errors of device.New.
func New(o Options) (*Agent, error) {
	if o.Patience <= 0 {
		o.Patience = DefaultPatience
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Speak == nil {
		o.Speak = func(rules.Effect) {}
	}
	a := &Agent{
		options: o, changed: make(chan struct{}), alerts: map[string]*presented{}, stopping: map[device.Revision]uint64{}, health: map[string]string{},
	}
	o.Device.Present, o.Device.Command, o.Device.Health = a.present, a.command, a.healthNow
	d, err := device.New(o.Device)
	if err != nil {
		return nil, err
	}
	a.device = d
	return a, nil
}

// Run keeps the device connected to one node or another until ctx ends.
func (a *Agent) Run(ctx context.Context) error { return a.device.Run(ctx) }

// present gives the page what has begun or ended. It is told when a page has painted it.
func (a *Agent) present(e rules.Effect) error {
	a.options.Speak(e)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.change()
	if e.Action == rules.Stop {
		if p := a.alerts[e.Alert]; p != nil && p.effect.Revision <= e.Revision {
			p.timer.Stop()
			delete(a.alerts, e.Alert)
		}
		if a.browsers == 0 {
			return nil // nobody draws it
		}
		a.stopping[device.Revision{Alert: e.Alert, Revision: e.Revision}] = a.seq
		return device.ErrPending
	}
	if p := a.alerts[e.Alert]; p != nil {
		if e.Action == rules.Remind { // the page that shows it begins it again
			p.reminders++
			return device.ErrPending
		}
		p.timer.Stop()
	}
	alert, revision := e.Alert, e.Revision
	a.alerts[alert] = &presented{effect: e, timer: time.AfterFunc(a.options.Patience, func() { a.late(alert, revision) })}
	return device.ErrPending
}

// late tells that no page has painted the revision in time.
func (a *Agent) late(alert string, revision uint64) {
	a.mu.Lock()
	p := a.alerts[alert]
	failed := p != nil && p.effect.Revision == revision && !p.painted
	a.mu.Unlock()
	if failed {
		a.options.Logger.Error("no page has painted an alert", "alert", alert)
		device.LocalOf(a.device).Failed(alert, revision)
	}
}

func (a *Agent) command(c contract.Command) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if c.Do == contract.DoTest {
		switch {
		case a.browsers == 0:
			device.LocalOf(a.device).Tested(contract.Tested{ID: c.ID, Result: contract.TestFailed, Why: "no browser"})
			return
		case a.test != "":
			device.LocalOf(a.device).Tested(contract.Tested{ID: c.ID, Result: contract.TestBusy, Why: "another test goes on"})
			return
		}
		a.test = c.ID
		time.AfterFunc(a.options.Patience, func() {
			a.answered(contract.Tested{ID: c.ID, Result: contract.TestFailed, Why: "no page has painted anything in time"})
		})
	}
	a.change()
	a.commands = append(a.commands[max(0, len(a.commands)-3):], c)
}

// answered takes what the test that goes on came to. Of others, and of what was answered before, nothing is taken.
func (a *Agent) answered(t contract.Tested) {
	a.mu.Lock()
	waited := t.ID != "" && a.test == t.ID
	if waited {
		a.test = ""
	}
	a.mu.Unlock()
	if waited {
		device.LocalOf(a.device).Tested(t)
	}
}

// change tells every page. The caller holds mu.
func (a *Agent) change() {
	a.seq++
	close(a.changed)
	a.changed = make(chan struct{})
}

// saw takes what a page says that it has painted, once it has drawn seq.
func (a *Agent) saw(s seen) {
	a.mu.Lock()
	painted, gone := []device.Revision{}, []device.Revision{}
	on := map[device.Revision]bool{}
	for _, r := range s.Painted {
		on[r] = true
		if p := a.alerts[r.Alert]; p != nil && p.effect.Revision == r.Revision && !p.painted {
			p.painted = true
			p.timer.Stop()
			painted = append(painted, r)
		}
	}
	for r, seq := range a.stopping {
		if s.Seq >= seq && !on[r] {
			delete(a.stopping, r)
			gone = append(gone, r)
		}
	}
	changed := !maps.Equal(a.health, s.Health)
	a.health = map[string]string{}
	maps.Copy(a.health, s.Health)
	a.mu.Unlock()
	for _, r := range painted {
		device.LocalOf(a.device).Presented(r.Alert, r.Revision)
	}
	for _, r := range gone {
		device.LocalOf(a.device).Stopped(r.Alert, r.Revision)
	}
	if s.Tested != nil {
		a.answered(*s.Tested)
	}
	if changed {
		device.LocalOf(a.device).HealthChanged()
	}
}

// browser counts the pages that listen. When the last one goes, nothing is drawn any more.
func (a *Agent) browser(n int) {
	a.mu.Lock()
	a.browsers += n
	var gone []device.Revision
	if a.browsers == 0 {
		gone = slices.Collect(maps.Keys(a.stopping))
		clear(a.stopping)
		a.health = map[string]string{}
	}
	a.mu.Unlock()
	for _, r := range gone {
		device.LocalOf(a.device).Stopped(r.Alert, r.Revision)
	}
	device.LocalOf(a.device).HealthChanged()
}

// healthNow is told in the device's state.
func (a *Agent) healthNow() map[string]string {
	a.mu.Lock()
	defer a.mu.Unlock()
	h := maps.Clone(a.health)
	h[contract.HealthLevel] = "C"
	if a.options.Device.Save != nil {
		h[contract.HealthStore] = "file"
	}
	if a.browsers == 0 {
		h["display"] = "no browser"
	}
	return h
}

// picture is what the page is to show now, and what is closed when it has changed.
func (a *Agent) picture() (picture, <-chan struct{}) {
	silence, heard := a.device.LastWord()
	a.mu.Lock()
	defer a.mu.Unlock()
	p := picture{
		Seq: a.seq, Now: device.LocalOf(a.device).Now().UnixMilli(), Silence: -1, Connected: device.LocalOf(a.device).Connected(), Alerts: []alertOnPage{}, Commands: a.commands,
		Device: deviceOnPage{ID: a.device.ID(), Zone: a.options.Zone, Under: a.options.Under},
	}
	if heard {
		p.Silence = silence.Milliseconds()
	}
	for _, id := range slices.Sorted(maps.Keys(a.alerts)) {
		e := a.alerts[id].effect
		p.Alerts = append(p.Alerts, alertOnPage{
			Alert: id, Revision: e.Revision, Body: e.Body, Look: lookOnPage{e.Look.Tier, e.Look.Sound}, Resumed: e.Action == rules.Resume || a.alerts[id].painted, Reminders: a.alerts[id].reminders,
		})
	}
	return p, a.changed
}
