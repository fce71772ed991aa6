package check

import (
	"fmt"
	"time"

	"almenara/storage/alert"
)

const (
	// lateWarning is how late a message comes before its sender is told: a feed that is
	// read every few minutes is not worth a word.
	lateWarning = time.Hour

	// maxSlip is the largest error that looks like a wrong offset, and slipSlack how near to
	// whole half hours it is then, delivery included.
	maxSlip   = 14 * time.Hour
	slipSlack = 10 * time.Minute
)

// Times holds what the message says of time against now, at which a node is about to
// take it. known says of a reference whether its message has come; nil knows none. sure is
// false where the node does not know what time it is: then the message is believed.
func Times(a *alert.Alert, now time.Time, sure bool, known func(alert.Key) bool) alert.Findings {
	var found alert.Findings
	c := checker{found: &found}
	ahead := a.Sent.Time().Sub(now)
	switch {
	case ahead > alert.MaxAhead && sure:
		c.reject("sent-ahead", "sent %s is %s ahead of this node's clock; the most that is taken is a day", a.Sent, alert.Span(ahead)).As("sent-far-ahead", c.at, a.Sent, alert.Span(ahead))
		return found
	case ahead > alert.ClockSlack:
		c.warn("sent-ahead", "sent %s is %s ahead of this node's clock%s; the message counts from its acceptance", a.Sent, alert.Span(ahead), slip(ahead)).As(slipCode("sent-ahead", "sent-ahead-offset", ahead), c.at, a.Sent, alert.Span(ahead))
	case -ahead > lateWarning:
		c.warn("sent-behind", "sent %s is %s behind this node's clock%s", a.Sent, alert.Span(-ahead), slip(-ahead)).As(slipCode("sent-behind", "sent-behind-offset", -ahead), c.at, a.Sent, alert.Span(-ahead))
	}
	c.laterReferences(a, now, known)
	if a.MsgType != alert.MsgTypeAlert && a.MsgType != alert.MsgTypeUpdate {
		return found
	}
	for n := range a.Infos {
		c.at = alert.Place{Info: n + 1}
		c.plans(a, &a.Infos[n], now)
	}
	c.at = alert.Place{}
	c.holds(a, now)
	return found
}

// laterReferences refuses references to what cannot have been sent yet. A sender whose
// clock is ahead may name what it sent before.
func (c *checker) laterReferences(a *alert.Alert, now time.Time, known func(alert.Key) bool) {
	latest := alert.Later(a.Sent.Time(), now.Add(alert.ClockSlack))
	for _, ref := range a.References {
		if ref.Sent.Time().After(latest) && (known == nil || !known(ref)) {
			c.reject("references-ahead", "the reference %q is sent %s after this message came in, and no such message is known here",
				alert.Clip(ref.String()), alert.Span(ref.Sent.Time().Sub(now)))
			return
		}
	}
}

// plans bounds how far ahead an info block may lie.
func (c *checker) plans(a *alert.Alert, i *alert.Info, now time.Time) {
	begins := alert.Later(a.Sent.Time(), now)
	switch onset := i.Onset.Time(); {
	case i.Effective.Time().Sub(begins) > alert.MaxPlanned:
		c.reject("effective-ahead", "effective %s is more than %d days ahead, and nothing waits longer", i.Effective, int(alert.MaxPlanned/(24*time.Hour)))
	case !i.Onset.IsZero() && onset.Sub(now).Abs() > alert.MaxOnset:
		c.warn("onset-ahead", "onset %s is more than a year away; it is passed on as it is, and decides nothing", i.Onset)
	}
}

// holds refuses what would never be in force though its sender says that it is or will be.
func (c *checker) holds(a *alert.Alert, now time.Time) {
	from, until := a.EffectiveAt(now), a.ExpiresFrom(alert.Earlier(a.Sent.Time(), now))
	claimed := false
	for n := range a.Infos {
		claimed = claimed || a.Infos[n].Expires.Time().After(now)
	}
	switch {
	case !until.After(now) && claimed:
		c.reject("sent-too-long-ago", "sent %s is %s ago, and nothing is in force longer than %d days after it was sent",
			a.Sent, alert.Span(now.Sub(a.Sent.Time())), int(alert.MaxLifetime/(24*time.Hour)))
	case !until.After(now):
		c.warn("expired", "the message expired %s ago", alert.Span(now.Sub(until)))
	case !from.Before(until):
		c.reject("never-in-force", "it would begin at %s, when it has expired: nothing is in force longer than %d days after it was sent",
			from.UTC().Format(time.RFC3339), int(alert.MaxLifetime/(24*time.Hour))).As("never-in-force", c.at, from, int(alert.MaxLifetime/(24*time.Hour)))
	}
}

// slip says that a distance looks like a wrong time zone.
func slip(d time.Duration) string {
	halves := d.Round(30 * time.Minute)
	if halves == 0 || halves > maxSlip || (d-halves).Abs() > slipSlack {
		return ""
	}
	return fmt.Sprintf(", about %s, which looks like a wrong time zone offset", alert.Span(halves))
}

// slipCode is the code of a sentence, or of that with what slip says of d.
func slipCode(code, offset string, d time.Duration) string {
	if slip(d) != "" {
		return offset
	}
	return code
}
