package reports

import (
	"almenara/cluster/fact"
	"almenara/storage/factbody"
	"almenara/storage/personal"
)

// Forget forgets the reports of members that were erased, and those that were taken before the time, ms since 1970,
// that is given for their kind, with what was made of them. It returns how many that were.
func (b *Book) Forget(erased func(member uint32) bool, before func(personal.What) int64) (n int) {
	gone := func(r factbody.Report) bool {
		what := personal.OldReports
		if r.Kind == factbody.ReportPosition {
			what = personal.OldPositions
		}
		return erased(r.Member) || r.Taken < before(what)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for id, e := range b.reports {
		if e.report == nil || !gone(*e.report) {
			continue
		}
		if b.own[e.report.Member]--; b.own[e.report.Member] == 0 {
			delete(b.own, e.report.Member)
		}
		delete(b.reports, id)
		n++
	}
	for at, r := range b.positions {
		if gone(r) {
			delete(b.positions, at)
			n++
		}
	}
	return n
}

// Relearn takes a report, or what was made of one, that has lost words, in the place of what is known of it.
func (b *Book) Relearn(f fact.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch f.Kind {
	case fact.KindReport:
		r, err := factbody.DecodeReport(f.Body)
		if err != nil {
			return
		}
		if e := b.reports[r.Report]; e != nil && e.report != nil && e.report.Member == r.Member {
			r.Taken, r.At = e.report.Taken, e.report.At // as far as they were believed
			e.report = &r
		}
	case fact.KindModeration:
		m, err := factbody.DecodeModeration(f.Body)
		if err != nil {
			return
		}
		if e := b.reports[m.Report]; e != nil && e.last != nil && e.last.By == m.By && e.last.State == m.State && e.last.At <= m.At {
			m.At = e.last.At
			e.last = &m
		}
	}
}

// Photos are the digests of the photos of the reports that are known.
func (b *Book) Photos() (out [][]byte) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, e := range b.reports {
		if e.report != nil && e.report.Photo != nil {
			out = append(out, e.report.Photo.SHA256)
		}
	}
	return out
}
