package exchange

import (
	"time"

	"almenara/cluster/fact"
	"almenara/cluster/journal"
)

// pagesPerRound bounds what one round pulls of one lane; the next round goes on.
const pagesPerRound = 16

// runSync exchanges vectors with the peer every second and fills what is missing,
// on both sides.
func (p *peerWorker) runSync() {
	tick := time.NewTicker(syncTick)
	defer tick.Stop()
	for {
		p.sync()
		select {
		case <-tick.C:
		case <-p.ctx.Done():
			return
		}
	}
}

func (p *peerWorker) sync() {
	j := p.e.o.Journal
	b, err := p.call("/fact/vector", vectorMessage{Lanes: j.Vector()})
	if err != nil {
		p.last = nil
		return
	}
	theirs, err := decodeVector(b)
	if err != nil {
		p.e.o.Logger.Warn("exchanging vectors", "peer", p.id, "error", err)
		return
	}
	p.e.learn(p.id, theirs.Lanes)
	now := make(map[fact.LaneKey]uint64, len(theirs.Lanes))
	for _, l := range theirs.Lanes {
		now[l.Key()] = l.High
	}
	for _, l := range theirs.Lanes {
		p.pull(l)
	}
	for _, l := range j.Vector() {
		p.offer(l, now)
	}
	p.last = now
}

// pull asks for what the peer has and we lack. Receipts are not, while there is a leader
// and their origin is heard: it brings them through raft, at its pace. Those of an origin
// that has gone silent are given a round first.
func (p *peerWorker) pull(theirs fact.Lane) {
	want, key := theirs.High, theirs.Key()
	if theirs.Stream == fact.Receipts && !p.e.o.Leaderless() {
		if p.e.heard.silence(theirs.Origin) <= silentAfter {
			return
		}
		want = min(want, p.last[key])
	}
	if want > 0 && p.e.o.Journal.Adopted(key) == 0 {
		p.e.o.Journal.Adopt(key, p.e.o.Marks(key.Origin, key.Stream, key.Epoch))
	}
	for range pagesPerRound {
		high := p.e.o.Journal.High(key)
		if high >= want || !p.pullPage(theirs, high) || p.e.o.Journal.High(key) == high {
			return
		}
	}
}

func (p *peerWorker) pullPage(l fact.Lane, high uint64) bool {
	l.High = high
	b, err := p.call("/fact/after", afterRequest{Lane: l, Max: journal.PageFacts})
	if err != nil {
		return false
	}
	page, err := decodeFacts(b)
	if err != nil {
		p.e.o.Logger.Warn("pulling facts", "peer", p.id, "error", err)
		return false
	}
	for _, s := range page.Facts {
		if r := p.e.take(s); r != resultStored && r != resultMemory {
			return false
		}
	}
	return len(page.Facts) > 0
}

// offer pushes a page of what the peer still lacks after a round: it may be unable
// to reach us.
func (p *peerWorker) offer(mine fact.Lane, theirs map[fact.LaneKey]uint64) {
	key := mine.Key()
	high, before := theirs[key], p.last[key]
	if p.last == nil || high >= mine.High || high != before || mine.Stream == fact.Receipts && !p.e.o.Leaderless() {
		return
	}
	facts, err := p.e.after(mine, high, journal.PageFacts)
	if err != nil || len(facts) == 0 {
		return
	}
	page := make([]pushed, 0, len(facts))
	for _, s := range facts {
		if f, err := s.Fact(); err == nil {
			page = append(page, pushed{f, s})
		}
	}
	p.push(page)
}

// after reads from the journal, or from the state machine what was trimmed.
func (e *Exchange) after(l fact.Lane, seq uint64, count int) ([]fact.Signed, error) {
	facts, err := e.o.Journal.After(l.Origin, l.Stream, l.Epoch, seq, count)
	if err != nil || len(facts) > 0 || e.o.FromStore == nil || seq >= e.o.Marks(l.Origin, l.Stream, l.Epoch) {
		return facts, err
	}
	facts, err = e.fromStore(l, seq, count)
	return pageOf(facts), err
}

// pageOf cuts facts to the size of a page.
func pageOf(facts []fact.Signed) []fact.Signed {
	bytes := 0
	for i, s := range facts {
		if bytes += len(s.Canonical); bytes > journal.PageBytes && i > 0 || i == journal.PageFacts {
			return facts[:i]
		}
	}
	return facts
}

// learn takes a peer's vector as proof of what it has of ours.
func (e *Exchange) learn(peer string, lanes []fact.Lane) {
	for _, l := range lanes {
		if l.Origin == e.o.Signer.Origin {
			e.track.reach(peer, l.Key(), l.High)
		}
	}
}
