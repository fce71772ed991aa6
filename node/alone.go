package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"almenara/cluster"
	"almenara/cluster/fact"
	"almenara/storage"
	"almenara/storage/durable"
)

const (
	// spellAfter is how long a node must be without a majority for it to be worth a
	// record: an election takes less.
	spellAfter = 3 * time.Second
	// aloneLook is how often the node looks whether it is alone.
	aloneLook = 200 * time.Millisecond
	// meeting is how long before the end others must have been heard to count as seen
	// while alone: when links heal, nodes hear each other before they have a leader.
	meeting = 4 * time.Second
)

// solitude watches for spells without a majority and puts each on record when it
// ends. The spell that lasts is in a file, so that one during which the process ends
// is on record too. One goroutine uses it.
type solitude struct {
	path   string
	now    func() time.Time
	record func(context.Context, storage.Alone) error

	had   bool // a majority was there since the start
	spell *spell
}

// spell is a time without a majority, as the file has it.
type spell struct {
	From   time.Time            `json:"from"` // by the node's clock
	Policy uint64               `json:"policy"`
	Why    string               `json:"why"`
	Saw    map[string]time.Time `json:"saw"` // since when each member was heard

	saved bool
}

// keepAlone watches until ctx ends.
func (n *Node) keepAlone(ctx context.Context) {
	s := &solitude{path: filepath.Join(n.options.Dir, "alone"), now: n.options.Clock, record: n.recordAlone}
	if err := s.resume(ctx); err != nil {
		n.log.Error("a time without a majority is not on record", "error", err)
	}
	ticker := time.NewTicker(aloneLook)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		if err := s.look(ctx, n.cluster.Status(), n.state.Applied()); err != nil && ctx.Err() == nil {
			n.log.Error("a time without a majority is not on record yet", "error", err)
		}
	}
}

// recordAlone makes the fact.
func (n *Node) recordAlone(ctx context.Context, a storage.Alone) error {
	body, err := a.Encode()
	if err != nil {
		return err
	}
	_, err = n.exchange.Create(ctx, fact.KindAlone, fact.Alerts, body)
	if err == nil {
		n.log.Warn("this node was without a majority", "from", time.UnixMilli(a.From).UTC(), "to", time.UnixMilli(a.To).UTC())
	}
	return err
}

// resume puts on record what a process that ended while it was alone has left.
func (s *solitude) resume(ctx context.Context) error {
	raw, err := os.ReadFile(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the last spell: %w", err)
	}
	var left spell
	if err := json.Unmarshal(raw, &left); err != nil { // it says nothing; the next one must not stand behind it
		return errors.Join(fmt.Errorf("reading the last spell: %w", err), s.clear())
	}
	left.Why = storage.AloneEnded
	if err := s.record(ctx, left.body(s.now(), s.now())); err != nil {
		return err
	}
	return s.clear()
}

// look takes one look. Errors leave the spell for the next one.
func (s *solitude) look(ctx context.Context, c cluster.Status, policy uint64) error {
	if c.HasQuorum {
		s.had = true
		return s.end(ctx)
	}
	if s.spell == nil {
		s.spell = &spell{From: s.now().Add(-time.Since(c.AloneSince)), Policy: policy, Why: storage.AloneLost, Saw: map[string]time.Time{}}
		if !s.had {
			s.spell.Why = storage.AloneStarting
		}
	}
	if s.now().Sub(s.spell.From) < spellAfter {
		return nil
	}
	if met := s.spell.meet(c, s.now()); met || !s.spell.saved {
		return s.save()
	}
	return nil
}

// meet notes who is in touch, and reports whether that is news. What was heard just
// before the majority was lost proves nothing.
func (p *spell) meet(c cluster.Status, now time.Time) (news bool) {
	for _, peer := range c.Peers {
		heard := peer.LastContact.After(c.AloneSince.Add(spellAfter)) && peer.Reachable
		_, known := p.Saw[peer.ID]
		if peer.ID != c.ID && heard && !known && len(p.Saw) < storage.MaxSaw {
			p.Saw[peer.ID], news = now, true
		}
	}
	return news
}

func (s *solitude) save() error {
	raw, err := json.Marshal(s.spell)
	if err == nil {
		err = durable.WriteFile(s.path, raw)
	}
	if err != nil {
		return fmt.Errorf("saving the spell: %w", err)
	}
	s.spell.saved = true
	return nil
}

// end puts a spell that was long enough on record, then forgets it.
func (s *solitude) end(ctx context.Context) error {
	if s.spell == nil {
		return nil
	}
	if !s.spell.saved && s.now().Sub(s.spell.From) < spellAfter {
		s.spell = nil
		return nil
	}
	if err := s.record(ctx, s.spell.body(s.now(), s.now().Add(-meeting))); err != nil {
		return err
	}
	s.spell = nil
	return s.clear()
}

// body is the record of a spell that ended at to; who was heard before counts as seen.
func (p *spell) body(to, before time.Time) storage.Alone {
	a := storage.Alone{From: p.From.UnixMilli(), Policy: p.Policy, Why: p.Why}
	a.To = max(a.From, to.UnixMilli())
	for _, id := range slices.Sorted(maps.Keys(p.Saw)) {
		if p.Saw[id].Before(before) {
			a.Saw = append(a.Saw, id)
		}
	}
	return a
}

// clear removes the file. A crash before that gives the same spell twice, which the
// report counts once.
func (s *solitude) clear() error {
	if err := os.Remove(s.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the spell: %w", err)
	}
	return durable.SyncDir(filepath.Dir(s.path))
}
