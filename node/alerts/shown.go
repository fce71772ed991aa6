package alerts

import (
	"slices"
	"time"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// ShownSince is when a message came in force: when it was accepted or approved, or when it says that it
// begins. given is who approved it.
func (m *Message) ShownSince(given []board.Approval) time.Time {
	since := m.Entry.Accepted
	if m.Entry.Effective.After(since) {
		since = m.Entry.Effective
	}
	for _, a := range given {
		if a.At.After(since) {
			since = a.At
		}
	}
	return since
}

// Emergency reports whether a real emergency is shown. What cannot be read may be one.
func (p Picture) Emergency() bool {
	return p.Err != nil || slices.ContainsFunc(p.InForce, func(l Live) bool {
		return l.Message.Alert != nil && alert.PresentationOf(l.Message.Alert.Status, l.Message.Alert.Infos).Tier == alert.TierEmergency
	})
}
