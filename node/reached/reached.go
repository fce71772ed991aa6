// Package reached says whom an alert has reached, as far as a node knows: what the
// district has agreed on and, while the node is without a majority or its disk is full,
// also what that node holds and nobody could agree on yet.
package reached

import (
	"fmt"
	"sync"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/cluster/journal"
	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Agreed is what the state machine has of receipts; *agreed.Reader implements it.
type Agreed interface {
	Tally(id alert.ID) (*receipt.Tally, error)
	ReceiptFacts(id alert.ID, from uint64, fn func(fact.Fact, receipt.Block)) error
}

// Journal has the facts that wait until they are agreed; *journal.Journal implements it.
type Journal interface {
	ReadWaiting(r *journal.Reading, stream fact.Stream, fn func(fact.Fact)) error
	AllAdopted(r *journal.Reading) bool
}

// Known is what a node knows of receipts. It may be used from any goroutine.
type Known struct {
	agreed  Agreed
	journal Journal
	alone   func() bool // nothing can be agreed on this node now

	mu      sync.Mutex // guards what follows; held while the journal is read
	reading journal.Reading
	waiting *receipt.Tally // of what was read; nil while this node agrees with the district
}

// New makes a Known. alone says that the node cannot agree on anything now.
func New(agreed Agreed, journal Journal, alone func() bool) *Known {
	return &Known{agreed: agreed, journal: journal, alone: alone}
}

// Now is what is known at this moment. What the node held alone counts until all of it is
// agreed: nobody who was reached is lost from sight in between.
func (k *Known) Now() (View, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.alone():
		if k.waiting == nil {
			k.waiting = receipt.NewTally()
		}
		if err := k.journal.ReadWaiting(&k.reading, fact.Receipts, k.add); err != nil {
			return View{}, fmt.Errorf("reading receipts that wait: %w", err)
		}
	case k.waiting != nil && k.journal.AllAdopted(&k.reading):
		k.waiting, k.reading = nil, journal.Reading{}
	}
	return View{agreed: k.agreed, journal: k.journal, waiting: k.waiting, seen: &seen{tallies: map[alert.ID]*receipt.Tally{}}}, nil
}

// add folds one fact in. mu is held.
func (k *Known) add(f fact.Fact) {
	if f.Kind != fact.KindReceipts { // what people report waits with them
		return
	}
	if block, err := receipt.DecodeBlock(f.Body); err == nil { // what cannot be read counts nowhere
		k.waiting.Add(block)
	}
}

// News is the alert that a receipt fact tells of which is new to this node; false where its
// agreement will be told anyhow.
func (k *Known) News(f fact.Fact) (alert.ID, bool) {
	if !k.alone() {
		return "", false
	}
	block, err := receipt.DecodeBlock(f.Body)
	if err != nil {
		return "", false
	}
	return block.Alert()
}

// View is what is known at one moment. It may be used from several goroutines.
type View struct {
	agreed  Agreed
	journal Journal
	waiting *receipt.Tally // nil where only what is agreed counts
	seen    *seen
}

// seen are the agreed tallies that were asked for: an alert of many messages has as many ids,
// and all of them are asked for each message.
type seen struct {
	mu      sync.Mutex
	tallies map[alert.ID]*receipt.Tally
}

// tally is the agreed one of an id.
func (v View) tally(id alert.ID) (*receipt.Tally, error) {
	v.seen.mu.Lock()
	defer v.seen.mu.Unlock()
	if t := v.seen.tallies[id]; t != nil {
		return t, nil
	}
	t, err := v.agreed.Tally(id)
	if err == nil {
		v.seen.tallies[id] = t
	}
	return t, err
}

// From says whose knowledge it is.
func (v View) From() wire.Source {
	if v.waiting == nil {
		return wire.SourceDistrict
	}
	return wire.SourceThisNode
}

// Counts counts the rungs of one revision under any of the ids, among these members.
func (v View) Counts(among *roaring.Bitmap, ids []alert.ID, revision alert.Revision) (receipt.Counts, error) {
	if v.waiting == nil || len(ids) == 0 {
		told, err := agreed.Told(ids, v.tally)
		return told.CountsAmong(among, revision), err
	}
	all, err := v.merged(ids)
	if err != nil {
		return receipt.Counts{}, err
	}
	return all.CountsAmong(among, ids[0], revision), nil
}

// Members lists who reached the rung of one revision, or a rung that implies it, under any
// of the ids. The bitmap is the caller's own.
func (v View) Members(ids []alert.ID, revision alert.Revision, rung receipt.Rung) (*roaring.Bitmap, error) {
	if v.waiting == nil || len(ids) == 0 {
		told, err := agreed.Told(ids, v.tally)
		return told.Members(revision, rung), err
	}
	all, err := v.merged(ids)
	if err != nil {
		return nil, err
	}
	return all.Members(ids[0], revision, rung), nil
}

// Answers are the last answers of these members to one revision under any of the ids, of those that used a
// word. The map is the caller's.
func (v View) Answers(ids []alert.ID, revision alert.Revision, among *roaring.Bitmap) (map[uint32]receipt.Answer, error) {
	out := map[uint32]receipt.Answer{}
	for _, id := range ids {
		agreed, err := v.tally(id)
		if err != nil {
			return nil, err
		}
		for _, t := range []*receipt.Tally{agreed, v.waiting} {
			if t == nil {
				continue
			}
			for it := among.Iterator(); it.HasNext(); {
				a, ok := t.AnswerOf(id, it.Next())
				if !ok || a.Revision != revision {
					continue
				}
				if old, known := out[a.Member]; !known || a.Follows(old) {
					out[a.Member] = a
				}
			}
		}
	}
	return out, nil
}

// merged is the tally of all ids under the first one: an end that is agreed counts no more
// where this node has proof that the alert was presented.
func (v View) merged(ids []alert.ID) (*receipt.Tally, error) {
	all := receipt.NewTally()
	for _, id := range ids {
		agreed, err := v.tally(id)
		if err != nil {
			return nil, err
		}
		all.Merge(ids[0], agreed, id)
		all.Merge(ids[0], v.waiting, id)
	}
	return all, nil
}

// Receipts calls fn for the receipts under the ids, in no order.
func (v View) Receipts(ids []alert.ID, fn func(receipt.Receipt)) error {
	return v.Blocks(ids, func(_ time.Time, b receipt.Block) {
		for _, r := range b.Receipts {
			fn(r)
		}
	})
}

// Blocks calls fn for the blocks of receipts under the ids, in no order, with when the node to which
// the devices told them made each, by the clock of that node.
func (v View) Blocks(ids []alert.ID, fn func(made time.Time, b receipt.Block)) error {
	wanted := map[alert.ID]bool{}
	for _, id := range ids {
		wanted[id] = true
		if err := v.agreed.ReceiptFacts(id, 0, func(f fact.Fact, b receipt.Block) { fn(fact.WallTime(f.HLC), b) }); err != nil {
			return err
		}
	}
	if v.waiting == nil {
		return nil
	}
	return v.journal.ReadWaiting(&journal.Reading{}, fact.Receipts, func(f fact.Fact) {
		b, err := receipt.DecodeBlock(f.Body)
		if err != nil {
			return
		}
		if id, ok := b.Alert(); ok && wanted[id] {
			fn(fact.WallTime(f.HLC), b)
		}
	})
}

// Waits reports whether receipts under the ids count that are not agreed.
func (v View) Waits(ids []alert.ID) bool {
	for _, id := range ids {
		if v.waiting != nil && len(v.waiting.Revisions(id)) > 0 {
			return true
		}
	}
	return false
}

// Agreed is the same without what only this node holds.
func (v View) Agreed() View { return View{agreed: v.agreed, journal: v.journal, seen: v.seen} }
