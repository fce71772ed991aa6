package rules

import (
	"math"
	"slices"
	"time"

	"almenara/channels/contract"
)

// settle brings one alert to where it must be now. Every input ends here, so that
// the order in which manifest, body and time arrive makes no difference.
func (r *Rules) settle(m *memory, now time.Time) []Effect {
	var effects []Effect
	effects = append(effects, r.settleResume(m, now)...)
	effects = append(effects, r.settleHeld(m, now)...)
	return append(effects, r.settleShown(m, now)...)
}

// settleResume takes up again what was shown before the device lost power, once a whole
// manifest has given the time and had the chance to end it. What is not taken up, or was
// to stop when the power went, is shown no more; where it was shown without a manifest
// (see Unconfirmed), only once it has been taken away.
func (r *Rules) settleResume(m *memory, now time.Time) []Effect {
	if !m.cut || !r.heard {
		return nil
	}
	b, asked, reason := m.resume, m.asked > 0, Reason("")
	m.cut, m.resume, m.asked, m.ranOut = false, nil, 0, false
	switch {
	case b == nil:
	case b.Revision <= m.ended:
		reason = ReasonEnded
	case r.expired(b, now):
		reason = ReasonExpired
	case b.Revision < m.highest:
		reason = ReasonSuperseded
	}
	if reason != "" && !asked { // it is dark since the power went
		m.stop(b.Revision)
		b = nil
	}
	effects := r.stoppedAll(m, math.MaxUint64, now)
	switch {
	case b == nil:
		return effects
	case reason != "":
		m.stop(b.Revision)
		r.changed = true
		return append(effects, stopped(b, reason))
	}
	m.shown, m.reminded = b, r.Corrected(now)
	return append(effects, Effect{Action: Resume, Alert: m.id, Revision: b.Revision, Body: b, Look: LookOf(b)})
}

// stop notes that a revision is to be shown no more.
func (m *memory) stop(revision uint64) {
	if len(m.stopping) == maxStopping {
		m.stopping = slices.Delete(m.stopping, 0, 1)
	}
	m.stopping = append(m.stopping, revision)
}

// stoppedAll tells of every revision up to this one that was to stop that it is shown no more.
func (r *Rules) stoppedAll(m *memory, upTo uint64, now time.Time) []Effect {
	var effects []Effect
	m.stopping = slices.DeleteFunc(m.stopping, func(revision uint64) bool {
		if revision > upTo {
			return false
		}
		effects = append(effects, r.tell(m, revision, contract.RungCancelled, now)...)
		return true
	})
	r.changed = r.changed || len(effects) > 0
	return effects
}

// settleHeld begins a body for which there is evidence, and lets go of one for
// which there can be none any more.
func (r *Rules) settleHeld(m *memory, now time.Time) []Effect {
	if m.other != nil && r.lists(m.other) {
		m.held, m.other = m.other, m.held
	}
	b := m.held
	switch {
	case b == nil:
		return nil
	case b.Revision <= m.ended:
		m.letGo()
		m.done, r.changed = max(m.done, b.Revision), true
		return r.tell(m, b.Revision, contract.RungCancelled, now)
	case r.expired(b, now):
		m.letGo()
		m.done, r.changed = max(m.done, b.Revision), true
		return r.tell(m, b.Revision, contract.RungExpired, now)
	case b.Revision < m.highest:
		m.letGo()
		m.done, r.changed = max(m.done, b.Revision), true
		return nil
	case !r.evidence(b):
		return nil
	}
	return r.begin(m, now)
}

// evidence reports whether the body may begin: the newest manifest, which must
// have come on this connection, lists it, or the body is newer than that manifest.
func (r *Rules) evidence(b *contract.Body) bool {
	return r.heard && (r.lists(b) || b.Time.After(r.newest))
}

// lists reports whether the newest manifest lists exactly this body.
func (r *Rules) lists(b *contract.Body) bool {
	in, ok := r.listed[b.Alert]
	return ok && in.Revision == b.Revision && in.Digest == b.Digest
}

// expired judges by the corrected clock. Without a manifest there is none, and
// nothing is shown either.
func (r *Rules) expired(b *contract.Body, now time.Time) bool {
	return r.skewKnown && !r.Corrected(now).Before(b.Expires)
}

// begin presents the held body. Tests are verified and recorded, never presented.
func (r *Rules) begin(m *memory, now time.Time) []Effect {
	b, old := m.held, m.shown
	m.letGo()
	m.shown, m.until, m.reminded = b, time.Time{}, r.Corrected(now)
	m.done, m.highest, r.changed = b.Revision, max(m.highest, b.Revision), true
	look := LookOf(b)
	if old != nil {
		m.stop(old.Revision)
	}
	switch {
	case look.Tier == contract.TierTest && old != nil:
		m.shown = nil
		return []Effect{stopped(old, ReasonSuperseded)}
	case look.Tier == contract.TierTest:
		m.shown = nil
		return nil
	case old != nil:
		return []Effect{{Action: Replace, Alert: m.id, Revision: b.Revision, Body: b, Look: look}}
	}
	return []Effect{{Action: Start, Alert: m.id, Revision: b.Revision, Body: b, Look: look}}
}

// settleShown stops what is shown, for one of the three reasons there are.
func (r *Rules) settleShown(m *memory, now time.Time) []Effect {
	b := m.shown
	if b == nil {
		return nil
	}
	var reason Reason
	switch {
	case b.Revision <= m.ended:
		reason = ReasonEnded
	case r.expired(b, now):
		reason = ReasonExpired
	case !m.until.IsZero() && !now.Before(m.until):
		reason = ReasonSuperseded
	default:
		return nil
	}
	m.shown, m.until, r.changed = nil, time.Time{}, true
	m.stop(b.Revision)
	return []Effect{stopped(b, reason)}
}

func stopped(b *contract.Body, reason Reason) Effect {
	return Effect{Action: Stop, Alert: b.Alert, Revision: b.Revision, Reason: reason}
}

// Presented says that the device has shown or spoken the revision, as Start,
// Replace or Resume asked. Only then is it told, and also that what it replaced is
// shown no more.
func (r *Rules) Presented(alert string, revision uint64, now time.Time) []Effect {
	var effects []Effect
	if m, ok := r.alerts[alert]; ok && revision > 0 {
		effects = r.stoppedAll(m, revision-1, now)
	}
	return append(effects, r.step(alert, revision, contract.RungPresented, now)...)
}

// Stopped says that the device shows the revision no more, as Stop asked. Only then is it
// told, as cancelled: it is how the district counts the screens that have really stopped. A
// device that could not stop does not say so.
func (r *Rules) Stopped(alert string, revision uint64, now time.Time) []Effect {
	m, ok := r.alerts[alert]
	if !ok || !slices.Contains(m.stopping, revision) {
		return nil
	}
	return r.stoppedAll(m, revision, now)
}

// Failed says that the device could not show or speak the revision.
func (r *Rules) Failed(alert string, revision uint64, now time.Time) []Effect {
	return r.step(alert, revision, contract.RungFailed, now)
}

// step tells a rung of a revision that began.
func (r *Rules) step(alert string, revision uint64, rung string, now time.Time) []Effect {
	m, ok := r.alerts[alert]
	if !ok || revision == 0 || revision != m.done { // 0 is no revision, and no node takes a receipt of it
		return nil
	}
	return r.tell(m, revision, rung, now)
}

// Acknowledge says that a person confirmed the revision, with an answer of at most
// contract.MaxAnswer bytes. What is not shown, or no more, cannot be confirmed. Another answer than before
// takes its place.
func (r *Rules) Acknowledge(alert string, revision uint64, answer string, now time.Time) []Effect {
	m, ok := r.alerts[alert]
	if !ok || m.shown == nil || m.shown.Revision != revision || len(answer) > contract.MaxAnswer {
		return nil
	}
	acknowledged := func(t contract.Receipt) bool { return t.Rung == contract.RungAcknowledged }
	if at := slices.IndexFunc(m.told, acknowledged); revision == m.toldRev && at >= 0 {
		return r.change(&m.told[at], answer, now)
	}
	effects := r.tell(m, revision, contract.RungAcknowledged, now)
	for i := range effects {
		effects[i].Receipt.Answer = answer
		if revision == m.toldRev { // else the last receipt is of a revision that was refused meanwhile
			m.told[len(m.told)-1].Answer = answer
		}
	}
	return effects
}

// answersApart is what lies between two answers of a device at least, as their times say it: the later one
// counts, and times are kept in steps of tenths of a second.
const answersApart = time.Second

// change tells another answer than before, above it. Without a word nothing is changed.
func (r *Rules) change(told *contract.Receipt, answer string, now time.Time) []Effect {
	if answer == "" || answer == told.Answer {
		return nil
	}
	at := r.Corrected(now).UTC().Truncate(time.Millisecond)
	if above := told.At.Add(answersApart); at.Before(above) {
		at = above
	}
	told.At, told.Answer, r.changed = at, answer, true
	return []Effect{{Action: Tell, Alert: told.Alert, Revision: told.Revision, Receipt: *told}}
}

// Command takes a verified command. It is carried out at most once, and not after
// it has run out; without a manifest the device does not know the time and waits
// for the node to send it again.
func (r *Rules) Command(c contract.Command, now time.Time) []Effect {
	_, twice := r.commands[c.ID]
	if twice || !r.skewKnown || !r.Corrected(now).Before(c.Expires) || len(r.commands) >= maxAlerts {
		return nil
	}
	r.commands[c.ID], r.changed = c.Expires, true
	return []Effect{{Action: Do, Command: c}}
}

// Presenting lists the alerts that are shown, sorted.
func (r *Rules) Presenting() []string {
	var ids []string
	for id, m := range r.alerts {
		if m.shown != nil {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// LastWord is when, by the device's clock, the newest manifest came; the zero time
// before the first. A screen shows how old it is.
func (r *Rules) LastWord() time.Time { return r.lastWord }

// Skew is what has to be added to the device's clock, as far as known.
func (r *Rules) Skew() time.Duration { return r.skew }
