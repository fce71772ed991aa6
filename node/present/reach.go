package present

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// reach is whom one message addresses, by info block.
type reach struct {
	round   uint64 // of the audience
	called  int    // groups after the first that are in it
	perInfo []*roaring.Bitmap
	ever    *roaring.Bitmap // whom any block has addressed since this was first asked
	failed  bool            // some block cannot be resolved, and addresses nobody
}

// reachOf is whom the message addresses now, and how many targets were resolved for that.
// Where that is who it was before, the bitmaps are the same.
func (b *Builder[A]) reachOf(m alerts.Addressing) (*reach, int) {
	old, called := b.reaches[m.Fact], b.called(m.Fact, m.Escalation)
	if old != nil && old.round == b.round && old.called == called {
		return old, 0
	}
	targets, err := m.Targets()
	r := &reach{round: b.round, called: called, perInfo: make([]*roaring.Bitmap, len(targets)), ever: roaring.New(), failed: err != nil}
	if old != nil {
		r.ever = old.ever
	}
	if err != nil {
		r.round = 0 // to be read again
		b.complain(m.Fact, "a message cannot be read, so it is not known whom it addresses", err)
	}
	all := m.Escalation.Targets(targets, called)
	for n, t := range all {
		i := n % len(targets) // group after group, each in the order of the blocks
		if r.perInfo[i] == nil {
			r.perInfo[i] = roaring.New()
		}
		found, err := b.audience.Resolve(t)
		if err != nil {
			r.failed = true
			b.complain(m.Fact, "whom an info block addresses cannot be worked out", err)
			continue
		}
		r.perInfo[i] = union(r.perInfo[i], found.Members)
		r.ever = union(r.ever, found.Members)
	}
	for i := range r.perInfo {
		if old != nil && i < len(old.perInfo) && old.perInfo[i].Equals(r.perInfo[i]) {
			r.perInfo[i] = old.perInfo[i]
		}
	}
	b.reaches[m.Fact] = r
	return r, len(all)
}

// called is how many groups after the first are told of a message.
func (b *Builder[A]) called(fact string, further *factbody.Escalation) int {
	if further == nil || b.Called == nil {
		return 0
	}
	return b.Called(fact)
}

// calledOf is how many groups after the first are told of what is in force; it grows with each.
func (b *Builder[A]) calledOf(l alerts.Live) int {
	n := b.called(l.Message.Fact, l.Message.Escalation())
	for _, other := range l.Also {
		n += b.called(other.Fact, other.Escalation())
	}
	return n
}

// union is both sets together: the first where that is all. Neither is modified, so that
// messages to the same people share one set.
func union(a, b *roaring.Bitmap) *roaring.Bitmap {
	if a.IsEmpty() {
		return b
	}
	if both := roaring.Or(a, b); !both.Equals(a) {
		return both
	}
	return a
}

// share lets a message have the sets of another where they are the same: most Updates are for
// whom the message before was for.
func (r *reach) share(with *reach) {
	for i := range r.perInfo {
		if i < len(with.perInfo) && r.perInfo[i].Equals(with.perInfo[i]) {
			r.perInfo[i] = with.perInfo[i]
		}
	}
	if r.ever.Equals(with.ever) {
		r.ever = with.ever
	}
}

// complain logs what is wrong with a fact, once.
func (b *Builder[A]) complain(fact, what string, err error) {
	if !b.failed[fact] {
		b.failed[fact] = true
		b.Logger.Error(what, "fact", fact, "error", err)
	}
}

// address works out who gets what of an alert in force, and whom it concerns.
func (b *Builder[A]) address(it *item) int {
	own, resolved := b.reachOf(it.live.Message.Addressing())
	perInfo := slices.Clone(own.perInfo)
	for _, other := range it.live.Also {
		r, n := b.reachOf(other.Addressing())
		resolved += n
		for i, members := range r.perInfo {
			if at := min(i, len(perInfo)-1); at >= 0 {
				perInfo[at] = roaring.Or(perInfo[at], members)
			}
		}
	}
	parts := channels.Split(perInfo)
	for i := range parts {
		if i < len(it.parts) && slices.Equal(parts[i].Infos, it.parts[i].Infos) && parts[i].To.Equals(it.parts[i].To) {
			parts[i].To = it.parts[i].To
		}
	}
	if it.parts = parts; parts == nil {
		it.parts = []channels.Part{} // worked out: nobody
	}
	_, n := b.widen(it.live.ID, &it.concern)
	it.round, it.called = b.round, b.calledOf(it.live)
	return resolved + n
}

// widen adds to the concern whom the messages of the alert address and have addressed, and
// whom the record says that they addressed or reached. Nobody leaves it: who has moved away since may still
// show the alert. It says how many messages there are and how many targets were resolved.
func (b *Builder[A]) widen(id alert.ID, c *concern) (count, resolved int) {
	c.count = b.Messages.MessageCount(id)
	messages, complete := b.Messages.MessagesOf(id)
	c.all = !complete
	to := roaring.New()
	if c.to != nil {
		to = c.to.Clone()
	}
	var before *reach
	for _, m := range messages {
		r, n := b.reachOf(m)
		if n > 0 && before != nil {
			r.share(before)
		}
		before, resolved = r, resolved+n
		to.Or(r.ever)
		told, err := b.Told(id, m)
		if err != nil {
			b.complain(m.Fact, "the record of whom a message addressed cannot be read", err)
		} else {
			to.Or(told)
		}
		c.all = c.all || r.failed || err != nil
	}
	if c.to == nil || !c.to.Equals(to) {
		c.to = to
	}
	return len(messages), max(resolved, 1)
}
