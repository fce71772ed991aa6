package receipts

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"almenara/channels"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

// ledger is a settler that the test decides for. The test reads and changes it while
// everything else of its bubble waits.
type ledger struct {
	mu      sync.Mutex
	blocks  []receipt.Block
	commits []chan struct{}
	alone   bool
	err     error
	stall   chan struct{} // Settle waits for it; nil: it does not
}

func (l *ledger) Settle(ctx context.Context, raw []byte) (<-chan struct{}, error) {
	told.Lock()
	stall, refused := l.stall, l.err
	told.Unlock()
	if stall != nil {
		<-stall
	}
	if refused != nil {
		return nil, refused
	}
	block, err := receipt.DecodeBlock(raw)
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.blocks, l.commits = append(l.blocks, block), append(l.commits, make(chan struct{}))
	return l.commits[len(l.commits)-1], ctx.Err()
}

func (l *ledger) CanCommit() bool {
	told.Lock()
	defer told.Unlock()
	return !l.alone
}

// told orders what a test does before time passes before what the collector does
// then: the passing of time alone is nothing to the race detector.
var (
	told   sync.Mutex
	passed int // how often time has passed
)

// counter is a collector under test, and what became of each Take.
type counter struct {
	*collector
	ledger  *ledger
	answers map[int][]error
	order   []int // members, as they were answered
	cancel  context.CancelFunc
	ended   chan struct{}
	failed  []error
}

func newCounter(t *testing.T) *counter {
	c := &counter{ledger: &ledger{}, answers: map[int][]error{}, ended: make(chan struct{})}
	c.collector = newCollector(c.ledger, func(err error) {
		told.Lock()
		defer told.Unlock()
		c.failed = append(c.failed, err)
	})
	ctx, cancel := context.WithCancel(t.Context())
	c.cancel = cancel
	go func() { defer close(c.ended); c.Run(ctx) }()
	return c
}

// take hands over what one member tells.
func (c *counter) take(member int, rungs ...receipt.Rung) {
	c.takeOf("7qggodrwesnbuxamkutppyfgoa", member, rungs...)
}

func (c *counter) takeOf(id alert.ID, member int, rungs ...receipt.Rung) {
	var rs []receipt.Receipt
	for _, r := range rungs {
		rs = append(rs, receipt.Receipt{Alert: id, Revision: 1, Member: uint32(member), Rung: r, At: time.Now()})
	}
	c.Take(channels.Endpoint{}, rs, func(err error) {
		told.Lock()
		defer told.Unlock()
		c.answers[member], c.order = append(c.answers[member], err), append(c.order, member)
	})
}

// pass lets the time pass and everything happen that happens by then.
func pass(d time.Duration) {
	told.Lock()
	passed++
	told.Unlock()
	<-time.After(d)
	synctest.Wait()
}

func (c *counter) stop() {
	c.cancel()
	<-c.ended
}

// counting runs a test in its bubble.
func counting(t *testing.T, test func(t *testing.T, c *counter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := newCounter(t)
		test(t, c)
		c.stop()
		for member, answers := range c.answers {
			require.Len(t, answers, 1, "member %d was answered so often", member)
		}
	})
}

func TestCollector_AnswersOnlyAfterTheCommit(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		for member := range 500 {
			c.take(member, receipt.Verified, receipt.Presented)
		}
		pass(linger)
		require.Len(t, c.ledger.blocks, 1, "what comes together goes together")
		require.Len(t, c.ledger.blocks[0].Receipts, 500)
		pass(time.Hour)
		require.Empty(t, c.answers, "a device was told before a majority had it")
		close(c.ledger.commits[0])
		synctest.Wait()
		require.Len(t, c.answers, 500)
		require.Equal(t, []error{nil}, c.answers[7])
	})
}

func TestCollector_AnswersAfterTheSpoolWithoutQuorum(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.take(1, receipt.Presented)
		pass(linger + quorumCheck)
		require.Empty(t, c.answers)
		c.ledger.alone = true // lost while the block was under way
		pass(quorumCheck)
		require.Equal(t, []error{nil}, c.answers[1])
		require.Len(t, c.ledger.blocks, 1)
	})
}

func TestCollector_RefusesWhatTheSpoolDoesNotTake(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.ledger.err = ErrBusy
		c.take(1, receipt.Presented)
		pass(linger)
		require.ErrorIs(t, c.answers[1][0], ErrBusy)
		require.Len(t, c.failed, 1)
	})
}

func TestCollector_WaitsForEveryBlock(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.takeOf("7qggodrwesnbuxamkutppyfgoa", 1, receipt.Presented)
		c.takeOf("aaaaaaaaaaaaaaaaaaaaaaaaaa", 2, receipt.Presented)
		pass(linger)
		require.Len(t, c.ledger.commits, 2, "one block for each alert")
		close(c.ledger.commits[1])
		pass(time.Second)
		require.Empty(t, c.answers)
		close(c.ledger.commits[0])
		synctest.Wait()
		require.Len(t, c.answers, 2)
	})
}

func TestCollector_AnswersInTheOrderOfArrival(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.take(1, receipt.Presented)
		pass(linger)
		c.take(2, receipt.Presented)
		pass(linger)
		close(c.ledger.commits[1])
		pass(time.Second)
		require.Empty(t, c.answers)
		close(c.ledger.commits[0])
		synctest.Wait()
		require.Equal(t, []int{1, 2}, c.order)
	})
}

func TestCollector_TellsDevicesToComeBackOverTheBound(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.ledger.stall = make(chan struct{})
		for i := range blocksAtOnce { // every slot waits for the disk
			c.take(i, receipt.Presented)
			pass(linger)
		}
		member := blocksAtOnce
		for ; member < blocksAtOnce+maxPending; member++ {
			c.take(member, receipt.Presented)
		}
		require.Empty(t, c.answers)
		c.take(member, receipt.Presented)
		require.ErrorIs(t, c.answers[member][0], ErrBusy)
		c.sent("7qggodrwesnbuxamkutppyfgoa", 1, []uint32{1}, time.Now())
		require.Len(t, c.pending, maxPending)
		c.ledger.alone = true
		close(c.ledger.stall)
		pass(10 * time.Second)
		require.Len(t, c.answers, blocksAtOnce+maxPending+1)
	})
}

func TestCollector_LeavesRoomForWhatDevicesSay(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.sent("7qggodrwesnbuxamkutppyfgoa", 1, make([]uint32, maxPending/2), time.Now())
		c.sent("7qggodrwesnbuxamkutppyfgoa", 1, make([]uint32, 1), time.Now())
		c.mu.Lock()
		require.Len(t, c.pending, maxPending/2)
		c.mu.Unlock()
		c.ledger.alone = true
		pass(sentLinger + linger)
		require.NotEmpty(t, c.ledger.blocks, "sent is recorded by itself after a while")
		pass(time.Second)
	})
}

func TestCollector_SentGoesWithThePuback(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.sent("7qggodrwesnbuxamkutppyfgoa", 1, []uint32{1, 2}, time.Now())
		pass(sentLinger / 2)
		require.Empty(t, c.ledger.blocks)
		c.take(1, receipt.Delivered)
		pass(linger)
		require.Len(t, c.ledger.blocks, 1)
		require.Len(t, c.ledger.blocks[0].Receipts, 2, "delivered takes the place of sent")
		close(c.ledger.commits[0])
		pass(2 * sentLinger)
		require.Len(t, c.ledger.blocks, 1)
	})
}

func TestCollector_StopRefusesWhatIsNotSettled(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.take(1, receipt.Presented)
		pass(linger) // 1 waits for its commit
		c.take(2, receipt.Presented)
		c.stop()
		c.take(3, receipt.Presented)
		for member := 1; member <= 3; member++ {
			require.ErrorIs(t, c.answers[member][0], context.Canceled, fmt.Sprint(member))
		}
		require.Len(t, c.ledger.blocks, 1)
	})
}

func TestCollector_AnswersWhoTellsNothing(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.take(1)
		pass(time.Second)
		require.Equal(t, []error{nil}, c.answers[1])
	})
}

// What can never be written must not come back for ever.
func TestCollector_LeavesOutWhatCannotBeWritten(t *testing.T) {
	counting(t, func(t *testing.T, c *counter) {
		c.ledger.alone = true
		c.takeOf("no alert id", 1, receipt.Presented)
		c.take(2, receipt.Presented)
		pass(time.Second)
		require.Len(t, c.ledger.blocks, 1)
		require.Equal(t, []error{nil}, c.answers[1])
		require.True(t, errors.Is(c.failed[0], receipt.ErrInvalid))
	})
}
