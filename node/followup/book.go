package followup

import (
	"fmt"
	"sync"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// mostAlerts is of how many alerts it is known what people did; those of which nothing was heard for
// longest are forgotten here, not on the audit.
const mostAlerts = 4096

// Log has what was agreed; *agreed.Reader is one.
type Log interface {
	KeptBefore(kind fact.Kind, index uint64, n uint16, limit int) ([]agreed.KeptFact, error)
	AgreedAt(index uint64) (at time.Time, ok bool, err error)
}

// Told says who told a member, and when by the clock of the node where that was put in.
type Told struct {
	By string
	At time.Time
}

// Book is what people did about alerts, as far as this node knows: what is agreed and what is durable
// here. Its methods may be called from any goroutine.
type Book struct {
	log   Log
	clock func() time.Time

	mu     sync.Mutex
	alerts map[alert.ID]*sheet
	calls  map[string][]Call // by fact of a message, in the order of the groups; of what is in alerts
	unread older
}

// older is a place in the log: what was agreed before it is about alerts that were over at that time, and
// was not read. The zero one is that all was read.
type older struct {
	index uint64
	n     uint16
	since time.Time // what was sent later was read
}

// sheet is what was done about one alert.
type sheet struct {
	heard     int64 // ms since 1970, the newest
	told      map[alert.Revision]map[uint32]words
	reminders map[alert.Revision]reminder
	called    []string // facts of messages of which groups were called
}

// reminder is the last word about reminders of one revision.
type reminder struct {
	at    int64 // ms since 1970
	by    string
	every time.Duration // 0: once
}

// NewBook makes an empty one; Recall fills it. The clock is this node's.
func NewBook(log Log, clock func() time.Time) *Book {
	return &Book{log: log, clock: clock, alerts: map[alert.ID]*sheet{}, calls: map[string][]Call{}}
}

// Learn takes a fact that is durable here, once or more often, in any order. False where it is none of a
// person, or cannot be read.
func (b *Book) Learn(f fact.Fact) (alert.ID, bool) {
	if f.Kind != fact.KindFollowUp {
		return "", false
	}
	u, err := factbody.DecodeFollowUp(f.Body)
	if err != nil {
		return "", false
	}
	b.put(u, b.clock())
	return alert.ID(u.Alert), true
}

// put lays what became known then on the sheet of its alert.
func (b *Book) put(u factbody.FollowUp, known time.Time) {
	u.At = alert.Believed(u.At, known)
	id, revision := alert.ID(u.Alert), alert.Revision(u.Revision)
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sheet(id, u.At)
	if s == nil {
		return
	}
	s.heard = max(s.heard, u.At)
	switch u.What {
	case factbody.Remind:
		next := reminder{u.At, u.By, time.Duration(u.Every) * time.Minute}
		if old := s.reminders[revision]; next.after(old) {
			s.reminders[revision] = next
		}
	case factbody.Call:
		b.putCall(s, u)
	case factbody.Told, factbody.TakeBack:
		if s.told[revision] == nil {
			s.told[revision] = map[uint32]words{}
		}
		next := word{Told{u.By, time.UnixMilli(u.At).UTC()}, u.What == factbody.TakeBack}
		for _, m := range u.Members {
			s.told[revision][m] = s.told[revision][m].with(next)
		}
	}
}

// after orders words about reminders; it is the same on every node in whatever order they come.
func (r reminder) after(old reminder) bool {
	if r.at != old.at {
		return r.at > old.at
	}
	return r.every > old.every || r.every == old.every && r.by > old.by
}

// sheet is that of an alert of which something is heard; where there are too many, the one of which
// nothing was heard for longest is forgotten, which may be this one: nil. mu is held.
func (b *Book) sheet(id alert.ID, heard int64) *sheet {
	s, ok := b.alerts[id]
	if ok {
		return s
	}
	if len(b.alerts) >= mostAlerts {
		var oldest alert.ID
		for other, s := range b.alerts {
			if oldest == "" || s.heard < b.alerts[oldest].heard {
				oldest = other
			}
		}
		if heard < b.alerts[oldest].heard {
			return nil
		}
		for _, fact := range b.alerts[oldest].called {
			delete(b.calls, fact)
		}
		delete(b.alerts, oldest)
	}
	s = &sheet{told: map[alert.Revision]map[uint32]words{}, reminders: map[alert.Revision]reminder{}}
	b.alerts[id] = s
	return s
}

// recalledAtOnce is how many facts are read at a time: there may be years of them.
const recalledAtOnce = 1000

// matters is how long after an alert was sent something may follow from what people did about it, with a
// day for clocks.
const matters = alert.MaxPlanned + alert.MaxLifetime + 24*time.Hour

// Recall reads what was agreed, from the newest back to where all of it is about alerts that are over.
// What is older is read when somebody asks for it.
func (b *Book) Recall() error {
	next := older{since: b.clock().Add(-matters)}
	for {
		kept, err := b.log.KeptBefore(fact.KindFollowUp, next.index, next.n, recalledAtOnce)
		if err != nil {
			return fmt.Errorf("recalling what people did about alerts: %w", err)
		}
		if err := b.learnAgreed(kept); err != nil {
			return err
		}
		over := true
		for _, k := range kept {
			over = over && fact.WallTime(k.Fact.HLC).Before(next.since)
			next.index, next.n = k.Index, k.N
		}
		if all := len(kept) < recalledAtOnce; over || all {
			if all {
				next = older{}
			}
			b.mu.Lock()
			defer b.mu.Unlock()
			b.unread = next
			return nil
		}
	}
}

// learnAgreed takes facts that were agreed on. Each counts as of then: it may lie ahead of that and not of now,
// or what was taken back would stand again after a start.
func (b *Book) learnAgreed(kept []agreed.KeptFact) error {
	now := b.clock()
	for _, k := range kept {
		u, err := factbody.DecodeFollowUp(k.Fact.Body)
		if err != nil {
			continue // it was refused when it came, or is of newer software
		}
		at, ok, err := b.log.AgreedAt(k.Index)
		if err != nil {
			return fmt.Errorf("recalling when something was done about an alert: %w", err)
		}
		known := now
		if ok {
			known = alert.Earlier(at, now)
		}
		b.put(u, known)
	}
	return nil
}

// readOlder reads what Recall has left, where the message is one that it is about.
func (b *Book) readOlder(revision alert.Revision) error {
	b.mu.Lock()
	from := b.unread
	b.mu.Unlock()
	if from.index == 0 || !time.UnixMilli(int64(revision)).Before(from.since) {
		return nil
	}
	for next := from; ; {
		kept, err := b.log.KeptBefore(fact.KindFollowUp, next.index, next.n, recalledAtOnce)
		if err != nil {
			return fmt.Errorf("reading what people did about old alerts: %w", err)
		}
		if err := b.learnAgreed(kept); err != nil {
			return err
		}
		if len(kept) < recalledAtOnce {
			break
		}
		next.index, next.n = kept[len(kept)-1].Index, kept[len(kept)-1].N
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.unread == from {
		b.unread = older{}
	}
	return nil
}

// Told is who was told one revision of the alert by a person, whatever id of it was known then. The map
// is the caller's; nil where nobody was. Of an alert that was over before this node was started the log is
// read, once.
func (b *Book) Told(ids []alert.ID, revision alert.Revision) (map[uint32]Told, error) {
	if err := b.readOlder(revision); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var out map[uint32]Told
	for _, id := range ids {
		s := b.alerts[id]
		if s == nil {
			continue
		}
		for m, said := range s.told[revision] {
			told, stands := said.stands()
			if !stands {
				continue
			}
			if out == nil {
				out = map[uint32]Told{}
			}
			if old, known := out[m]; !known || told.At.Before(old.At) {
				out[m] = told
			}
		}
	}
	return out, nil
}

// Reminded is when devices were last reminded of one revision of the alert, at that time, and how long
// it is until the next reminder that comes by itself; zero where none was, and none comes.
func (b *Book) Reminded(ids []alert.ID, revision alert.Revision, now time.Time) (last time.Time, every time.Duration) {
	newest := b.newest(ids, revision, now)
	if newest.at == 0 {
		return time.Time{}, 0
	}
	last = time.UnixMilli(newest.at).UTC()
	if newest.every > 0 && now.After(last) {
		last = last.Add(now.Sub(last) / newest.every * newest.every)
	}
	return last, newest.every
}

// next is a time, in ms since 1970, for a word about reminders that stands above all that is known.
func (b *Book) next(ids []alert.ID, revision alert.Revision, now time.Time) int64 {
	return max(now.UnixMilli(), b.newest(ids, revision, now).at+1)
}

// newest is the last word about reminders of one revision; zero where there is none. One that lies ahead
// of the clock, which was set back since, is of now: else nothing said now would stand above it.
func (b *Book) newest(ids []alert.ID, revision alert.Revision, now time.Time) (newest reminder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		s := b.alerts[id]
		if s == nil {
			continue
		}
		r, ok := s.reminders[revision]
		if at := alert.Believed(r.at, now); ok && at != r.at {
			r.at = at
			s.reminders[revision] = r
		}
		if r.after(newest) {
			newest = r
		}
	}
	return newest
}
