package rules

import (
	"maps"
	"slices"
	"time"

	"almenara/channels/contract"
)

// Unconfirmed are the bodies that were presented before power went and may be shown, marked and silently, as long as
// no whole manifest has come since (CONTRACT.md §7.5): nothing was ever known of them that speaks against it, and at,
// a time that the caller stands for, they had not run out. verified gives the body as its signature says it is, now;
// nil where it does not verify. It is no beginning, nothing is presented, and nothing is told but, once a manifest has
// come, that what was asked for here and is not taken up is shown no more.
func (r *Rules) Unconfirmed(at time.Time, verified func(*contract.Body) *contract.Body) []Effect {
	var effects []Effect
	for _, id := range slices.Sorted(maps.Keys(r.alerts)) {
		m := r.alerts[id]
		if !m.cut || m.resume == nil || m.resume.Revision <= m.ended || m.resume.Revision < m.highest || !m.presented(m.resume.Revision) {
			continue
		}
		b := verified(m.resume)
		switch {
		case b == nil || m.ranOut:
			continue
		case !at.Before(b.Expires): // and stays so, should somebody set the clock back
			m.ranOut, r.changed = true, true
			continue
		}
		m.asked = b.Revision
		effects = append(effects, Effect{Action: Resume, Alert: id, Revision: b.Revision, Body: b, Look: Look{Tier: LookOf(b).Tier, Sound: "none"}})
	}
	return effects
}

// presented reports whether the revision was told as presented, and nothing was told of a later one.
func (m *memory) presented(revision uint64) bool {
	return m.toldRev == revision && slices.ContainsFunc(m.told, func(t contract.Receipt) bool { return t.Rung == contract.RungPresented })
}

// Has reports whether exactly this body is shown, waits, or was shown before power went; and whether Export has it,
// because it is shown, or was.
func Has(r *Rules, b *contract.Body) (has, shown bool) {
	m := r.alerts[b.Alert]
	if m == nil {
		return false, false
	}
	is := func(o *contract.Body) bool { return o != nil && o.Revision == b.Revision && o.Digest == b.Digest }
	shown = is(m.shown) || m.shown == nil && is(m.resume)
	return shown || is(m.resume) || is(m.held) || is(m.other), shown
}
