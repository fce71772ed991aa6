package originals

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"
)

const (
	pathChunk  = "/original/chunk"
	chunkBytes = 256 << 10
	atOnce     = 2 // fetches, so that originals never take the link from alerts
	perRound   = 8
	chunkTime  = 10 * time.Second
	readTime   = 15 * time.Second // that whoever asks for an original waits
	lookEvery  = 5 * time.Second
	firstRetry = 2 * time.Second
	lastRetry  = 2 * time.Minute
	checkEvery = 24 * time.Hour
	maxRequest = 256
)

// errNowhere is returned when no node gave the message.
var errNowhere = errors.New("no node that can be reached has the original")

// chunkRequest asks for chunkBytes of a message from an offset on; the answer is the bytes.
type chunkRequest struct {
	_      struct{} `cbor:",toarray"`
	Sum    Sum
	Offset int64
}

// retry is when a message that was not found is looked for again.
type retry struct {
	at   time.Time
	wait time.Duration
}

// Handlers are the paths for cluster.Cluster.Handle.
func (k *Keeper) Handlers() map[string]http.Handler {
	return map[string]http.Handler{"POST " + pathChunk: http.HandlerFunc(k.serveChunk)}
}

func (k *Keeper) serveChunk(w http.ResponseWriter, req *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxRequest))
	var ask chunkRequest
	if err != nil || cbor.Unmarshal(raw, &ask) != nil || ask.Offset < 0 || ask.Offset > MaxBytes {
		http.Error(w, "malformed request", http.StatusBadRequest)
		return
	}
	b, err := k.store.chunk(ask.Sum, ask.Offset)
	if err != nil {
		http.Error(w, "the original is not here", http.StatusNotFound)
		return
	}
	_, _ = w.Write(b)
}

// Run fetches what is missing and removes what is over, until ctx ends. Facts that the
// journal holds must have been told to Learn before.
func (k *Keeper) Run(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	check := time.NewTicker(checkEvery)
	defer check.Stop()
	for {
		if err := k.readListed(); err != nil {
			k.o.Logger.Error("reading which originals there are", "error", err)
		} else {
			k.sweep()
			k.fetchMissing(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-k.wake:
		case <-tick.C:
		case <-check.C:
			if n := k.store.check(); n > 0 {
				k.o.Logger.Warn("originals were damaged on this disk and are fetched again", "files", n)
			}
		}
	}
}

// readListed learns what was agreed since the last time.
func (k *Keeper) readListed() error {
	for {
		page, err := k.o.Listed(k.index, k.n)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, l := range page {
			k.index, k.n = l.Index, l.N
			if issue, err := decode(l.Fact); err == nil {
				k.Learn(l.Fact.Origin, issue)
			}
		}
	}
}

// sweep removes what has to give way, and what no fact names: that only when the process
// has run for a while, because a node that has just joined anew may not know the facts
// of what lies on its disk yet.
func (k *Keeper) sweep() {
	k.mu.Lock() // before the list is read: what was pinned and is not any more is in it
	defer k.mu.Unlock()
	keep := map[Sum]bool{}
	for _, o := range k.list.keep(k.o.Clock()) {
		keep[o.Sum] = true
	}
	for sum := range k.store.files() {
		_, named := k.list.find(sum)
		if !keep[sum] && k.pinned[sum] == 0 && (named || time.Since(k.begun) > k.o.Strangers) {
			k.store.remove(sum)
		}
	}
}

// fetchMissing fetches some of what is to be here and is not, the most needed first.
func (k *Keeper) fetchMissing(ctx context.Context) {
	missing := k.missing()
	if len(missing) == 0 || k.o.Room() != nil {
		return
	}
	found := make([]bool, len(missing))
	var wg sync.WaitGroup
	for n, o := range missing {
		wg.Go(func() { found[n] = k.fetch(ctx, o) == nil })
	}
	wg.Wait()
	more := false
	for n, o := range missing {
		if found[n] {
			delete(k.next, o.Sum)
			more = true
			continue
		}
		wait := min(max(2*k.next[o.Sum].wait, firstRetry), lastRetry)
		k.next[o.Sum] = retry{at: time.Now().Add(wait), wait: wait}
	}
	if more {
		k.wake.Set()
	}
}

// missing lists what is to be fetched in this round.
func (k *Keeper) missing() (out []Original) {
	wanted := map[Sum]retry{}
	for _, o := range k.list.keep(k.o.Clock()) {
		if k.store.has(o.Sum) {
			continue
		}
		again, failed := k.next[o.Sum]
		if failed {
			wanted[o.Sum] = again
		}
		if len(out) < perRound && !time.Now().Before(again.at) {
			out = append(out, o)
		}
	}
	k.next = wanted // forgets what is not wanted any more
	return out
}

// fetch brings one message here, from whichever node has it, its origin first.
func (k *Keeper) fetch(ctx context.Context, o Original) error {
	select {
	case k.slots <- struct{}{}:
		defer func() { <-k.slots }()
	case <-ctx.Done():
		return ctx.Err()
	}
	if k.store.has(o.Sum) {
		return nil
	}
	peers := k.o.Peers()
	if i := slices.Index(peers, o.Origin); i > 0 {
		peers = slices.Concat(peers[i:i+1], peers[:i], peers[i+1:])
	}
	for _, peer := range peers {
		err := k.fetchFrom(ctx, peer, o)
		if err == nil {
			return nil
		}
		k.o.Logger.Debug("an original was not fetched", "sum", o.Sum.String(), "peer", peer, "error", err)
	}
	return errNowhere
}

// fetchFrom goes on where the last try ended. A message that is not what the fact says is
// thrown away, and tried once more from its beginning: the beginning may have been
// another node's.
func (k *Keeper) fetchFrom(ctx context.Context, peer string, o Original) error {
	part := k.store.part(o.Sum, o.Size)
	resumed := len(part) > 0
	for int64(len(part)) < o.Size {
		b, err := k.chunk(ctx, peer, o.Sum, int64(len(part)))
		if err != nil {
			if len(part) > 0 {
				k.store.keepPart(o.Sum, part)
			}
			return err
		}
		part = append(part, b[:min(int64(len(b)), o.Size-int64(len(part)))]...)
	}
	k.store.dropPart(o.Sum)
	if sha256.Sum256(part) == o.Sum {
		return k.store.put(o.Sum, part)
	}
	k.o.Logger.Warn("a node gave another message than the one that its fact names", "sum", o.Sum.String(), "peer", peer)
	if resumed {
		return k.fetchFrom(ctx, peer, o)
	}
	return fmt.Errorf("%w: what %s has is damaged", errNowhere, peer)
}

func (k *Keeper) chunk(ctx context.Context, peer string, sum Sum, offset int64) ([]byte, error) {
	ask, err := cbor.Marshal(chunkRequest{Sum: sum, Offset: offset})
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, chunkTime)
	defer cancel()
	b, err := k.o.Call(ctx, peer, pathChunk, ask)
	if err == nil && len(b) == 0 {
		err = errors.New("it ends too early")
	}
	return b, err
}
