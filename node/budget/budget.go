// Package budget says whether one more alert can be carried: it bounds what one sender, one
// block and the district have in force or to come, so that what is accepted can be listed,
// started and ended at every addressed device. What is over budget is refused when it comes
// in, and nothing is ever left out later for it. What is on record already, or comes from
// another node, counts and is never refused.
package budget

import (
	"fmt"
	"slices"
	"sync"
	"time"

	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
)

// Source says what a Budget counts. Its methods may be called from any goroutine.
type Source interface {
	// Standing says what a message of the node is good for at now, and the id of its alert.
	Standing(fact string, now time.Time) (board.Standing, alert.ID)
	// AlertOf is the alert of the message with this key; false when no such message has come.
	AlertOf(alert.Key) (alert.ID, bool)
	// Blocks lists the blocks that the message addresses. It may take milliseconds.
	Blocks(fact string) []string
	// ClassOf says what sort of user has this name.
	ClassOf(author string) Class
}

// Budget counts the messages of one node. Its methods may be called from any goroutine.
// It keeps nothing on disk: what is in force is added again after a start, and a sender's
// rate begins anew.
type Budget struct {
	source Source
	clock  func() time.Time

	mu      sync.Mutex
	items   map[string]*item // by fact
	last    *count           // as of the last look; nil when it must be made anew
	buckets map[bucketKey]*bucket
}

// item is one message that counts or may come to.
type item struct {
	entry   board.Entry
	bytes   int
	holds   bool // as of the last count: it is in force, to come or waiting
	waits   bool // the same: for approvals
	class   Class
	blocks  []string
	located bool     // blocks is known
	of      alert.ID // the alert that it counts for; "" where it counts for none
	unknown int      // references that no message here has; -1: not counted yet
}

// New makes an empty budget.
func New(source Source, clock func() time.Time) *Budget {
	return &Budget{source: source, clock: clock, items: map[string]*item{}, buckets: map[bucketKey]*bucket{}}
}

// Add counts a message that the node has from now on, whoever took it. bytes is the size of its
// record.
func (b *Budget) Add(e board.Entry, bytes int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.items[e.Fact]; ok {
		return
	}
	it := &item{entry: e, bytes: bytes, unknown: -1}
	b.items[e.Fact] = it
	switch {
	case b.last == nil:
	case e.MsgType == alert.MsgTypeAlert && e.Root == (alert.Key{}):
		b.add(b.last, it, b.clock())
	case e.MsgType == alert.MsgTypeCancel && b.countEnd(b.last, it, b.clock()):
	default:
		b.last = nil // others may count otherwise now
	}
}

// Approved says that approvals have come: what waited may stand now.
func (b *Budget) Approved() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.last = nil
}

// Request is a message that somebody wants the node to take.
type Request struct {
	Author    string
	Class     Class
	Emergency bool // it is real and calls for action at once
	Entry     board.Entry
	Bytes     int             // of its record; 0 where that is not made yet, and then bytes are not bounded
	Blocks    func() []string // that it addresses
}

// Refusal is why a message is not taken, in one sentence and for pages, and how long to wait before it
// is worth trying again; 0 is never, unless the message changes.
type Refusal struct {
	Sentence string
	Wait     time.Duration
	Why      why.Why
}

// because says for pages why it is, and returns the refusal.
func (r *Refusal) because(reason why.Reason, with ...any) *Refusal {
	return why.On(r, &r.Why, reason, with)
}

// Take reports why the message must not be taken; nil lets it, and counts it against its
// sender's rate unless it is a trial.
func (b *Budget) Take(r Request, trial bool) *Refusal {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := b.clock()
	r.Blocks = sync.OnceValue(r.Blocks)
	if refs := len(r.Entry.References); refs > MaxReferences {
		return refuse(0, "it references %d messages, and %d is the most that is taken; name the newest, they carry the others", refs, MaxReferences).because(why.BudgetReferences, refs, MaxReferences)
	}
	c := b.count(now)
	if neverShown(r.Entry) {
		if why := c.roomForQuiet(r, now); why != nil {
			return why
		}
	}
	standing := b.open(c, r.Entry)
	cancel := r.Entry.MsgType == alert.MsgTypeCancel
	switch {
	case cancel && len(standing) > 0: // an end of what is in force is always taken
		return b.unknown(c, r)
	case cancel:
		if why := b.unknown(c, r); why != nil {
			return why
		}
		return b.pace(newAlerts[r.Class], r, now, trial)
	case r.Entry.MsgType == alert.MsgTypeUpdate && len(standing) > 0 && alert.Presentable(r.Entry.Status):
		return b.follow(c, r, standing, now, trial)
	}
	if why := b.unknown(c, r); why != nil {
		return why
	}
	if why := c.room(r, now); why != nil {
		return why
	}
	if why := c.roomInMemory(r, nil, now); why != nil {
		return why
	}
	return b.pace(newAlerts[r.Class], r, now, trial)
}

// neverShown reports whether a message is or may be one that nobody is shown: of an Update of
// a drill that shows when it has come. It is never so of what is real, nor of an end.
func neverShown(e board.Entry) bool {
	if e.MsgType == alert.MsgTypeCancel || e.Status == alert.StatusActual {
		return false
	}
	return !alert.Presentable(e.Status) || e.MsgType == alert.MsgTypeUpdate
}

// follow judges an Update of what is in force or to come: it takes the place of what it
// updates, and adds to the blocks only that were not addressed before. One that waits for
// approvals takes a place of its own until it has them, because what it updates goes on.
func (b *Budget) follow(c *count, r Request, standing []*held, now time.Time, trial bool) *Refusal {
	for _, h := range standing {
		if h.messages >= maxMessages {
			return refuse(0, "the alert has %d messages, the most that one may have; cancel it and begin a new one", h.messages).because(why.BudgetMessages, h.messages)
		}
	}
	if why := b.unknown(c, r); why != nil {
		return why
	}
	if r.Entry.Approvals > 0 {
		if why := c.room(r, now); why != nil {
			return why
		}
	} else if r.Class != Administrator {
		wider := slices.DeleteFunc(slices.Clone(r.Blocks()), func(name string) bool {
			return slices.ContainsFunc(standing, func(h *held) bool { return h.in(name) })
		})
		if why := c.roomInBlocks(r, wider, now); why != nil {
			return why
		}
	}
	if why := c.roomInMemory(r, standing, now); why != nil {
		return why
	}
	return b.pace(followUps[r.Class], r, now, trial)
}

// unknown bounds the references to what was never seen.
func (b *Budget) unknown(c *count, r Request) *Refusal {
	fresh := b.unknownIn(r.Entry)
	if fresh == 0 || r.Class == Administrator {
		return nil
	}
	if has, most := c.unknownBy[r.Author], authorUnknown[r.Class]; has+fresh > most {
		return refuse(longestWait, "it references %d messages that nobody here has seen, and %s may have referenced %d such messages at a time, with %d before", fresh, r.Author, most, has).because(why.BudgetUnseen, fresh)
	}
	if c.unknown+fresh > districtUnknown {
		return refuse(longestWait, "it references %d messages that nobody here has seen, and the district remembers %d such messages at a time, %d now", fresh, districtUnknown, c.unknown).because(why.BudgetUnseen, fresh)
	}
	return nil
}

func (b *Budget) unknownIn(e board.Entry) (n int) {
	if e.MsgType == alert.MsgTypeAlert {
		return 0 // it begins an alert of its own, whatever it references
	}
	seen := map[string]bool{}
	for _, ref := range e.References {
		if _, known := b.source.AlertOf(ref); !known && !seen[ref.String()] {
			n, seen[ref.String()] = n+1, true
		}
	}
	return n
}

func refuse(wait time.Duration, format string, args ...any) *Refusal {
	return &Refusal{Sentence: "nothing was sent: " + fmt.Sprintf(format, args...), Wait: min(wait, longestWait)}
}
