// Package present goes from a fact to what devices are given: what a fact becomes here, and when
// devices are handed what is in force, and for whom.
//
//	exchange ─> Learner.Learn ─> book, budget, originals ─> readers, Changed
//	log      ─> Learner.Adopted ─> book, progress ─> readers
//	Changed, AudienceChanged, StateReplaced, time ─> Presenter.Run ─> Book.At ─> Builder.Build ─> Set
//	                                                                └─> a note of each revision begun
//
// What a message is good for is the book's, how it is written to devices is the dispatcher's. It
// never imports api, cluster but for facts and what the log made of them, or another part of node
// but alerts, budget, events, replication and wire.
package present

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/channels"
	"almenara/channels/signal"
	"almenara/node/alerts"
	"almenara/storage/alert"
	"almenara/storage/audience/lookup"
	"almenara/storage/receipt"
)

// State is whom the record says that a message was for, or has reached; *agreed.Reader is one.
type State interface {
	Target(key alert.Key, revision alert.Revision) (*roaring.Bitmap, error)
	ReceiptMembers(ids []alert.ID, revision alert.Revision, rung receipt.Rung) (*roaring.Bitmap, error)
}

// Notes puts on record that this node wrote an alert to its devices; *notes.Notes is one.
type Notes interface {
	Fanout(id alert.ID, revision alert.Revision, devices int)
}

// Options say what a Presenter needs. None may be nil.
type Options struct {
	Book     *alerts.Book
	State    State
	Audience func() *lookup.Index
	Set      func(channels.Situation) error // gives devices what is in force
	Keys     func() []byte                  // the signed key ring
	Here     func(members *roaring.Bitmap) int
	Notes    func() Notes
	Touch    func(id alert.ID) // something has become of an alert
	// Reminded is when devices were last to present what is in force again, and when they are the next time
	// by themselves; zero: never.
	Reminded func(l alerts.Live) (last, next time.Time)
	// Called is how many of the further groups of the message of a fact were called.
	Called func(fact string) int
	Passed func()       // what holds is another because its time has come; must not block
	Recall func() error // lays what was agreed on the book
	Clock  func() time.Time
	Logger *slog.Logger
}

// Presenter hands on what is in force. Changed, AudienceChanged, StateReplaced and Last may be
// called from any goroutine; the rest is Run's.
type Presenter struct {
	book       *alerts.Book
	state      State
	set        func(channels.Situation) error
	keys       func() []byte
	here       func(members *roaring.Bitmap) int
	notes      func() Notes
	touch      func(id alert.ID)
	passed     func()
	recall     func() error
	clock      func() time.Time
	log        *slog.Logger
	situations *Builder[*lookup.Index]

	changed   signal.Signal // something that devices may have to hear of
	audience  signal.Signal // which may wait for more of the same
	replaced  atomic.Bool   // the whole state: the book must read it anew
	last      atomic.Pointer[channels.Situation]
	next      time.Time // when what was handed over last changes by itself; zero: never
	announced announced
}

// New makes one that presents nothing before Run.
func New(o Options) *Presenter {
	p := &Presenter{
		book: o.Book, state: o.State, set: o.Set, keys: o.Keys, here: o.Here, notes: o.Notes, touch: o.Touch, passed: o.Passed, recall: o.Recall,
		clock: o.Clock, log: o.Logger, changed: signal.New(), audience: signal.New(),
	}
	p.situations = NewBuilder(BuilderOptions[*lookup.Index]{Audience: o.Audience, Messages: o.Book, Told: p.told, Reminded: o.Reminded, Called: o.Called, Logger: o.Logger})
	return p
}

// Changed says that something has changed that devices may have to hear of. It does not block.
func (p *Presenter) Changed() { p.changed.Set() }

// AudienceChanged says that members or places have. It does not block.
func (p *Presenter) AudienceChanged() { p.audience.Set() }

// StateReplaced says that another node's state has come. It does not block.
func (p *Presenter) StateReplaced() { p.replaced.Store(true) }

// Last is what devices were given last; nil before anything was.
func (p *Presenter) Last() *channels.Situation { return p.last.Load() }

// shiftTime is how long a changed audience waits for more changes: an import is many
// commits, and each look sends every device a manifest.
const shiftTime = 200 * time.Millisecond

// Run hands what is in force to the dispatcher whenever it may have changed:
// a new fact, a changed audience or key ring, or time.
func (p *Presenter) Run(ctx context.Context) {
	timer := time.NewTimer(0)
	defer timer.Stop()
	due := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-p.audience:
			if soon := time.Now().Add(shiftTime); soon.Before(due) {
				due = soon
				timer.Reset(shiftTime)
			}
			continue
		case <-p.changed:
		case <-timer.C:
		}
		next := p.now()
		due = time.Now().Add(next)
		timer.Reset(next)
	}
}

// now hands over what holds now and says when to look again at the latest.
func (p *Presenter) now() time.Duration {
	p.Reread()
	now := p.clock()
	picture := p.book.At(now)
	if !p.next.IsZero() && !now.Before(p.next) {
		p.passed()
	}
	p.next = picture.Next
	if picture.Err != nil {
		p.log.Error("an alert in force cannot be read", "error", picture.Err)
	}
	next, left := p.situations.Build(picture.InForce, picture.Ended)
	next.Keys = p.keys()
	p.last.Store(&next)
	if err := p.set(next); err != nil {
		p.log.Error("not everything in force can be delivered", "error", err)
	}
	for _, it := range next.InForce {
		if p.announced.add(it.Alert, it.Revision) {
			p.recordFanout(it)
			p.touch(it.Alert)
		}
	}
	p.announced.keep(picture.InForce)
	switch {
	case left.Missing > 0:
		return 0
	case left.Stale > 0:
		return stalePause
	}
	wait := presentAtMost
	for _, at := range []time.Time{picture.Next, left.Remind} {
		if !at.IsZero() {
			wait = min(wait, max(at.Sub(p.clock()), time.Millisecond))
		}
	}
	return wait
}

const (
	// presentAtMost is how long the presenter waits when nothing changes.
	presentAtMost = time.Minute
	// stalePause is how long it waits while it works out what a changed audience means for
	// what is in force: others need the processor too.
	stalePause = 10 * time.Millisecond
)

// told is whom the record says that the message was for, or has reached.
func (p *Presenter) told(id alert.ID, m alerts.Addressing) (*roaring.Bitmap, error) {
	to, err := p.state.Target(m.Key, m.Claimed)
	if err != nil {
		return nil, err
	}
	reached, err := p.state.ReceiptMembers([]alert.ID{id, m.Key.ID()}, m.Revision, receipt.Sent)
	if err != nil {
		return nil, err
	}
	to.Or(reached)
	return to, nil
}

// Reread lays the state's alerts on the book again after it was replaced by
// another node's: what that brought was told to nobody.
func (p *Presenter) Reread() {
	if !p.replaced.Swap(false) {
		return
	}
	if err := p.recall(); err != nil {
		p.replaced.Store(true)
		p.log.Error("the alerts of the new state cannot be read", "error", err)
	}
}

// recordFanout puts on record that this node wrote an alert to its devices. It is a
// fact of its own and waits for nobody.
func (p *Presenter) recordFanout(it channels.Item) {
	members := roaring.New()
	for _, part := range it.Parts {
		members.Or(part.To)
	}
	devices := p.here(members)
	if devices == 0 {
		return
	}
	p.notes().Fanout(it.Alert, it.Revision, devices)
}
