package alerts

import (
	"slices"
	"time"

	"almenara/storage/alert/board"
	"almenara/storage/factbody"
)

// Texts has the messages that are in the agreed state.
type Texts interface {
	// Has reports whether the message of the fact is there.
	Has(fact string) bool

	// Issue reads the body of the fact; nil where it is not there.
	Issue(fact string) (*factbody.Issue, error)
}

// Texts are in memory of what stands, which budgets bound, and of what is not agreed yet, which
// the journal bounds (fact.JournalOptions.AlertsBytes). Of everything else there is a stub: one
// alert may have hundreds of Updates, of which devices are shown the last.

// retryTexts is how often it is looked at what has run out, and asked whether that is agreed,
// where Agreed did not tell.
const retryTexts = 10 * time.Second

// texts is which messages of a book have their texts in memory.
type texts struct {
	held    map[string]struct{} // by fact
	changed bool                // since the last look: messages, approvals, or what is agreed
	asked   time.Time           // when it was last asked what is agreed
}

// Agreed says that the message of the fact is in the agreed state from now on. The texts of one
// that does not stand then, such as a Cancel, are given up at once: nothing else may happen
// for long that would have somebody look.
func (b *Book) Agreed(fact string, now time.Time) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.fresh[fact]; !ok {
		return
	}
	isAgreed(b, fact)
	b.texts.changed = true
	if m, ok := b.messages[fact]; ok && b.agreed != nil && m.texts == nil && !b.stands(m, now) {
		b.giveUp(m)
	}
}

// GiveUpTexts gives the texts up that need not be in memory at now. At does so, too.
func (b *Book) GiveUpTexts(now time.Time) {
	if b.agreed == nil {
		return
	}
	for _, fact := range b.idle(now) {
		if !b.agreed.Has(fact) {
			continue
		}
		b.mu.Lock()
		isAgreed(b, fact)
		if m, ok := b.messages[fact]; ok && m.texts == nil && !b.stands(m, now) {
			b.giveUp(m)
		}
		b.mu.Unlock()
	}
}

// idle gives up what is known to be agreed and does not stand, and lists, now and then, what
// does not stand and is not known to be agreed.
func (b *Book) idle(now time.Time) (unsure []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	t := &b.texts
	ask := now.Before(t.asked) || !now.Before(t.asked.Add(retryTexts)) // also where a clock was set back
	if !ask && !t.changed {
		return nil
	}
	if t.changed = false; ask {
		t.asked = now
	}
	for fact := range t.held {
		m := b.messages[fact]
		_, fresh := b.fresh[fact]
		switch {
		case b.stands(m, now):
		case !fresh:
			b.giveUp(m)
		case ask:
			unsure = append(unsure, fact)
		}
	}
	return unsure
}

// stands reports whether the message is shown, or will be unless something happens. mu is held.
func (b *Book) stands(m *Message, now time.Time) bool {
	return slices.Contains([]board.Standing{board.InForce, board.Future, board.Pending}, b.board.Judge(m.Entry, now))
}

// giveUp puts a stub in the place of a message. mu is held.
func (b *Book) giveUp(m *Message) {
	b.replace(m, m.stub(b.agreed))
	delete(b.texts.held, m.Fact)
}

// fill reads the texts of what is in force where the book has given them up, for as long as it
// stands: a clock was set back, or what came since has lost.
func (b *Book) fill(l *Live) error {
	if l.Message.texts == nil {
		return nil
	}
	whole, err := l.Message.Whole()
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.messages[whole.Fact] == l.Message {
		b.replace(l.Message, whole)
		b.texts.held[whole.Fact] = struct{}{}
		b.texts.changed = true
	}
	l.Message = whole
	return nil
}

// replace puts one message in the place of another with the same fact. mu is held.
func (b *Book) replace(old, by *Message) {
	b.messages[old.Fact] = by
	same := b.byKey[old.Entry.Key.ID()]
	for i := range same {
		if same[i] == old {
			same[i] = by
		}
	}
}

// isAgreed notes that a fact is in the agreed state. mu is held.
func isAgreed(b *Book, fact string) {
	if _, fresh := b.fresh[fact]; fresh {
		delete(b.fresh, fact)
		b.known = true
	}
}
