package fsm

import (
	"encoding/hex"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/audience"
)

// memory is what the state machine keeps beside the store, all of it derived. The
// applying goroutine changes it while it applies, before the commit: readers may
// see an entry a few milliseconds before it is durable here. That is harmless, since
// a majority has it, and it keeps the emergency path from waiting for a slow disk.
type memory struct {
	index    *audience.Index   // safe for all
	receipts *receipts         // safe for all
	ordinals uint32            // ordinals given so far; the applying goroutine's
	requests map[string]uint32 // slot of each answered request; the applying goroutine's

	boardMu sync.Mutex // guards what follows
	board   *alert.Board
	log     []storage.Adoption // adopted alert messages in log order
	byFact  map[string]int     // position in log by fact id in hex, as alert.Entry has it
}

// rebuild makes the memory from the store, at the index that it returns.
func rebuild(store *storage.Store, log *slog.Logger) (*memory, storage.Applied, error) {
	began := time.Now()
	m := &memory{index: audience.NewIndex(), receipts: newReceipts(store), board: alert.NewBoard(),
		requests: make(map[string]uint32), byFact: make(map[string]int)}
	var applied storage.Applied
	err := store.View(func(t *storage.Txn) (err error) {
		if applied, err = t.Applied(); err != nil {
			return err
		}
		if err = m.loadAudience(t); err != nil {
			return fmt.Errorf("audience: %w", err)
		}
		if err = m.loadAlerts(t, log); err != nil {
			return fmt.Errorf("alerts: %w", err)
		}
		return t.Results(func(slot uint32, r storage.RequestResult) { m.requests[r.RequestID] = slot })
	})
	if err != nil {
		return nil, applied, err
	}
	log.Info("state rebuilt", "index", applied.Index, "members", m.index.Len(), "alerts", len(m.log),
		"took", time.Since(began))
	return m, applied, nil
}

// loadAudience fills the index: places first, so that members find them; one
// goroutine scans, others decode, and the index takes members as they come, because
// its answers do not depend on their order.
func (m *memory) loadAudience(t *storage.Txn) (err error) {
	if m.ordinals, err = t.NextOrdinal(); err != nil {
		return err
	}
	if err := t.AllPlaces(m.index.PutPlace); err != nil {
		return err
	}
	batches := make(chan []storage.RawMember, 4)
	var g errgroup.Group
	for range max(2, runtime.GOMAXPROCS(0)) {
		g.Go(func() error {
			var failed error
			for some := range batches {
				if failed == nil {
					failed = m.putAll(some)
				}
			}
			return failed
		})
	}
	err = t.RawMembers(2048, func(some []storage.RawMember) error {
		batches <- some
		return nil
	})
	close(batches)
	if waited := g.Wait(); err == nil {
		err = waited
	}
	return err
}

func (m *memory) putAll(some []storage.RawMember) error {
	for _, raw := range some {
		rec, err := raw.Decode()
		if err != nil {
			return err
		}
		m.index.Put(rec.Ordinal, &rec.Member)
	}
	return nil
}

// loadAlerts folds the adopted messages onto the board, in log order.
func (m *memory) loadAlerts(t *storage.Txn, log *slog.Logger) error {
	adoptions, err := t.Adoptions()
	if err != nil {
		return err
	}
	for _, a := range adoptions {
		msg, err := loadMessage(t, a.FactID)
		if err != nil {
			return err
		}
		if msg == nil {
			log.Error("adopted alert cannot be read by this version", "alert", a.Alert, "revision", a.Revision)
			continue
		}
		m.addMessage(msg)
		m.adopted(a)
	}
	return m.loadApprovals(t)
}

// loadApprovals lays the adopted approvals on the board.
func (m *memory) loadApprovals(t *storage.Txn) error {
	kept, err := t.KeptFacts(uint8(fact.KindApproval), 0, 0, 0)
	if err != nil {
		return err
	}
	for _, k := range kept {
		signed, err := fact.DecodeSigned(k.Signed)
		if err != nil {
			return fmt.Errorf("%w: approval of %s: %w", storage.ErrDamaged, k.Key.Origin, err)
		}
		f, err := signed.Fact()
		if err != nil {
			return fmt.Errorf("%w: approval of %s: %w", storage.ErrDamaged, k.Key.Origin, err)
		}
		if p, err := storage.DecodeApproval(f.Body); err == nil { // as when it was adopted
			m.approve(p)
		}
	}
	return nil
}

func (m *memory) approve(p storage.Approval) {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	m.board.Approve(p.OnBoard())
}

// loadMessage reads the message of an adopted alert fact; nil when this version of
// the software does not accept it any more.
func loadMessage(t *storage.Txn, id []byte) (*message, error) {
	stored, ok, err := t.FactByID(id)
	if err != nil {
		return nil, err
	}
	if !ok {
		return nil, fmt.Errorf("%w: fact %x of an adopted alert is gone", storage.ErrDamaged, id)
	}
	signed, err := fact.DecodeSigned(stored.Signed)
	if err != nil {
		return nil, fmt.Errorf("%w: fact %x: %w", storage.ErrDamaged, id, err)
	}
	o := &opened{signed: signed, id: signed.ID()}
	if o.fact, err = signed.Fact(); err != nil {
		return nil, fmt.Errorf("%w: fact %x: %w", storage.ErrDamaged, id, err)
	}
	msg, _ := readMessage(o)
	return msg, nil
}

// addMessage puts a message on the board and returns what stands under its key then.
func (m *memory) addMessage(msg *message) (standing alert.Entry, outcome alert.Outcome) {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	outcome = m.board.Add(msg.entry)
	if e, ok := m.board.Standing(msg.entry.Key); ok && msg.entry.MsgType != alert.MsgTypeCancel { // a Cancel acts in any case
		return e, outcome
	}
	return msg.entry, outcome
}

// stands reports whether of all facts with the message's key this one stands.
func (m *memory) stands(msg *message) bool {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	e, ok := m.board.Standing(msg.entry.Key)
	return ok && e.Fact == msg.entry.Fact
}

// alertOf is the id of the alert that the message belongs to now.
func (m *memory) alertOf(msg *message) alert.ID {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	if id, ok := m.board.AlertOf(msg.entry.Key); ok {
		return id
	}
	return msg.entry.Key.ID()
}

func (m *memory) adopted(a storage.Adoption) {
	m.boardMu.Lock()
	defer m.boardMu.Unlock()
	m.byFact[hex.EncodeToString(a.FactID)] = len(m.log)
	m.log = append(m.log, a)
}
