package reports

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"almenara/cluster/agreed"
	"almenara/cluster/fact"
	"almenara/storage/alert"
	"almenara/storage/factbody"
)

// How many reports are known here; those that were forgotten are still in the log and on the audit.
const (
	mostReports   = 8192
	mostOfMember  = 64 // a member's own oldest go first
	mostPositions = 4096
	// mostRecalled is how many facts of a kind are read at a start, from the newest back, and recalledFor how
	// old they may be: as long as photos and receipts are kept.
	mostRecalled = 20_000
	recalledFor  = 13 * 30 * 24 * time.Hour
)

// Log has what was agreed; *agreed.Reader is one.
type Log interface {
	KeptBefore(kind fact.Kind, index uint64, n uint16, limit int) ([]agreed.KeptFact, error)
	AgreedAt(index uint64) (at time.Time, ok bool, err error)
}

// Photos hear of photos that facts name; *originals.Keeper is one.
type Photos interface {
	LearnPhoto(origin string, r factbody.Report)
}

// Book is what people reported, as far as this node knows: what is agreed and what is durable here. Its
// methods may be called from any goroutine.
type Book struct {
	log    Log
	photos Photos
	clock  func() time.Time

	mu        sync.Mutex
	reports   map[string]*entry
	own       map[uint32]int // how many of the reports are a member's
	positions map[positionOf]factbody.Report
}

// entry is one report and the last word of a person about it; either may be known before the other.
type entry struct {
	report *factbody.Report
	last   *factbody.Moderation
}

// positionOf says whose position it is, and for which alert.
type positionOf struct {
	member uint32
	alert  string
}

// NewBook makes an empty one; Recall fills it. The clock is this node's.
func NewBook(log Log, photos Photos, clock func() time.Time) *Book {
	return &Book{log: log, photos: photos, clock: clock, reports: map[string]*entry{}, own: map[uint32]int{}, positions: map[positionOf]factbody.Report{}}
}

// Learn takes a fact that is durable here, once or more often, in any order. It reports the alert that
// it is about, "" for none; false where it is neither a report nor a moderation, or cannot be read.
func (b *Book) Learn(f fact.Fact) (alert.ID, bool) { return b.learn(f, b.clock()) }

// learn is Learn of what became known then. No time is believed that lies ahead of it: it would stand above all
// that is said until then.
func (b *Book) learn(f fact.Fact, known time.Time) (alert.ID, bool) {
	switch f.Kind {
	case fact.KindReport:
		r, err := factbody.DecodeReport(f.Body)
		if err != nil {
			return "", false
		}
		r.Taken, r.At = alert.Believed(r.Taken, known), alert.Believed(r.At, known)
		b.photos.LearnPhoto(f.Origin, r)
		b.mu.Lock()
		defer b.mu.Unlock()
		b.learnReport(r)
		return alert.ID(r.Alert), true
	case fact.KindModeration:
		m, err := factbody.DecodeModeration(f.Body)
		if err != nil {
			return "", false
		}
		m.At = alert.Believed(m.At, known)
		b.mu.Lock()
		defer b.mu.Unlock()
		e := b.entry(m.Report)
		if e.last == nil || after(m, *e.last) {
			e.last = &m
		}
		if e.report == nil {
			b.forget(nobody) // a word about what is not known here must not take the room of what is
			return "", true
		}
		return alert.ID(e.report.Alert), true
	}
	return "", false
}

// after orders words about one report; it is the same on every node in whatever order they come.
func after(m, old factbody.Moderation) bool {
	return cmp.Or(cmp.Compare(m.At, old.At), cmp.Compare(m.State, old.State), cmp.Compare(m.By, old.By), cmp.Compare(m.Note, old.Note)) > 0
}

// learnReport lays a report on the book. mu is held.
func (b *Book) learnReport(r factbody.Report) {
	if r.Kind == factbody.ReportPosition {
		at := positionOf{r.Member, r.Alert}
		if old, known := b.positions[at]; known && cmp.Or(cmp.Compare(r.At, old.At), cmp.Compare(r.Report, old.Report)) <= 0 {
			return
		}
		b.positions[at] = r
		if len(b.positions) > mostPositions {
			oldest := at
			for p, one := range b.positions {
				if one.At < b.positions[oldest].At {
					oldest = p
				}
			}
			delete(b.positions, oldest)
		}
		return
	}
	e := b.entry(r.Report)
	if e.report != nil && cmp.Or(cmp.Compare(r.Taken, e.report.Taken), cmp.Compare(r.At, e.report.At)) >= 0 {
		return // a device that changed nodes told two of them; the first counts everywhere
	}
	if e.report == nil {
		b.own[r.Member]++
	}
	e.report = &r
	b.forget(r.Member)
}

// entry is that of a report. mu is held.
func (b *Book) entry(id string) *entry {
	e, ok := b.reports[id]
	if !ok {
		e = &entry{}
		b.reports[id] = e
	}
	return e
}

// nobody is no member.
const nobody = math.MaxUint32

// full reports whether there is no room for another report.
func (b *Book) full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.reports) >= mostReports
}

// forget makes room: of a member who has too many, else of everybody. mu is held.
func (b *Book) forget(member uint32) {
	many := b.own[member] > mostOfMember
	if !many && len(b.reports) <= mostReports {
		return
	}
	var oldest string
	var oldestAt int64
	for id, e := range b.reports {
		at := int64(0) // a word about what never came
		if e.report != nil {
			at = e.report.Taken
		}
		if many && (e.report == nil || e.report.Member != member) {
			continue
		}
		if oldest == "" || at < oldestAt || at == oldestAt && id < oldest {
			oldest, oldestAt = id, at
		}
	}
	if r := b.reports[oldest].report; r != nil {
		if b.own[r.Member]--; b.own[r.Member] == 0 {
			delete(b.own, r.Member)
		}
	}
	delete(b.reports, oldest)
}

// recalledAtOnce is how many facts are read at a time: there may be years of them.
const recalledAtOnce = 1000

// Recall reads what was agreed, from the newest back as far as it may still be shown.
func (b *Book) Recall() error {
	oldest := b.clock().Add(-recalledFor)
	for _, kind := range []fact.Kind{fact.KindReport, fact.KindModeration} {
		var index uint64
		var n uint16
		for read, over := 0, false; !over && read < mostRecalled && (kind == fact.KindModeration || !b.full()); {
			kept, err := b.log.KeptBefore(kind, index, n, recalledAtOnce)
			if err != nil {
				return fmt.Errorf("recalling what people reported: %w", err)
			}
			for _, k := range kept {
				at, ok, err := b.log.AgreedAt(k.Index)
				if err != nil {
					return fmt.Errorf("recalling when people reported: %w", err)
				}
				known := b.clock()
				if ok {
					known = alert.Earlier(at, known)
				}
				b.learn(k.Fact, known)
				index, n, over = k.Index, k.N, fact.WallTime(k.Fact.HLC).Before(oldest)
			}
			read, over = read+len(kept), over || len(kept) < recalledAtOnce
		}
	}
	return nil
}

// known reports whether a report of that id was taken, in any node of which this one has heard.
func (b *Book) known(id string) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.reports[id]
	return e != nil && e.report != nil
}

// one is a report and the last word about it; false where it is not known.
func (b *Book) one(id string) (factbody.Report, *factbody.Moderation, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	e := b.reports[id]
	if e == nil || e.report == nil {
		return factbody.Report{}, nil, false
	}
	return *e.report, e.last, true
}

// counted is how many reports a member, and everybody, made since a time, by the clocks of the nodes that
// took them.
func (b *Book) counted(member uint32, since time.Time) (own, all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.reports {
		if e.report == nil || e.report.Taken < since.UnixMilli() {
			continue
		}
		if all++; e.report.Member == member {
			own++
		}
	}
	return own, all
}

// positioned is when the newest position of a member was taken, for whatever alert, and how many of everybody
// were since a time.
func (b *Book) positioned(member uint32, since time.Time) (last time.Time, all int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, r := range b.positions {
		if taken := time.UnixMilli(r.Taken); at.member == member && taken.After(last) {
			last = taken
		}
		if r.Taken >= since.UnixMilli() {
			all++
		}
	}
	return last, all
}

// listed is one report of a listing.
type listed struct {
	factbody.Report
	last *factbody.Moderation
}

func (l listed) state() factbody.ReportState {
	if l.last == nil {
		return factbody.ReportNew
	}
	return l.last.State
}

// list is every report that wanted picks, newest first.
func (b *Book) list(wanted func(factbody.Report) bool) (out []listed) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.reports {
		if e.report != nil && wanted(*e.report) {
			out = append(out, listed{*e.report, e.last})
		}
	}
	slices.SortFunc(out, func(x, y listed) int {
		return cmp.Or(cmp.Compare(y.Taken, x.Taken), cmp.Compare(x.Report.Report, y.Report.Report))
	})
	return out
}

// responders are the newest positions that belong to an alert, by member.
func (b *Book) responders(of func(alert string) bool) (out []factbody.Report) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, r := range b.positions {
		if of(at.alert) {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(x, y factbody.Report) int { return cmp.Compare(x.Member, y.Member) })
	return out
}
