package followup

import (
	"encoding/hex"
	"slices"
	"time"

	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// Call says that a group of an escalation was called.
type Call struct {
	Group    int // of Escalation.Groups, from 1
	At       time.Time
	Answered int // how many had answered then, as far as the node knew that called
}

// putCall lays that a group was called on the sheet of its alert. Two parts of a district that had split
// may have called the same one: the earlier call counts. mu is held.
func (b *Book) putCall(s *sheet, u factbody.FollowUp) {
	fact := hex.EncodeToString(u.Fact)
	next := Call{int(u.Group), time.UnixMilli(u.At).UTC(), int(u.Answered)}
	calls := b.calls[fact]
	if len(calls) == 0 {
		s.called = append(s.called, fact)
	}
	at, known := slices.BinarySearchFunc(calls, next.Group, func(c Call, group int) int { return c.Group - group })
	switch {
	case !known:
		b.calls[fact] = slices.Insert(slices.Clone(calls), at, next) // who was given the old one may read it
	case next.At.Before(calls[at].At) || next.At.Equal(calls[at].At) && next.Answered < calls[at].Answered:
		calls = slices.Clone(calls)
		calls[at] = next
		b.calls[fact] = calls
	}
}

// Calls lists which groups of the message of a fact were called, in their order. It must not be modified.
func (b *Book) Calls(fact string) []Call {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.calls[fact]
}

// Called is how many of the further groups of the message of a fact were called: all up to the last one of
// which that is known, so that a call which is still on its way leaves nobody out.
func (b *Book) Called(fact string) int {
	calls := b.Calls(fact)
	if len(calls) == 0 {
		return 0
	}
	return calls[len(calls)-1].Group
}

// RemindersOf is when devices were last to present what is in force again, and when they are the next time
// by themselves, every so long; zero where there is none. What a person said last of reminders stands above what the
// message says itself. given gives who approved the message; it is called only where that matters.
func (b *Book) RemindersOf(ids []alert.ID, m *alerts.Message, given func() []board.Approval, now time.Time) (last, next time.Time, every time.Duration) {
	if last, every = b.Reminded(ids, m.Entry.Revision, now); !last.IsZero() {
		if every > 0 {
			next = last.Add(every)
		}
		return last, next, every
	}
	if every = m.RemindEvery(); every == 0 {
		return last, next, 0
	}
	since := m.ShownSince(given())
	passed := max(0, now.Sub(since)) / every
	if passed > 0 {
		last = since.Add(passed * every)
	}
	return last, since.Add((passed + 1) * every), every
}
