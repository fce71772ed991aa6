// Package newest keeps what is written now above what was said before. CAP 1.2 knows no
// parts of a second, and two messages of one second are ordered by digits of their keys,
// which nobody chose. So what a node writes is given a time of its own, and what comes with
// its own times is held against what stands. It reads the book, records nothing and has no
// clock.
package newest

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"almenara/node/alerts"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// errOvertaken is why a message that a node writes is not recorded: another one of its alert
// came in since its time was chosen.
var errOvertaken = errors.New("another message of the alert came in meanwhile")

// tries is how often a message is written again that others overtake.
const tries = 5

// Write writes a message, and again as long as others overtake it: write says what Check
// does.
func Write(write func() (wire.Outcome, error)) (wire.Outcome, error) {
	for range tries {
		out, err := write()
		if !errors.Is(err, errOvertaken) {
			return out, err
		}
	}
	return wire.Outcome{}, wire.Problemf(wire.KindBusy, "nothing was sent: others change this alert at this very moment; look at what it says now, and try again").Because(why.OthersChange)
}

// SaysSent reports whether the JSON form of an alert says itself when it was sent.
func SaysSent(form json.RawMessage) bool {
	var said struct {
		Sent json.RawMessage `json:"sent"`
	}
	return json.Unmarshal(form, &said) == nil && len(said.Sent) > 0
}

// After is the second after the newest known message of the alerts to which the keys belong,
// also after one that waits for approval or is still to come; zero where none is known.
func After(book *alerts.Book, keys []alert.Key) (next time.Time) {
	for _, k := range keys {
		card, _ := book.Card(k.ID())
		for _, e := range slices.Concat(card.Messages, card.Lost) {
			next = alert.Later(next, second(e.Revision).Add(time.Second))
		}
	}
	return next.UTC()
}

// second is the second of a revision.
func second(r alert.Revision) time.Time { return time.UnixMilli(int64(r)).Truncate(time.Second) }

// Message is what is about to be recorded.
type Message struct {
	*alerts.Message
	Continues []alert.Key // the alerts that it goes on with
	Stamped   bool        // the node wrote its sent, by After
	Direct    bool        // the node writes it: it is to replace what stands
}

// Check refuses what would lose against a message that is known, where its sender cannot mean
// that: what a node writes is to replace what stands, and of two messages of one second the
// later one is. What a central system sent earlier and comes later is taken, and stands
// behind. What the caller has to know is a *wire.Problem; any other error is for Write.
func Check(book *alerts.Book, m Message, now time.Time) error {
	if len(m.Continues) == 0 {
		return nil
	}
	if sent := m.Alert.Sent.Time(); m.Stamped {
		switch ahead := sent.Sub(m.Entry.Accepted); { // not now: what is believed is reckoned from there
		case After(book, m.Continues).After(sent):
			return errOvertaken
		case ahead > alert.ClockSlack:
			p := wire.Problemf(wire.KindBusy, "nothing was sent: what the alert says now is of a time %d s ahead of this node's clock, so that nothing written now stands above it; cancel it, or try again then", int(ahead.Seconds())).Because(why.ClockBehind, int(ahead.Seconds()))
			p.RetryAfter = int((ahead - alert.ClockSlack).Seconds()) + 1
			return p
		}
	}
	above, id, found := standsAbove(book, m.Message, now)
	same := second(above.Revision).Equal(second(m.Entry.Revision))
	if !found || !same && !m.Direct {
		return nil
	}
	p := wire.Problemf(wire.KindConflict, "nothing was sent: %s stands, which is later by its own time; send it with a later one", above.Key).Because(why.LaterStands)
	if same {
		p = wire.Problemf(wire.KindConflict, "nothing was sent: %s stands, which is of the same second, and CAP knows no shorter time to order them; send it with a later one", above.Key).Because(why.LaterStands)
	}
	p.Alert = string(id)
	return p
}

// standsAbove is the message that would stand above m once m is there, and the alert of both.
// It is not found where m would stand itself, or does not for other reasons.
func standsAbove(book *alerts.Book, m *alerts.Message, now time.Time) (board.Entry, alert.ID, bool) {
	with := book.With(m)
	standing, id := with.Standing(m, now)
	card, ok := with.Card(id)
	if standing != board.Superseded || !ok {
		return board.Entry{}, "", false
	}
	for _, e := range slices.Backward(card.Messages) {
		other := with.Message(e.Fact)
		if other == nil || e.Key.Same(m.Entry.Key) {
			continue
		}
		if s, _ := with.Standing(other, now); s == board.InForce || s == board.Expired {
			return e, id, true
		}
	}
	return board.Entry{}, "", false
}
