package device

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/outbox"
	"almenara/channels/device/past"
	"almenara/channels/device/rules"
	"almenara/channels/signal"
)

// ErrPending is returned by Present where it is not known yet whether the device shows what it
// was asked to, or shows it no more. Local says so later.
var ErrPending = errors.New("not shown yet")

// ErrStopped is returned by Start and Run of a device that was stopped.
var ErrStopped = errors.New("device stopped")

// Device is one device of the contract: it keeps a connection to some node, lets
// Rules decide, presents, and tells. Make it with New, then Run it, or Start and
// Stop it. All methods may be called from any goroutine.
type Device struct {
	options Options
	record  record
	wake    signal.Signal // something is to be published

	mu       sync.Mutex // guards all below
	rules    *rules.Rules
	ring     contract.Ring
	keys     []byte // the ring as it came, for the memory
	outbox   outbox.Outbox
	session  uint64    // number of the connection, for state and will
	drawn    Revision  // that was presented last, since New
	drawnAt  time.Time // when, corrected
	link     *link     // nil while not connected
	effects  []rules.Effect
	draining bool        // one goroutine carries out effects
	timer    *time.Timer // for Rules.Next
	confirms map[Revision]*time.Timer
	tested   *contract.Tested // what the last test came to; nil: none
	past     past.Past        // of before a power cut
	stopped  bool
	cancel   context.CancelFunc // of Start
	done     chan struct{}      // of Start
	work     sync.WaitGroup     // goroutines that are inside input
}

// stored is the memory of a device as Save gets it.
type stored struct {
	Rules   json.RawMessage `json:"rules"`
	Keys    string          `json:"keys,omitempty"`
	Session uint64          `json:"session"`
	Outbox  outbox.Outbox   `json:"outbox"`
	past.Stored
}

// New makes a device from its options and, after a power cut, its memory. Nothing
// runs yet. A memory that cannot be read is refused: starting without it could
// start an alert twice, which is for the caller to decide.
func New(o Options) (*Device, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, fmt.Errorf("making device: %w", err)
	}
	d := &Device{options: o, wake: signal.New(), rules: rules.New(), confirms: map[Revision]*time.Timer{}, past: past.New(o.Wall, o.Clock())}
	if o.Memory != nil {
		if err := d.restore(o.Memory); err != nil {
			return nil, fmt.Errorf("making device %s: %w", o.ID, err)
		}
	}
	return d, nil
}

func (d *Device) restore(memory []byte) error {
	var s stored
	err := json.Unmarshal(memory, &s)
	if err != nil {
		return fmt.Errorf("reading memory: %w", err)
	}
	if d.rules, err = rules.Import(s.Rules); err != nil {
		return err
	}
	if s.Keys != "" {
		if d.ring, err = contract.OpenKeys(d.options.RootKey, []byte(s.Keys)); err != nil {
			return fmt.Errorf("reading remembered keys: %w", err)
		}
		d.keys = []byte(s.Keys)
	}
	d.session, d.outbox = s.Session, s.Outbox
	d.past.Import(s.Stored, d.ring, func(err error) { d.refuse("memory", err) })
	return nil
}

// save stores the memory when it has changed. The caller holds mu.
func (d *Device) save(changed bool) {
	if !d.rules.Changed() && !changed || d.options.Save == nil {
		return
	}
	rules, err := d.rules.Export()
	if err != nil {
		d.options.Logger.Error("memory not saved", "device", d.options.ID, "error", err)
		return
	}
	raw, err := json.Marshal(stored{
		Rules: rules, Keys: string(d.keys), Session: d.session, Outbox: d.outbox, Stored: d.past.Export(d.rules, d.options.Clock()),
	})
	if err == nil {
		err = d.options.Save(raw)
	}
	if err != nil {
		d.options.Logger.Error("memory not saved", "device", d.options.ID, "error", err)
	}
}

// letIn notes whether a node lets a device in. The caller holds its mu.
func letIn(d *Device, in bool) {
	if d.past.LetIn(in) {
		d.save(true)
	}
}

// Start runs the device until Stop. A second Start does nothing.
func (d *Device) Start() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return ErrStopped
	}
	if d.cancel != nil {
		return nil
	}
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel, d.done = cancel, make(chan struct{})
	go func() {
		defer close(d.done)
		_ = d.Run(ctx) // ctx is the only reason why it ends
	}()
	return nil
}

// Stop says goodbye to the node, ends everything that Start or Run began and waits
// for it. What is shown is not stopped: the device is switched off. It may be
// called more than once, and before Start.
func (d *Device) Stop() {
	d.mu.Lock()
	cancel, done := d.cancel, d.done
	d.mu.Unlock()
	if cancel != nil {
		cancel()
		<-done
	}
	d.close()
}

// close lets no more input in and waits for what is inside.
func (d *Device) close() {
	d.mu.Lock()
	d.stopped = true
	if d.timer != nil {
		d.timer.Stop()
	}
	for _, timer := range d.confirms {
		timer.Stop()
	}
	clear(d.confirms)
	d.mu.Unlock()
	d.work.Wait()
}

// Acknowledge is a person's confirmation of what the device shows, with an answer
// of at most contract.MaxAnswer bytes.
func (d *Device) Acknowledge(alert string, revision uint64, answer string) {
	d.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Acknowledge(alert, revision, answer, now) })
}

// Presenting lists the alerts that the device shows now.
func (d *Device) Presenting() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rules.Presenting()
}

// LastWord is how long ago the last manifest came; false before the first. People
// at a screen see by it whether its silence means anything.
func (d *Device) LastWord() (time.Duration, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	at := d.rules.LastWord()
	return d.options.Clock().Sub(at), !at.IsZero()
}

// ID is the device's id.
func (d *Device) ID() string { return d.options.ID }

// input gives something to the rules and carries out what they ask for, in order
// and one at a time: whoever finds nobody at it does all that is waiting.
func (d *Device) input(give func(r *rules.Rules, now time.Time) []rules.Effect) {
	d.mu.Lock()
	if d.stopped {
		d.mu.Unlock()
		return
	}
	d.work.Add(1)
	defer d.work.Done()
	d.take(give(d.rules, d.options.Clock()))
	if !d.draining {
		d.drain()
	}
	d.mu.Unlock()
}

// take notes effects. Receipts go to the outbox at once, so that they are in the
// memory that is saved before anything is carried out. The caller holds mu.
func (d *Device) take(effects []rules.Effect) {
	for _, e := range effects {
		if e.Action != rules.Tell {
			d.effects = append(d.effects, e)
			continue
		}
		if d.outbox.Add(e.Receipt) {
			d.options.Logger.Warn("receipt dropped", "device", d.options.ID)
		}
	}
	d.save(false)
}

// drain carries out what is waiting, and leaves the timer set for the next change
// that time brings. The caller holds mu, which is released around each effect.
func (d *Device) drain() {
	d.draining = true
	for len(d.effects) > 0 && !d.stopped {
		e := d.effects[0]
		d.effects = d.effects[1:]
		d.mu.Unlock()
		d.carryOut(e)
		d.mu.Lock()
	}
	d.effects = nil
	d.draining = false
	d.setTimer()
	d.wake.Set()
}

func (d *Device) setTimer() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
	if next, ok := d.rules.Next(); ok && !d.stopped {
		d.timer = time.AfterFunc(max(next.Sub(d.options.Clock()), 0), func() {
			d.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Tick(now) })
		})
	}
}

// carryOut does one effect, without holding mu.
func (d *Device) carryOut(e rules.Effect) {
	switch e.Action {
	case rules.Start, rules.Replace, rules.Resume:
		d.present(e)
	case rules.Remind:
		if err := d.options.Present(e); err != nil && !errors.Is(err, ErrPending) {
			d.options.Logger.Error("alert not presented again", "device", d.options.ID, "alert", e.Alert, "error", err)
		}
		d.happened(Event{What: Reminded, Alert: e.Alert, Revision: e.Revision, Body: e.Body, Look: e.Look})
	case rules.Stop:
		d.unpresent(e)
	case rules.Do:
		carryOutCommand(d, e.Command)
		d.happened(Event{What: Commanded, Detail: e.Command.Do})
	}
}

// carryOutCommand has a device carry out a command. What shows or sounds an alert is left alone by a test: it says busy.
func carryOutCommand(d *Device, c contract.Command) {
	switch {
	case c.Do == contract.DoTest && len(d.Presenting()) > 0:
		LocalOf(d).Tested(contract.Tested{ID: c.ID, Result: contract.TestBusy, Why: "an alert is presented"})
	case d.options.Command != nil:
		d.options.Command(c)
	case c.Do == contract.DoTest:
		LocalOf(d).Tested(contract.Tested{ID: c.ID, Result: contract.TestPassed, Exercised: []string{contract.ExercisedBy(d.options.Kind)}})
	}
}

// unpresent takes away what has stopped, and tells that it could.
func (d *Device) unpresent(e rules.Effect) {
	err := d.options.Present(e)
	if err != nil && !errors.Is(err, ErrPending) {
		d.options.Logger.Error("presentation not stopped", "device", d.options.ID, "alert", e.Alert, "error", err)
	}
	d.happened(Event{What: Stopped, Alert: e.Alert, Revision: e.Revision, Reason: e.Reason})
	if err == nil {
		d.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Stopped(e.Alert, e.Revision, now) })
	}
}

// present shows what has begun and tells whether it could.
func (d *Device) present(e rules.Effect) {
	what := Started
	if e.Action == rules.Resume {
		what = Resumed
	}
	err := d.options.Present(e)
	d.happened(Event{What: what, Alert: e.Alert, Revision: e.Revision, Body: e.Body, Look: e.Look})
	if errors.Is(err, ErrPending) {
		return
	}
	d.input(func(r *rules.Rules, now time.Time) []rules.Effect {
		if err != nil {
			return r.Failed(e.Alert, e.Revision, now)
		}
		return presented(d, r, e.Alert, e.Revision, now)
	})
	if err == nil && e.Body.Confirm == "person" && d.options.ConfirmAfter > 0 {
		d.confirmLater(Revision{Alert: e.Alert, Revision: e.Revision})
	}
}

// presented notes that a device really shows a revision. The caller holds its mu.
func presented(d *Device, r *rules.Rules, alert string, revision uint64, now time.Time) []rules.Effect {
	d.drawn, d.drawnAt = Revision{Alert: alert, Revision: revision}, r.Corrected(now)
	return r.Presented(alert, revision, now)
}

// confirmLater is the person in front of the device.
func (d *Device) confirmLater(of Revision) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped || d.confirms[of] != nil {
		return
	}
	d.confirms[of] = time.AfterFunc(d.options.ConfirmAfter, func() {
		d.mu.Lock()
		delete(d.confirms, of)
		d.mu.Unlock()
		d.Acknowledge(of.Alert, of.Revision, d.options.Answer)
	})
}

// happened records an event and passes it on.
func (d *Device) happened(e Event) {
	d.mu.Lock()
	e.Device, e.At = d.options.ID, d.rules.Corrected(d.options.Clock())
	d.mu.Unlock()
	d.record.add(e)
	d.options.OnEvent(e)
}
