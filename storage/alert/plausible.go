package alert

import (
	"encoding/binary"
	"time"
)

// How far the times that a message claims are believed against the time at which a node
// took it. The nodes of a district keep to the first three in what they make of every
// message, also of one that older software took; check.Times holds new ones to the rest.
const (
	// ClockSlack is how far a claimed time may lie behind the acceptance of what names it
	// and still order messages: the clocks of a district are within a minute of each other.
	ClockSlack = time.Minute

	// MaxAhead is how far ahead sent may be. Wrong offsets are the usual reason, and none is
	// more than 14 hours, or 28 where the sign was wrong as well; what is a day ahead is a
	// slip in the date, and nobody knows which one.
	MaxAhead = 24 * time.Hour

	// MaxPlanned is how long a message may wait for its effective: no longer than any is in
	// force.
	MaxPlanned = MaxLifetime

	// MaxOnset is how far from the acceptance an onset may lie before its sender is told. It
	// is shown to people and decides nothing, so that it refuses nothing either.
	MaxOnset = 366 * 24 * time.Hour
)

// RevisionAt is the revision of the message that a node took at accepted: Revision, unless
// that rests on a time, its own or that of a reference, which lies ahead of accepted. Then
// acceptance orders the message: a sender whose clock or offset is wrong, or who says that
// it is the year 9999, neither stays above nor falls below those that come after.
func (a *Alert) RevisionAt(accepted time.Time) Revision {
	latest := accepted.Add(ClockSlack)
	at, exact := Later(a.Sent.Time(), time.Unix(0, 0)), false // before 1970 it would count from the top
	if at.After(latest) {
		at, exact = accepted, true
	}
	for _, ref := range a.References {
		switch next := ref.Sent.Time().Add(time.Second); {
		case next.After(latest):
			if accepted.After(at) {
				at, exact = accepted, true
			}
		case next.After(at):
			at, exact = next, false
		}
	}
	if exact {
		return Revision(at.UnixMilli())
	}
	return revisionOf(a, at)
}

// revisionOf is the second of sent and three digits from the key.
func revisionOf(a *Alert, sent time.Time) Revision {
	sum := a.Key().sum()
	return Revision(sent.Unix()*1000 + int64(binary.BigEndian.Uint16(sum[16:])%1000))
}

// EffectiveAt is from when the message that a node took at accepted is in force: the
// earliest effective of its info blocks. A block without one, or with one that is not after
// sent, holds from the beginning, which is never after the acceptance. What is planned for
// later waits as long after the beginning as the sender says.
func (a *Alert) EffectiveAt(accepted time.Time) time.Time {
	sent := a.Sent.Time()
	begins := Earlier(sent, accepted)
	first := begins
	for n := range a.Infos {
		from := begins
		switch e := a.Infos[n].Effective; {
		case e.IsZero():
		case !e.Time().After(sent):
			from = Earlier(e.Time(), begins)
		case sent.Sub(accepted) > ClockSlack: // the same clock or offset wrote both
			from = accepted.Add(e.Time().Sub(sent))
		default:
			from = e.Time()
		}
		if n == 0 || from.Before(first) {
			first = from
		}
	}
	return first
}

// Writable is t within what every node can write and compare: from 1970 to the end of 9999.
func Writable(t time.Time) time.Time { return Later(Earlier(t, lastTime), time.Unix(0, 0).UTC()) }

// Later is the later one of two times.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// Earlier is the earlier one of two times.
func Earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}

// Believed is the time that a node gave for what somebody did, in ms since 1970, unless it lies ahead of when that
// became known here: the clocks of a district are within a minute of each other, and what is said to be of
// tomorrow would stand above all that is said until then.
func Believed(at int64, known time.Time) int64 {
	if time.UnixMilli(at).After(known.Add(ClockSlack)) {
		return known.UnixMilli()
	}
	return at
}
