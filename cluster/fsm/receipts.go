package fsm

import (
	"fmt"
	"sync"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/receipt"
)

const (
	// checkpointEvery is how many receipts of one alert are folded in before its tally
	// is saved: at a restart no more than these are folded in again, some 4 ms.
	checkpointEvery = 50_000

	// keptTallies is how many alerts' tallies stay in memory. One of a million members
	// takes up to a megabyte; the others are built again from the store when asked for.
	keptTallies = 64
)

// receipts holds the tallies of the alerts that were asked for or added to lately.
// A tally is a fold of sets, so folding a block in twice does no harm.
type receipts struct {
	store *storage.Store

	mu    sync.Mutex // guards what follows; held while one tally is built
	held  map[alert.ID]*tallied
	clock uint64 // counts uses
	due   []alert.ID
}

// tallied is one alert's tally in memory.
type tallied struct {
	tally *receipt.Tally
	fresh int    // receipts folded in since the checkpoint
	due   bool   // listed in due
	used  uint64 // clock at the last use
}

func newReceipts(store *storage.Store) *receipts {
	return &receipts{store: store, held: make(map[alert.ID]*tallied)}
}

// of returns the tally of one alert, built from checkpoint and later blocks as t sees
// them when it is not in memory. mu is held.
func (r *receipts) of(t *storage.Txn, id alert.ID) (*tallied, error) {
	r.clock++
	if h, ok := r.held[id]; ok {
		h.used = r.clock
		return h, nil
	}
	h := &tallied{tally: receipt.NewTally(), used: r.clock}
	data, index, err := t.Checkpoint(string(id))
	if err != nil {
		return nil, err
	}
	if data == nil || h.tally.UnmarshalBinary(data) != nil {
		h.tally, index = receipt.NewTally(), 0
	}
	err = t.ReceiptBlocks(string(id), index+1, func(b storage.ReceiptBlock) (bool, error) {
		block, err := openBlock(b.Signed)
		if err != nil {
			return false, fmt.Errorf("%w: receipt block of %s at %d: %w", storage.ErrDamaged, b.Alert, b.Index, err)
		}
		h.tally.Add(block)
		h.fresh += len(block.Receipts)
		return true, nil
	})
	if err != nil {
		return nil, err
	}
	r.held[id] = h
	return h, nil
}

// openBlock reads the block of a stored receipt fact.
func openBlock(raw []byte) (receipt.Block, error) {
	signed, err := fact.DecodeSigned(raw)
	if err != nil {
		return receipt.Block{}, err
	}
	f, err := signed.Fact()
	if err != nil {
		return receipt.Block{}, err
	}
	return receipt.DecodeBlock(f.Body)
}

// fold adds a block that t is about to store.
func (r *receipts) fold(t *storage.Txn, id alert.ID, b receipt.Block) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.of(t, id)
	if err != nil {
		return err
	}
	h.tally.Add(b)
	if h.fresh += len(b.Receipts); h.fresh >= checkpointEvery && !h.due {
		h.due = true
		r.due = append(r.due, id)
	}
	return nil
}

// tally returns the tally of one alert for reading.
func (r *receipts) tally(id alert.ID) (*receipt.Tally, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	var h *tallied
	err := r.store.View(func(t *storage.Txn) (err error) {
		h, err = r.of(t, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	return h.tally, nil
}

// checkpoint saves the tallies that are due and forgets those that were not used for
// longest. The applying goroutine calls it right after a commit, when the tallies
// contain exactly the blocks up to index.
func (m *memory) checkpoint(store *storage.Store, index uint64) error {
	r := m.receipts
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, id := range r.due {
		h := r.held[id]
		data, err := h.tally.MarshalBinary()
		if err != nil {
			return fmt.Errorf("saving tally of %s: %w", id, err)
		}
		if err := store.SaveCheckpoint(string(id), index, data); err != nil {
			return err
		}
		h.fresh, h.due = 0, false
	}
	r.due = r.due[:0]
	r.evict()
	return nil
}

// evict forgets the tallies that were not used for longest. mu is held.
func (r *receipts) evict() {
	for len(r.held) > keptTallies {
		var oldest alert.ID
		for id, h := range r.held {
			if oldest == "" || h.used < r.held[oldest].used {
				oldest = id
			}
		}
		delete(r.held, oldest)
	}
}

// receiptBlock stores a block unchanged and folds it in. Blocks are of one alert
// (receipt.Blocks makes them so); another one is recorded and counts for nothing.
func (a *adoption) receiptBlock(o *opened, signed []byte, out *command.FactOutcome) ([]byte, error) {
	block, err := receipt.DecodeBlock(o.fact.Body)
	if err != nil {
		return nil, a.rejected(o, out, "body is not a receipt block")
	}
	id, ok := block.Alert()
	if !ok {
		return nil, a.rejected(o, out, "receipt block is not of one alert")
	}
	if err := a.m.receipts.fold(a.t, id, block); err != nil {
		return nil, err
	}
	key, err := a.t.PutReceiptBlock(storage.ReceiptBlock{Alert: string(id), Index: a.index, N: a.n, Signed: signed})
	if err != nil {
		return nil, err
	}
	a.blocks++
	a.receipts += len(block.Receipts)
	out.Outcome, out.Alert = command.Adopted, string(id)
	return key, nil
}
