// Package agent is what runs on a device's own box beside its browser: it is the device of the
// contract, keeps what is in force, and serves the page of a screen at an address of the box
// itself, which therefore survives a reload while no node can be reached. The browser draws what
// it is given and says what it has painted; the agent tells that, and nothing else, as presented.
//
// It owns the requests between page and agent, and watches both page and glass: a browser that hangs
// is started anew, and what a page no longer paints is taken back. It knows neither files, flags nor
// programs, and of our packages imports channels/device, its rules, the contract, channels/pages
// and channels/agent/picture.
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
	// Browser is the browser of the box where the agent keeps it running; nil: somebody else does.
	Browser Browser
	// Picture takes a picture of the glass, which is looked at and forgotten; nil: none can be taken.
	Picture Camera
	// Power switches the screen of the box on while an emergency is in force; nil: nobody does.
	Power  Power
	Clock  func() time.Time // measures how long ago something was; nil: the system's
	Logger *slog.Logger     // nil: no logs
}

// Browser is one that can be started anew.
type Browser interface {
	Restart()
	Starts() int // how often it was started
}

// Power is that of the screen.
type Power interface {
	Need(bool)       // an emergency is in force, or is not any more; returns at once
	Powered() string // "on", "standby", …; "unknown" where it does not tell
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
	pages    map[string]*page           // pages that listen, by the id that each has made up
	unproven []rules.Effect             // what may be shown while no node has confirmed it since the power went
	told     string                     // of what healthNow and Seen gave last, to know when they change
	dog      watchdog
	glass    glass
}

// presented is one alert that the page is to show.
type presented struct {
	effect  rules.Effect
	painted bool // by some page, now
	proven  bool // it was painted once, and that was told

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
	if o.Clock == nil {
		o.Clock = time.Now
	}
	a := &Agent{
		options: o, changed: make(chan struct{}), alerts: map[string]*presented{}, stopping: map[device.Revision]uint64{}, pages: map[string]*page{},
		dog: watchdog{since: o.Clock()}, glass: newGlass(),
	}
	o.Device.Present, o.Device.Command, o.Device.Health, o.Device.Seen = a.present, a.command, a.healthNow, a.canBeSeen
	d, err := device.New(o.Device)
	if err != nil {
		return nil, err
	}
	a.device = d
	return a, nil
}

// Run keeps the device connected to one node or another, and watches the browser, until ctx ends.
func (a *Agent) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	watching.Go(func() { a.watch(ctx) })
	if a.options.Picture != nil {
		watching.Go(func() { a.lookAgain(ctx) })
	}
	return a.device.Run(ctx)
}

// present gives the page what has begun or ended. It is told when a page has painted it.
func (a *Agent) present(e rules.Effect) error {
	a.options.Speak(e)
	a.mu.Lock()
	defer a.mu.Unlock()
	defer a.needPower()
	a.change()
	if e.Action == rules.Stop {
		if p := a.alerts[e.Alert]; p != nil && p.effect.Revision <= e.Revision {
			p.timer.Stop()
			delete(a.alerts, e.Alert)
		}
		if len(a.pages) == 0 {
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
	failed := p != nil && p.effect.Revision == revision && !p.proven
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
		case len(a.pages) == 0:
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
// What a page says it has painted is looked for in a picture, where one can be taken.
func (a *Agent) answered(t contract.Tested) {
	a.mu.Lock()
	waited := t.ID != "" && a.test == t.ID
	if waited {
		a.test = ""
	}
	a.mu.Unlock()
	switch {
	case !waited:
	case t.Result == contract.TestPassed && a.options.Picture != nil:
		a.glass.ask(func(why string) {
			if why != "" {
				t.Result, t.Why = contract.TestFailed, why
			}
			device.LocalOf(a.device).Tested(t)
		})
	default:
		device.LocalOf(a.device).Tested(t)
	}
}

// change tells every page. The caller holds mu.
func (a *Agent) change() {
	a.seq++
	close(a.changed)
	a.changed = make(chan struct{})
}

// content is what the page is to show now, and what is closed when it has changed.
func (a *Agent) content() (content, <-chan struct{}) {
	silence, heard := a.device.LastWord()
	a.mu.Lock()
	defer a.mu.Unlock()
	a.lookUnconfirmed()
	p := content{
		Seq: a.seq, Shot: a.glass.shot, Now: device.LocalOf(a.device).Now().UnixMilli(), Silence: -1, Connected: device.LocalOf(a.device).Connected(), Alerts: []alertOnPage{}, Commands: a.commands,
		Device: deviceOnPage{ID: a.device.ID(), Zone: a.options.Zone, Under: a.options.Under},
	}
	if heard {
		p.Silence = silence.Milliseconds()
	}
	for _, id := range slices.Sorted(maps.Keys(a.alerts)) {
		e := a.alerts[id].effect
		on := onPage(e)
		on.Resumed, on.Reminders = on.Resumed || a.alerts[id].proven, a.alerts[id].reminders
		p.Alerts = append(p.Alerts, on)
	}
	for _, e := range a.unproven {
		p.Unconfirmed = append(p.Unconfirmed, onPage(e))
	}
	return p, a.changed
}

func onPage(e rules.Effect) alertOnPage {
	return alertOnPage{Alert: e.Alert, Revision: e.Revision, Body: e.Body, Look: lookOnPage{e.Look.Tier, e.Look.Sound}, Resumed: e.Action == rules.Resume}
}

// lookUnconfirmed asks what may be shown while no node has confirmed it since the power of the box went, and tells
// every page where that has changed. Nothing of it is presented, spoken or told. The caller holds mu.
func (a *Agent) lookUnconfirmed() {
	now := device.LocalOf(a.device).Unconfirmed()
	same := func(x, y rules.Effect) bool { return x.Alert == y.Alert && x.Revision == y.Revision }
	if slices.EqualFunc(now, a.unproven, same) {
		return
	}
	a.unproven = now
	a.needPower()
	a.change()
}
