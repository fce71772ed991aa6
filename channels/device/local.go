package device

import (
	"strings"
	"time"

	"almenara/channels/contract"
	"almenara/channels/device/rules"
)

// Local is what the box beside a device tells it and asks of it: what became of what Present left
// pending, its health, and how its link is. Its methods may be called from any goroutine.
type Local struct{ device *Device }

// LocalOf is that of a device.
func LocalOf(d *Device) Local { return Local{d} }

// Presented says that a revision is shown or was spoken, for which Present returned ErrPending,
// or which had failed at first.
func (l Local) Presented(alert string, revision uint64) {
	l.device.input(func(r *rules.Rules, now time.Time) []rules.Effect {
		return presented(l.device, r, alert, revision, now)
	})
}

// Failed says that a revision cannot be shown, as far as is known.
func (l Local) Failed(alert string, revision uint64) {
	l.device.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Failed(alert, revision, now) })
}

// Stopped says that a revision is shown no more.
func (l Local) Stopped(alert string, revision uint64) {
	l.device.input(func(r *rules.Rules, now time.Time) []rules.Effect { return r.Stopped(alert, revision, now) })
}

// Tested says what a command test came to; the device tells it in its state. Its texts are cut to
// what a state may hold.
func (l Local) Tested(t contract.Tested) {
	t.ID, t.Why = cut(t.ID), cut(t.Why)
	t.Exercised = t.Exercised[:min(len(t.Exercised), contract.MaxExercised)]
	l.device.mu.Lock()
	l.device.tested = &t
	l.device.mu.Unlock()
	l.device.wake.Set()
}

// LastTest is what the last test came to; false where there was none.
func (l Local) LastTest() (contract.Tested, bool) {
	l.device.mu.Lock()
	defer l.device.mu.Unlock()
	if l.device.tested == nil {
		return contract.Tested{}, false
	}
	return *l.device.tested, true
}

func cut(text string) string {
	return strings.ToValidUTF8(text[:min(len(text), contract.MaxStateText)], "")
}

// HealthChanged says that Options.Health would answer something else than before.
func (l Local) HealthChanged() { l.device.wake.Set() }

// Connected reports whether the device is connected to a node and subscribed.
func (l Local) Connected() bool {
	l.device.mu.Lock()
	defer l.device.mu.Unlock()
	return l.device.link != nil && l.device.link.served
}

// Now is the time, corrected by the node's; before the first manifest that of the box, as it was corrected last.
func (l Local) Now() time.Time {
	l.device.mu.Lock()
	defer l.device.mu.Unlock()
	if at, known := l.device.past.Now(); known && l.device.rules.LastWord().IsZero() {
		return at
	}
	return l.device.rules.Corrected(l.device.options.Clock())
}

// Unconfirmed are effects, as of Resume, of what the device had presented before its power went and may show now as not
// confirmed since: marked, without a sound, and told by nobody (CONTRACT.md §7.5). There is none in the first five
// seconds, and none once a manifest has come: what was given here and is not taken up then ends with a Stop. It is to
// be asked again each second or so.
func (l Local) Unconfirmed() []rules.Effect {
	l.device.mu.Lock()
	defer l.device.mu.Unlock()
	if l.device.stopped {
		return nil
	}
	effects := l.device.past.Unconfirmed(l.device.rules, l.device.options.Clock())
	l.device.save(false) // what has run out stays so
	return effects
}
