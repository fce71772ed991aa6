package alert

import (
	"encoding/binary"
	"fmt"
	"time"
)

// How far the times that a message claims are believed against the time at which a node
// took it. The nodes of a district keep to the first three in what they make of every
// message, also of one that older software took; CheckTimes holds new ones to the rest.
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

	// lateWarning is how late a message comes before its sender is told: a feed that is
	// read every few minutes is not worth a word.
	lateWarning = time.Hour

	// maxSlip is the largest error that looks like a wrong offset, and slipSlack how near to
	// whole half hours it is then, delivery included.
	maxSlip   = 14 * time.Hour
	slipSlack = 10 * time.Minute
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

// CheckTimes holds what the message says of time against now, at which a node is about to
// take it. known says of a reference whether its message has come; nil knows none. sure is
// false where the node does not know what time it is: then the message is believed.
func (a *Alert) CheckTimes(now time.Time, sure bool, known func(Key) bool) Findings {
	var found Findings
	c := checker{found: &found}
	ahead := a.Sent.Time().Sub(now)
	switch {
	case ahead > MaxAhead && sure:
		c.reject("sent-ahead", "sent %s is %s ahead of this node's clock; the most that is taken is a day", a.Sent, distance(ahead))
		return found
	case ahead > ClockSlack:
		c.warn("sent-ahead", "sent %s is %s ahead of this node's clock%s; the message counts from its acceptance", a.Sent, distance(ahead), slip(ahead))
	case -ahead > lateWarning:
		c.warn("sent-behind", "sent %s is %s behind this node's clock%s", a.Sent, distance(-ahead), slip(-ahead))
	}
	c.laterReferences(a, now, known)
	if a.MsgType != MsgTypeAlert && a.MsgType != MsgTypeUpdate {
		return found
	}
	for n := range a.Infos {
		c.at = place{info: n + 1}
		c.plans(a, &a.Infos[n], now)
	}
	c.at = place{}
	c.holds(a, now)
	return found
}

// laterReferences refuses references to what cannot have been sent yet. A sender whose
// clock is ahead may name what it sent before.
func (c *checker) laterReferences(a *Alert, now time.Time, known func(Key) bool) {
	latest := Later(a.Sent.Time(), now.Add(ClockSlack))
	for _, ref := range a.References {
		if ref.Sent.Time().After(latest) && (known == nil || !known(ref)) {
			c.reject("references-ahead", "the reference %q is sent %s after this message came in, and no such message is known here",
				clip(ref.String()), distance(ref.Sent.Time().Sub(now)))
			return
		}
	}
}

// plans bounds how far ahead an info block may lie.
func (c *checker) plans(a *Alert, i *Info, now time.Time) {
	begins := Later(a.Sent.Time(), now)
	switch onset := i.Onset.Time(); {
	case i.Effective.Time().Sub(begins) > MaxPlanned:
		c.reject("effective-ahead", "effective %s is more than %d days ahead, and nothing waits longer", i.Effective, MaxPlanned/(24*time.Hour))
	case !i.Onset.IsZero() && onset.Sub(now).Abs() > MaxOnset:
		c.warn("onset-ahead", "onset %s is more than a year away; it is passed on as it is, and decides nothing", i.Onset)
	}
}

// holds refuses what would never be in force though its sender says that it is or will be.
func (c *checker) holds(a *Alert, now time.Time) {
	from, until := a.EffectiveAt(now), a.ExpiresFrom(Earlier(a.Sent.Time(), now))
	claimed := false
	for n := range a.Infos {
		claimed = claimed || a.Infos[n].Expires.Time().After(now)
	}
	switch {
	case !until.After(now) && claimed:
		c.reject("sent-too-long-ago", "sent %s is %s ago, and nothing is in force longer than %d days after it was sent",
			a.Sent, distance(now.Sub(a.Sent.Time())), MaxLifetime/(24*time.Hour))
	case !until.After(now):
		c.warn("expired", "the message expired %s ago", distance(now.Sub(until)))
	case !from.Before(until):
		c.reject("never-in-force", "it would begin at %s, when it has expired: nothing is in force longer than %d days after it was sent",
			from.UTC().Format(time.RFC3339), MaxLifetime/(24*time.Hour))
	}
}

// slip says that a distance looks like a wrong time zone.
func slip(d time.Duration) string {
	halves := d.Round(30 * time.Minute)
	if halves == 0 || halves > maxSlip || (d-halves).Abs() > slipSlack {
		return ""
	}
	return fmt.Sprintf(", about %s, which looks like a wrong time zone offset", distance(halves))
}

// distance writes a duration as people say it.
func distance(d time.Duration) string {
	const day = 24 * time.Hour
	switch d = d.Round(time.Second); {
	case d > MaxOnset:
		return "more than a year"
	case d >= 2*day:
		return fmt.Sprintf("%d days", d/day)
	case d >= time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	case d >= time.Minute:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	}
	return fmt.Sprintf("%d s", d/time.Second)
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
