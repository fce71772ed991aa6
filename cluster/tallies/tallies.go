package tallies

import (
	"fmt"
	"maps"
	"slices"
	"sync"

	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/factlog"
	"almenara/storage/receipt"
)

const (
	// CheckpointEvery is how many receipts of one alert are folded in before its tally
	// is saved: at a restart no more than these are folded in again, some 4 ms.
	CheckpointEvery = 50_000

	// Kept is how many alerts' tallies stay in memory. One of a million members
	// takes up to a megabyte; the others are built again from the store when asked for.
	Kept = 64
)

// Tallies holds the tallies of the alerts that were asked for or added to lately. Fold and
// Save are the applying goroutine's; the rest may be called from any goroutine.
type Tallies struct {
	store *storage.Store

	mu    sync.Mutex // guards what follows; held while one tally is built
	held  map[alert.ID]*tallied
	clock uint64 // counts uses
	due   []alert.ID
	read  map[alert.ID]*past // of alerts that were only read

	reworded []alert.ID // whose blocks the transaction that is open has written anew
	commits  uint64     // that did so
}

// past is the tally of an alert as it was when its last block was adopted at last.
type past struct {
	tally *receipt.Tally
	last  factlog.Place
}

// tallied is one alert's tally in memory.
type tallied struct {
	tally *receipt.Tally
	fresh int    // receipts folded in since the checkpoint
	due   bool   // listed in due
	used  uint64 // clock at the last use
}

// New holds none yet; they are read from the store when they are asked for.
func New(store *storage.Store) *Tallies {
	return &Tallies{store: store, held: make(map[alert.ID]*tallied), read: make(map[alert.ID]*past)}
}

// of returns the tally of one alert, built from checkpoint and later blocks as t sees
// them when it is not in memory. mu is held.
func (r *Tallies) of(t *storage.Txn, id alert.ID) (*tallied, error) {
	r.clock++
	if h, ok := r.held[id]; ok {
		h.used = r.clock
		return h, nil
	}
	h := &tallied{used: r.clock}
	var err error
	if h.tally, h.fresh, err = readTally(t, id); err != nil {
		return nil, err
	}
	r.held[id] = h
	delete(r.read, id)
	return h, nil
}

// readTally builds the tally of one alert as t sees it, and says how many receipts came
// after its checkpoint.
func readTally(t *storage.Txn, id alert.ID) (tally *receipt.Tally, fresh int, err error) {
	tally = receipt.NewTally()
	data, index, err := LastCheckpoint(t, string(id))
	if err != nil {
		return nil, 0, err
	}
	if data == nil || tally.UnmarshalBinary(data) != nil {
		tally, index = receipt.NewTally(), 0
	}
	err = factlog.ReceiptBlocks(t, string(id), index+1, func(b factlog.ReceiptBlock) (bool, error) {
		block, err := openBlock(b.Signed)
		if err != nil {
			return false, fmt.Errorf("%w: receipt block of %s at %d: %w", storage.ErrDamaged, b.Alert, b.Index, err)
		}
		tally.Add(block)
		fresh += len(block.Receipts)
		return true, nil
	})
	return tally, fresh, err
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

// Fold adds a block that t is about to store.
func (r *Tallies) Fold(t *storage.Txn, id alert.ID, b receipt.Block) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	h, err := r.of(t, id)
	if err != nil {
		return err
	}
	h.tally.Add(b)
	if h.fresh += len(b.Receipts); h.fresh >= CheckpointEvery && !h.due {
		h.due = true
		r.due = append(r.due, id)
	}
	return nil
}

// Of returns the tally of one alert, under this one id, for reading; it may be read while
// receipts are added. Entries are not held up while one is built, and one that is only read
// displaces none that receipts come in for.
func (r *Tallies) Of(id alert.ID) (tally *receipt.Tally, err error) {
	commits := r.rewording()
	err = r.store.View(func(t *storage.Txn) error {
		last, err := factlog.LastReceipt(t, string(id))
		if err != nil {
			return err
		}
		if tally = r.known(id, last); tally != nil {
			return nil
		}
		if tally, _, err = readTally(t, id); err == nil {
			r.keep(id, past{tally, last}, commits)
		}
		return err
	})
	return tally, err
}

// known is the tally in memory that has the block at last; nil when there is none.
func (r *Tallies) known(id alert.ID, last factlog.Place) *receipt.Tally {
	r.mu.Lock()
	defer r.mu.Unlock()
	if h, ok := r.held[id]; ok {
		r.clock++
		h.used = r.clock
		return h.tally
	}
	if p, ok := r.read[id]; ok && p.last == last {
		return p.tally
	}
	return nil
}

// keep keeps a tally that was built after so many commits that wrote blocks anew, unless there was another since.
func (r *Tallies) keep(id alert.ID, p past, commits uint64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if commits != r.commits {
		return
	}
	for other := range r.read { // any: what is read often comes back
		if len(r.read) < Kept {
			break
		}
		delete(r.read, other)
	}
	r.read[id] = &p
}

// Save saves the tallies that are due, as checkpoints at index, and forgets those that were
// not used for longest. It is called right after a commit, when the tallies contain exactly
// the blocks up to index.
func (r *Tallies) Save(index uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.committed()
	for _, id := range r.due {
		h := r.held[id]
		data, err := h.tally.MarshalBinary()
		if err != nil {
			return fmt.Errorf("saving tally of %s: %w", id, err)
		}
		if err := saveCheckpoint(r.store, string(id), index, data); err != nil {
			return err
		}
		h.fresh, h.due = 0, false
	}
	r.due = r.due[:0]
	r.evict()
	return nil
}

// evict forgets the tallies that were not used for longest. mu is held.
func (r *Tallies) evict() {
	for len(r.held) > Kept {
		var oldest alert.ID
		for id, h := range r.held {
			if oldest == "" || h.used < r.held[oldest].used {
				oldest = id
			}
		}
		delete(r.held, oldest)
	}
}

// Held lists the alerts whose tallies are in memory because receipts came in for them.
func (r *Tallies) Held() []alert.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Keys(r.held))
}
