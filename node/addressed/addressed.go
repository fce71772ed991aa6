// Package addressed says whom a message of an alert addresses: whom it did when it was agreed
// on, who has joined since, and whom it addresses now. Only these count when it is said whom
// an alert has reached.
//
//	message, targets ─> lookup.Index ─> Now ─> Known (remembered until the audience changes)
//	story, message ─> agreed? ─> Target (as agreed) + who joined ─> Who
//
// It decides nothing, writes nothing and does not say whom anything has reached: that is
// reached. It never imports api, channels or another part of node but alerts, stories and
// wire.
package addressed

import (
	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/alerts"
	"almenara/node/stories"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/audience/lookup"
)

// State is what was agreed of audiences; *agreed.Reader is one.
type State interface {
	// Index is that of all members now.
	Index() *lookup.Index
	// Target is whom the message addressed when it was adopted. The bitmap is the caller's.
	Target(key alert.Key, revision alert.Revision) (*roaring.Bitmap, error)
	// EndOrdinals is how many members there had ever been when a message of the alert was shown
	// no more: when the message of the fact next was adopted, which may be "", or the alert
	// ended; 0: not known. ended says that this is agreed.
	EndOrdinals(id alert.ID, next string) (given uint32, ended bool, err error)
}

// Resolver works out whom messages address. Its methods may be called from any goroutine.
type Resolver struct {
	// Called is how many of the further groups of the message of a fact were called. Set it before the
	// resolver is used; nil is none.
	Called func(fact string) int

	state   State
	stories *stories.Finder
	known   resolved
}

// New makes a resolver. Changed must be called whenever members or places change.
func New(state State, s *stories.Finder) *Resolver { return &Resolver{state: state, stories: s} }

// called is how many further groups of a message it is for by now.
func (r *Resolver) called(m *alerts.Message) int {
	if m.Escalation() == nil || r.Called == nil {
		return 0
	}
	return r.Called(m.Fact)
}

// Who is who counts for a message. The sets must not be modified.
type Who struct {
	Addressed *roaring.Bitmap // when it was adopted; before, now
	Joined    *roaring.Bitmap // came later, while the message was the newest of an alert in force
}

// Entitled is everybody who counts: in every answer about the message its rung queued. A
// device may tell of an alert that it was never sent, and its word must not make anybody
// believe that the others have it. The bitmap is the caller's.
func (w Who) Entitled() *roaring.Bitmap { return roaring.Or(w.Addressed, w.Joined) }

// Of is whom a message of the alert addressed when it was adopted, and who joined since:
// only while the alert was in force, because who comes later is never told. Before adoption
// it is whom it addresses now. Of what ran out before it was known how many members there
// were, nobody has joined. Where the message is nil, both sets are empty.
func (r *Resolver) Of(s *stories.Story, m *alerts.Message) (w Who, err error) {
	w.Addressed, w.Joined = roaring.New(), roaring.New()
	if m == nil {
		return w, nil
	}
	also := s.Also(m)
	agreed, err := r.stories.Agreed(m.Fact)
	if err != nil {
		return w, err
	}
	if !agreed {
		now, err := r.Known(m, also...)
		w.Addressed = now.Members
		return w, err
	}
	if w.Addressed, err = r.Recorded(s, m); err != nil {
		return w, err
	}
	last, known, err := r.lastToJoin(s, m)
	if err != nil || last == 0 && known {
		return w, err
	}
	now, err := r.Known(m, also...)
	if err != nil {
		return w, err
	}
	w.Joined = roaring.AndNot(now.Members, w.Addressed)
	if known {
		w.Joined.RemoveRange(uint64(last), 1<<32)
	}
	return w, nil
}

// Recorded is whom the message, and those before it whose audience it speaks to, addressed
// when they were adopted, if they were. The bitmap is the caller's.
func (r *Resolver) Recorded(s *stories.Story, m *alerts.Message) (*roaring.Bitmap, error) {
	all := roaring.New()
	for _, part := range append(s.Also(m), m) {
		of, err := r.state.Target(part.Entry.Key, part.Entry.Claimed)
		if err != nil {
			return nil, err
		}
		all.Or(of)
	}
	return all, nil
}

// lastToJoin is how many members there had ever been when the message was shown no more:
// those with higher ordinals cannot have joined. It is not known while it is not agreed that it was the
// newest of an alert that has ended, and so is no member that came after; it is 0 where the end was before this
// was kept, or nobody was ever shown the alert. What this node has in memory plays no part: every node
// says the same.
func (r *Resolver) lastToJoin(s *stories.Story, m *alerts.Message) (ordinals uint32, known bool, err error) {
	next, state := s.Next(m), r.stories.State(s)
	if state == wire.StateRecorded {
		return 0, true, nil
	}
	fact := ""
	if next != nil {
		fact = next.Fact
	} else if s.OnBook && len(s.Cancels) == 0 && state != wire.StateExpired {
		return 0, false, nil
	}
	return r.state.EndOrdinals(s.ID, fact)
}
