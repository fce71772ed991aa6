// Package summaries remembers how alerts that are over were summed up.
package summaries

import (
	"container/list"
	"slices"
	"sync"

	"almenara/node/wire"
	"almenara/storage/alert"
	"almenara/storage/factlog"
)

// Memory remembers how alerts that are over were summed up, the ones asked for last: a
// list of them costs nothing then. A summary holds while nothing was adopted that belongs
// to it and the audience is the same, which its stamp tells. Safe for concurrent use; the zero
// value is ready.
type Memory struct {
	mu    sync.Mutex
	order list.List // of *Summary, the one used last in front
	of    map[alert.ID]*list.Element
}

// Summary is one alert as a list shows it.
type Summary struct {
	ID    alert.ID
	IDs   []alert.ID      // under which receipts of it may come in
	Stamp []factlog.Place // as Get asks for it, from before Out was made
	Out   wire.Alert
}

// most bounds what is remembered, some 2 kB each.
const most = 2048

// Get gives the summary if it holds: stamp tells where the last adopted message and the
// last receipts under the ids are, and the audience's version. ids are those under which
// receipts of it may come in.
func (s *Memory) Get(id alert.ID, stamp func([]alert.ID) ([]factlog.Place, error)) (out wire.Alert, ids []alert.ID, known bool) {
	s.mu.Lock()
	e, ok := s.of[id]
	if ok {
		s.order.MoveToFront(e)
	}
	s.mu.Unlock()
	if !ok {
		return out, nil, false
	}
	one := e.Value.(*Summary)
	now, err := stamp(one.IDs)
	if err != nil || !slices.Equal(now, one.Stamp) {
		return out, nil, false
	}
	return one.Out, one.IDs, true
}

// Put remembers the summary.
func (s *Memory) Put(one *Summary) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of == nil {
		s.of = map[alert.ID]*list.Element{}
	}
	if old, ok := s.of[one.ID]; ok {
		s.order.Remove(old)
	}
	s.of[one.ID] = s.order.PushFront(one)
	for s.order.Len() > most {
		last := s.order.Back()
		s.order.Remove(last)
		delete(s.of, last.Value.(*Summary).ID)
	}
}
