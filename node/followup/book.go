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
	KeptFacts(kind fact.Kind, index uint64, n uint16, limit int) ([]agreed.KeptFact, error)
}

// Told says who told a member, and when by the clock of the node where that was put in.
type Told struct {
	By string
	At time.Time
}

// Book is what people did about alerts, as far as this node knows: what is agreed and what is durable
// here. Its methods may be called from any goroutine.
type Book struct {
	log Log

	mu     sync.Mutex
	alerts map[alert.ID]*sheet
	looked time.Time // when Due was asked last
}

// sheet is what was done about one alert.
type sheet struct {
	heard     int64 // ms since 1970, the newest
	told      map[alert.Revision]map[uint32]Told
	reminders map[alert.Revision]reminder
}

// reminder is the last word about reminders of one revision.
type reminder struct {
	at    int64 // ms since 1970
	by    string
	every time.Duration // 0: once
}

// NewBook makes an empty one; Recall fills it.
func NewBook(log Log) *Book { return &Book{log: log, alerts: map[alert.ID]*sheet{}} }

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
	id, revision := alert.ID(u.Alert), alert.Revision(u.Revision)
	b.mu.Lock()
	defer b.mu.Unlock()
	s := b.sheet(id)
	s.heard = max(s.heard, u.At)
	if u.What == factbody.Remind {
		next := reminder{u.At, u.By, time.Duration(u.Every) * time.Minute}
		if old := s.reminders[revision]; next.after(old) {
			s.reminders[revision] = next
		}
		return id, true
	}
	if s.told[revision] == nil {
		s.told[revision] = map[uint32]Told{}
	}
	next := Told{u.By, time.UnixMilli(u.At).UTC()}
	for _, m := range u.Members {
		old, known := s.told[revision][m]
		if !known || next.At.Before(old.At) || next.At.Equal(old.At) && next.By < old.By { // the first word, on every node the same
			s.told[revision][m] = next
		}
	}
	return id, true
}

// after orders words about reminders; it is the same on every node in whatever order they come.
func (r reminder) after(old reminder) bool {
	if r.at != old.at {
		return r.at > old.at
	}
	return r.every > old.every || r.every == old.every && r.by > old.by
}

// sheet is that of an alert; another one is forgotten where there are too many. mu is held.
func (b *Book) sheet(id alert.ID) *sheet {
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
		delete(b.alerts, oldest)
	}
	s = &sheet{told: map[alert.Revision]map[uint32]Told{}, reminders: map[alert.Revision]reminder{}}
	b.alerts[id] = s
	return s
}

// recalledAtOnce is how many facts are read at a time: there may be years of them.
const recalledAtOnce = 1000

// Recall reads what was agreed.
func (b *Book) Recall() error {
	var index uint64
	var n uint16
	for {
		kept, err := b.log.KeptFacts(fact.KindFollowUp, index, n, recalledAtOnce)
		if err != nil {
			return fmt.Errorf("recalling what people did about alerts: %w", err)
		}
		for _, k := range kept {
			b.Learn(k.Fact)
			index, n = k.Index, k.N
		}
		if len(kept) < recalledAtOnce {
			return nil
		}
	}
}

// Told is who was told one revision of the alert by a person, whatever id of it was known then. The map
// is the caller's; nil where nobody was.
func (b *Book) Told(ids []alert.ID, revision alert.Revision) map[uint32]Told {
	b.mu.Lock()
	defer b.mu.Unlock()
	var out map[uint32]Told
	for _, id := range ids {
		s := b.alerts[id]
		if s == nil {
			continue
		}
		for m, told := range s.told[revision] {
			if out == nil {
				out = map[uint32]Told{}
			}
			if old, known := out[m]; !known || told.At.Before(old.At) {
				out[m] = told
			}
		}
	}
	return out
}

// Reminded is when devices were last reminded of one revision of the alert, at that time, and how long
// it is until the next reminder that comes by itself; zero where none was, and none comes.
func (b *Book) Reminded(ids []alert.ID, revision alert.Revision, now time.Time) (last time.Time, every time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	var newest reminder
	for _, id := range ids {
		if s := b.alerts[id]; s != nil {
			if r := s.reminders[revision]; r.after(newest) {
				newest = r
			}
		}
	}
	if newest.at == 0 {
		return time.Time{}, 0
	}
	last = time.UnixMilli(newest.at).UTC()
	if newest.every > 0 && now.After(last) {
		last = last.Add(now.Sub(last) / newest.every * newest.every)
	}
	return last, newest.every
}

// Due reports whether a reminder has come by itself since it was asked last. It is asked by one
// goroutine again and again.
func (b *Book) Due(now time.Time) (due bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, s := range b.alerts {
		for _, r := range s.reminders {
			from := time.UnixMilli(r.at)
			if r.every > 0 && now.After(from) && now.Sub(from)/r.every > max(0, b.looked.Sub(from))/r.every {
				due = true
			}
		}
	}
	b.looked = now
	return due
}
