package exchange

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fxamacker/cbor/v2"

	"almenara/cluster/fact"
	"almenara/cluster/journal"
)

const (
	queueFacts = 256 // to one peer; what does not fit is healed by anti-entropy
	pushBytes  = 1 << 20
)

// heard is when each node last proved to be alive.
type heard struct {
	mu    sync.Mutex
	at    map[string]time.Time
	begun time.Time
}

func newHeard() *heard { return &heard{at: map[string]time.Time{}, begun: time.Now()} }

func (h *heard) note(id string) {
	if id == "" {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.at[id] = time.Now()
}

// silence is how long id has not been heard, at most since this process began.
func (h *heard) silence(id string) time.Duration {
	h.mu.Lock()
	defer h.mu.Unlock()
	if at, ok := h.at[id]; ok {
		return time.Since(at)
	}
	return time.Since(h.begun)
}

// peerWorkers runs two goroutines per peer: one pushes, one exchanges vectors, so
// that a long page never delays an alert.
type peerWorkers struct {
	e  *Exchange
	mu sync.Mutex // guards by; leaf
	by map[string]*peerWorker
}

type peerWorker struct {
	e      *Exchange
	id     string
	queue  chan pushed
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	last   map[fact.LaneKey]uint64 // the peer's vector of the last round; sync goroutine only
}

type pushed struct {
	fact   fact.Fact
	signed fact.Signed
}

func newPeerWorkers(e *Exchange) *peerWorkers {
	return &peerWorkers{e: e, by: map[string]*peerWorker{}}
}

// manage keeps one worker per member, and trims, every second.
func (e *Exchange) manage() {
	tick := time.NewTicker(syncTick)
	defer tick.Stop()
	for {
		e.workers.match(e.o.Peers())
		select {
		case <-tick.C:
			e.trim()
		case <-e.ctx.Done():
			return
		}
	}
}

func (w *peerWorkers) match(peers []string) {
	w.mu.Lock()
	var ended []*peerWorker
	for id, p := range w.by {
		if !slices.Contains(peers, id) {
			ended = append(ended, p)
			delete(w.by, id)
		}
	}
	for _, id := range peers {
		if w.by[id] == nil && w.e.ctx.Err() == nil {
			w.by[id] = w.e.startWorker(id)
		}
	}
	w.mu.Unlock()
	for _, p := range ended {
		p.stop()
	}
}

func (w *peerWorkers) stop() { w.match(nil) }

func (e *Exchange) startWorker(id string) *peerWorker {
	p := &peerWorker{e: e, id: id, queue: make(chan pushed, queueFacts)}
	p.ctx, p.cancel = context.WithCancel(e.ctx)
	p.wg.Go(p.runPush)
	p.wg.Go(p.runSync)
	return p
}

func (p *peerWorker) stop() {
	p.cancel()
	p.wg.Wait()
}

// push queues a fact for every peer.
func (w *peerWorkers) push(f fact.Fact, s fact.Signed) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, p := range w.by {
		select {
		case p.queue <- pushed{f, s}:
		default:
		}
	}
}

func (p *peerWorker) runPush() {
	for {
		select {
		case first := <-p.queue:
			p.push(p.gather(first))
		case <-p.ctx.Done():
			return
		}
	}
}

// gather takes what else is queued, up to a page.
func (p *peerWorker) gather(first pushed) []pushed {
	page, bytes := []pushed{first}, len(first.signed.Canonical)
	for len(page) < journal.PageFacts && bytes < pushBytes {
		select {
		case next := <-p.queue:
			page = append(page, next)
			bytes += len(next.signed.Canonical)
		default:
			return page
		}
	}
	return page
}

func (p *peerWorker) push(page []pushed) {
	m := factsMessage{Facts: make([]fact.Signed, len(page))}
	for i, f := range page {
		m.Facts[i] = f.signed
	}
	b, err := p.call("/fact/push", m)
	if err != nil {
		p.e.o.Logger.Debug("pushing facts", "peer", p.id, "error", err)
		return
	}
	answer, err := decodePushAnswer(b, len(page))
	if err != nil {
		p.e.o.Logger.Warn("pushing facts", "peer", p.id, "error", err)
		return
	}
	for i, r := range answer.Results {
		if r == resultStored {
			p.e.track.reachOne(p.id, page[i].fact.Lane(), page[i].fact.Seq)
		}
	}
}

func (p *peerWorker) call(path string, message any) ([]byte, error) {
	body, err := cbor.Marshal(message)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(p.ctx, callTimeout)
	defer cancel()
	b, err := p.e.o.Call(ctx, p.id, path, body)
	if err == nil {
		p.e.heard.note(p.id)
	}
	return b, err
}
