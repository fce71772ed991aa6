package archive

import (
	"container/heap"
	"sync"
	"sync/atomic"

	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/archived"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
)

// Alerts is the alerts that were adopted: what may still matter on a board in memory, the
// rest in the store. What changes it is the applying goroutine's: it changes the board before
// the commit, so that readers may see an entry a few milliseconds before it is durable here.
// Whatever takes a transaction and changes nothing may be called from any goroutine.
type Alerts struct {
	state  archived.State // as it is on disk once all is committed
	frozen bool           // nothing is archived until the next start
	ends   endings        // when the messages on the board run out

	retired atomic.Uint64 // how often something was forgotten that is in the archive

	mu     sync.Mutex // guards what follows
	board  *board.Board
	places map[string]Placed // of the messages on the board, by fact id in hex, as board.Entry has it
}

func empty() *Alerts { return &Alerts{board: board.New(), places: make(map[string]Placed)} }

// Freeze keeps everything in memory until the next start, as software without an archive does.
func (a *Alerts) Freeze() { a.frozen = true }

// Held is how many messages are in memory, and how many of their ends are awaited. It is the
// applying goroutine's.
func (a *Alerts) Held() (messages, ends int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.places), len(a.ends)
}

// View calls fn with the board, under its lock: fn must be quick and may not keep it.
func (a *Alerts) View(fn func(*board.Board)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	fn(a.board)
}

// Add puts a message on the board and returns what stands under its key then.
func (a *Alerts) Add(msg *Message) (standing board.Entry, outcome board.Outcome) {
	a.mu.Lock()
	defer a.mu.Unlock()
	outcome = a.board.Add(msg.Entry)
	if e, ok := a.board.Standing(msg.Entry.Key); ok && msg.Entry.MsgType != alert.MsgTypeCancel { // a Cancel acts in any case
		return e, outcome
	}
	return msg.Entry, outcome
}

// Stands reports whether of all facts with the message's key this one stands.
func (a *Alerts) Stands(msg *Message) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	e, ok := a.board.Standing(msg.Entry.Key)
	return ok && e.Fact == msg.Entry.Fact
}

// AlertOf is the id of the alert that the message belongs to now.
func (a *Alerts) AlertOf(msg *Message) alert.ID {
	a.mu.Lock()
	defer a.mu.Unlock()
	if id, ok := a.board.AlertOf(msg.Entry.Key); ok {
		return id
	}
	return msg.Entry.Key.ID()
}

// Approve lays an approval of a message on the board.
func (a *Alerts) Approve(p factbody.Approval) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.board.Approve(p.OnBoard())
}

// ApproveAhead lays an approval on the board whose message has not come. Where there is an
// archive it waits there instead: LayWaiting lays it with the message.
func (a *Alerts) ApproveAhead(p factbody.Approval) {
	if a.frozen {
		a.Approve(p)
	}
}

// Placed is a message as it was adopted.
type Placed struct {
	factlog.Adoption
	Ordinals uint32 // of members, given until then; 0: not known

	Approvers []board.Approval // who has approved it, by name; only Find says so
}

func (p Placed) fact() archived.Fact {
	return archived.Fact{Place: factlog.Place{Index: p.Index, N: p.N}, ID: p.FactID, Ordinals: p.Ordinals}
}

// place remembers where a message on the board was adopted and when it runs out.
func (a *Alerts) place(e board.Entry, one Placed) {
	a.mu.Lock()
	a.places[e.Fact] = one
	a.mu.Unlock()
	heap.Push(&a.ends, ending{e.Key.ID(), e.Expires})
}

func (a *Alerts) has(id alert.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.board.Has(id)
}
