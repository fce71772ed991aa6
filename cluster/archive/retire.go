package archive

import (
	"container/heap"
	"encoding/hex"
	"time"

	"almenara/storage"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/archived"
	"almenara/storage/factlog"
)

// retireMost is how many groups one commit archives at most: it takes some 5 µs each.
const retireMost = 64

// Retire writes groups to the archive all of whose messages had run out at now, and
// returns them. They stay on the board until that is committed: readers find a group on
// the board or in the archive. Retired forgets them then. given tells how many ordinals had been given at a time.
func (a *Alerts) Retire(t *storage.Txn, now time.Time, given func(time.Time) uint32) (groups []archived.Group, err error) {
	if a.frozen {
		return nil, nil
	}
	seen := make(map[alert.ID]bool)
	for len(a.ends) > 0 && !now.Before(a.ends[0].at) && len(groups) < retireMost && !t.Half() {
		key := heap.Pop(&a.ends).(ending).key
		f, ok := a.family(key)
		if !ok || seen[f.Keys[0]] {
			continue
		}
		if now.Before(f.Over) {
			heap.Push(&a.ends, ending{key, f.Over})
			continue
		}
		seen[f.Keys[0]] = true
		g := a.group(f)
		g.Ordinals = given(f.Over)
		if err := archived.Put(t, g); err != nil {
			return nil, err
		}
		groups = append(groups, g)
	}
	return groups, nil
}

func (a *Alerts) family(key alert.ID) (board.Family, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.board.Family(key)
}

// group is a family as the archive has it.
func (a *Alerts) group(f board.Family) archived.Group {
	a.mu.Lock()
	defer a.mu.Unlock()
	g := archived.Group{Until: f.Keep.UnixMilli() + 1}
	for _, k := range f.Keys {
		g.Keys = append(g.Keys, string(k))
	}
	for _, one := range f.Facts {
		if p, ok := a.places[one]; ok {
			g.Facts = append(g.Facts, p.fact())
		}
	}
	for _, c := range f.Cards {
		g.Cards = append(g.Cards, archived.Alert{ID: string(c.ID), Newest: newestOf(c, a.places)})
	}
	return g
}

// newestOf is where the message of the alert stands that was adopted last.
func newestOf(c board.Card, places map[string]Placed) (newest factlog.Place) {
	for _, part := range [][]board.Entry{c.Messages, c.Cancels, c.Lost} {
		for _, e := range part {
			if p := places[e.Fact].fact().Place; newest.Before(p) {
				newest = p
			}
		}
	}
	return newest
}

// Retired forgets groups that are in the archive now.
func (a *Alerts) Retired(groups []archived.Group) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(groups) > 0 {
		a.retired.Add(1)
	}
	for _, g := range groups {
		a.board.Forget(alert.ID(g.Keys[0]))
		for _, f := range g.Facts {
			delete(a.places, hex.EncodeToString(f.ID))
		}
	}
}

// Whole calls read until nothing was put into the archive meanwhile. Who began a transaction before that, and looks at
// the board after it, would find what was put there in neither. read must begin the transaction, and may be called again.
func (a *Alerts) Whole(read func() error) error {
	for {
		before := a.retired.Load()
		err := read()
		if err != nil || a.retired.Load() == before {
			return err
		}
	}
}

// endings is a heap of keys by the time at which their messages run out.
type endings []ending

type ending struct {
	key alert.ID
	at  time.Time
}

func (x endings) Len() int           { return len(x) }
func (x endings) Less(i, j int) bool { return x[i].at.Before(x[j].at) }
func (x endings) Swap(i, j int)      { x[i], x[j] = x[j], x[i] }

// Push is heap.Interface's.
func (x *endings) Push(one any) { *x = append(*x, one.(ending)) }

// Pop is heap.Interface's.
func (x *endings) Pop() any {
	last := len(*x) - 1
	out := (*x)[last]
	*x = (*x)[:last]
	return out
}
