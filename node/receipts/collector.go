package receipts

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"almenara/channels"
	"almenara/channels/signal"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// Limits of the collector.
const (
	linger       = 20 * time.Millisecond // how long a first receipt waits for company
	sentLinger   = time.Second           // how long "sent" waits for its PUBACK
	maxPending   = 1 << 16               // receipts not yet in a block; beyond it devices are told to come back
	blocksAtOnce = 8                     // blocks under way between this node and the majority
	quorumCheck  = 250 * time.Millisecond
)

// ErrBusy makes the device keep its receipts and send them again.
var ErrBusy = errors.New("too many receipts are waiting to be committed")

// Settler writes one block durably on this node and tells when it is committed.
type Settler interface {
	// Settle returns when the block is fsynced here; committed is closed when a
	// majority has it.
	Settle(ctx context.Context, block []byte) (committed <-chan struct{}, err error)
	// CanCommit reports whether there is a majority to commit with, and this node hears of
	// what is committed.
	CanCommit() bool
}

// collector gathers receipts of many devices into blocks. done is called when the
// block is committed; without quorum, when it is fsynced here.
type collector struct {
	settler  Settler
	failed   func(error) // told of blocks that could not be written
	pressure *pressure

	mu      sync.Mutex
	pending []receipt.Receipt
	waiting []func(error)
	spare   []gathered // memory of what was gathered before; no more than mostSpare
	closed  bool
	nudge   *time.Timer // set while only "sent" is pending

	arrived signal.Signal
	slots   chan struct{}
	waiters sync.WaitGroup

	answered chan struct{} // closed when all that was gathered last is answered; Run's only
}

func newCollector(s Settler, failed func(error)) *collector {
	return &collector{settler: s, failed: failed, pressure: newPressure(func() (int64, int64) { return 0, 0 }), arrived: signal.New(), slots: make(chan struct{}, blocksAtOnce)}
}

// Take implements channels.Receipts. It never blocks.
func (c *collector) Take(_ channels.Endpoint, rs []receipt.Receipt, done func(error)) {
	if err := c.add(rs, done); err != nil {
		done(err)
		return
	}
	c.arrived.Set()
}

func (c *collector) add(rs []receipt.Receipt, done func(error)) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return context.Canceled
	}
	if len(c.pending)+len(rs) > maxPending {
		return ErrBusy
	}
	c.pending = append(c.pending, rs...)
	c.waiting = append(c.waiting, done)
	return nil
}

// sent notes that an alert was written to the connections of members. Nobody waits
// for it: it goes with the next block, where the PUBACKs that came meanwhile take
// its place.
func (c *collector) sent(id alert.ID, revision alert.Revision, members []uint32, at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.pending)+len(members) > maxPending/2 {
		return // it is the least of what is known, and must not take the room of what devices say
	}
	c.pending = slices.Grow(c.pending, len(members))
	for _, m := range members {
		c.pending = append(c.pending, receipt.Receipt{Alert: id, Revision: revision, Member: m, Rung: receipt.Sent, At: at})
	}
	if c.nudge == nil {
		c.nudge = time.AfterFunc(sentLinger, c.arrived.Set)
	}
}

// Run gathers until ctx ends, then refuses what is left and waits for the blocks
// under way.
func (c *collector) Run(ctx context.Context) {
	defer c.waiters.Wait()
	defer c.close()
	for {
		select {
		case <-ctx.Done():
			return
		case <-c.arrived:
		}
		if !c.gather(ctx) {
			return
		}
	}
}

// gather lets a first receipt wait for company, then for a free slot, and settles
// all that has come by then.
func (c *collector) gather(ctx context.Context) bool {
	timer := time.NewTimer(c.pressure.linger())
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
	}
	select {
	case <-ctx.Done():
		return false
	case c.slots <- struct{}{}:
	}
	all := c.takeAll()
	if len(all.receipts)+len(all.waiting) == 0 {
		<-c.slots
		return true
	}
	before, answered := c.answered, make(chan struct{})
	c.answered = answered
	c.waiters.Go(func() {
		defer func() { <-c.slots }()
		defer close(answered)
		err := c.settle(ctx, all.receipts)
		if before != nil {
			<-before // PUBACKs go out in the order of the PUBLISHes (MQTT 3.1.1 §4.6)
		}
		for _, done := range all.waiting {
			done(err)
		}
		c.recycle(all)
	})
	return true
}

// gathered is what goes into blocks together, and who waits for it.
type gathered struct {
	receipts []receipt.Receipt
	waiting  []func(error)
}

// Bounds of the memory that is kept for the next: while one block is written another is gathered, and
// each is of 1.2 MB at most.
const (
	spareReceipts = 1 << 14
	mostSpare     = 2
)

func (c *collector) takeAll() gathered {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := gathered{c.pending, c.waiting}
	c.pending, c.waiting = nil, nil
	if n := len(c.spare); n > 0 {
		c.pending, c.waiting = c.spare[n-1].receipts, c.spare[n-1].waiting
		c.spare[n-1], c.spare = gathered{}, c.spare[:n-1]
	}
	c.stopNudge()
	return all
}

// recycle keeps the memory of what has been answered, so that the next need not grow.
func (c *collector) recycle(all gathered) {
	if cap(all.receipts) > spareReceipts || cap(all.waiting) > spareReceipts {
		return
	}
	clear(all.receipts)
	clear(all.waiting)
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.spare) < mostSpare {
		c.spare = append(c.spare, gathered{all.receipts[:0], all.waiting[:0]})
	}
}

// stopNudge ends the timer for what was pending. mu is held.
func (c *collector) stopNudge() {
	if c.nudge != nil {
		c.nudge.Stop()
		c.nudge = nil
	}
}

// settle writes the receipts as blocks and waits until they are committed, or
// spooled when there is nobody to commit with.
func (c *collector) settle(ctx context.Context, rs []receipt.Receipt) error {
	blocks, err := receipt.Blocks(c.pressure.relieve(rs))
	if err != nil { // what cannot be written is left out of the blocks, and would never be written
		c.failed(err)
	}
	under := make([]<-chan struct{}, 0, len(blocks))
	for _, block := range blocks {
		committed, err := c.settler.Settle(ctx, block)
		if err != nil {
			c.failed(err)
			return err
		}
		under = append(under, committed)
	}
	return c.await(ctx, under)
}

// await waits until all blocks are committed, or until there is nobody to commit
// them with: they are fsynced here already.
func (c *collector) await(ctx context.Context, blocks []<-chan struct{}) error {
	ticker := time.NewTicker(quorumCheck)
	defer ticker.Stop()
	for len(blocks) > 0 && c.settler.CanCommit() {
		select {
		case <-blocks[0]:
			blocks = blocks[1:]
		case <-ctx.Done():
			return ctx.Err()
		case <-ticker.C:
		}
	}
	return nil
}

// close refuses what has not been settled: the devices keep it and send it again.
func (c *collector) close() {
	c.mu.Lock()
	c.closed = true
	waiting := c.waiting
	c.pending, c.waiting = nil, nil
	c.stopNudge()
	c.mu.Unlock()
	for _, done := range waiting {
		done(context.Canceled)
	}
}
