package personal

import (
	"context"
	"errors"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/node/authority"
	"almenara/node/wire"
	shown "almenara/node/wire/personal"
	"almenara/node/wire/why"
	"almenara/storage"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/notice"
	"almenara/storage/personal"
)

// things are what is removed once it is old; of reports whether a fact of the kind is one of them.
var things = []struct {
	what personal.What
	name string
	kind fact.Kind
	of   func(f fact.Fact) bool
}{
	{personal.OldPositions, shown.Positions, fact.KindReport, position},
	{personal.OldReports, shown.Reports, fact.KindReport, func(f fact.Fact) bool { return !position(f) }},
	{personal.OldModerations, shown.Moderations, fact.KindModeration, func(fact.Fact) bool { return true }},
	{personal.OldNotes, shown.Notes, fact.KindFollowUp, func(f fact.Fact) bool {
		u, err := factbody.DecodeFollowUp(f.Body)
		return err == nil && u.Note != ""
	}},
	{personal.OldResidents, shown.ResidentWords, fact.KindResidents, func(f fact.Fact) bool {
		r, err := factbody.DecodeResidents(f.Body)
		_, words := r.Old()
		return err == nil && words
	}},
	{personal.OldNotices, shown.Notices, 0, nil},
}

func position(f fact.Fact) bool {
	r, err := factbody.DecodeReport(f.Body)
	return err == nil && r.Kind == factbody.ReportPosition
}

// ShowRetention implements service.Personal.
func (p *Personal) ShowRetention(_ context.Context, by authority.Caller) (out shown.Kept, err error) {
	if err := authority.Door(by, authority.ReadErasures); err != nil {
		return out, err
	}
	return out, p.o.Store.View(func(t *storage.Txn) error {
		r, err := personal.RetentionRule.Value(t)
		if err != nil {
			return err
		}
		full := r.WithDefaults()
		out = shown.Kept{By: r.By, Next: []shown.Removal{}, Retention: shown.Retention{
			PositionDays: full.PositionDays, ReportMonths: full.ReportMonths, NoteMonths: full.NoteMonths, ResidentMonths: full.ResidentMonths, NoticeMonths: full.NoticeMonths,
		}}
		if r.At > 0 {
			out.At = time.UnixMilli(r.At).UTC()
		}
		for _, thing := range things {
			next, err := p.next(t, r, thing.what)
			if err != nil {
				return err
			}
			next.What = thing.name
			out.Next = append(out.Next, next)
		}
		return nil
	})
}

// mostCounted bounds how many records are counted of what is removed next.
const mostCounted = 5000

// next is what the next removal of a thing takes.
func (p *Personal) next(t *storage.Txn, r personal.Retention, what personal.What) (out shown.Removal, err error) {
	was, known, err := personal.Removals.Get(t, []byte{byte(what)})
	if err != nil {
		return out, err
	}
	now := p.o.Clock()
	if !known {
		was.Since = now.UnixMilli()
	}
	on := personal.Day(now)
	if oldest, there, err := p.oldest(t, what, was); err != nil {
		return out, err
	} else if !there || oldest >= r.Cutoff(what, on).UnixMilli() || was.Before >= r.Cutoff(what, on).UnixMilli() { // nothing is left of today's
		on = on.Add(24 * time.Hour)
	}
	if begins := r.Begins(was); on.Before(begins) {
		on = begins
	}
	out = shown.Removal{On: on, Before: r.Cutoff(what, on), Removed: was.Count}
	if what == personal.OldNotices {
		return out, notice.Ends.Each(t, func(e notice.End) error {
			if e.At < out.Before.UnixMilli() {
				out.Due++
			}
			return nil
		})
	}
	thing := things[what-1]
	looked := 0
	var bad error
	err = eachKept(t, thing.kind, was.Index, was.N, func(index uint64, f fact.Fact, _ bool) bool {
		at, err := audit.AgreedAt(t, index, fact.WallTime(f.HLC).UnixMilli(), now.UnixMilli())
		if bad = err; err != nil {
			return false
		}
		if looked++; at >= out.Before.UnixMilli() {
			return false
		}
		if out.More = looked > mostCounted; out.More {
			return false
		}
		if thing.of(f) {
			out.Due++
		}
		return true
	})
	return out, errors.Join(err, bad)
}

// PutRetention implements service.Personal.
func (p *Personal) PutRetention(ctx context.Context, by authority.Caller, in shown.Retention) (out shown.Kept, err error) {
	if err := authority.Door(by, authority.ChangeRetention); err != nil {
		return out, err
	}
	r := personal.Retention{PositionDays: in.PositionDays, ReportMonths: in.ReportMonths, NoteMonths: in.NoteMonths, ResidentMonths: in.ResidentMonths, NoticeMonths: in.NoticeMonths}
	if err := r.Validate(); err != nil {
		return out, wire.Problemf(wire.KindRefused, "nothing was changed: %v", err).Because(why.RetentionUnfit, personal.LeastNoticeMonths, personal.MostMonths, personal.MostDays)
	}
	if _, err := p.o.Proposer.Change(ctx, by.Name, &command.PutRetention{Retention: r}); err != nil {
		return out, err
	}
	return p.ShowRetention(ctx, by)
}

// RemoveOld is a duty of the leader: once a day, after midnight UTC, it removes what is older than the district
// keeps, from the day after that was set on, or after personal.Grace. Each entry of the log says before what time, so
// that every node removes the same, and none that the district keeps.
func (p *Personal) RemoveOld(ctx context.Context) error {
	if !p.o.Trusted() {
		return nil
	}
	for _, thing := range things {
		before, due, err := p.due(thing.what)
		if err != nil {
			return err
		}
		for done := !due; !done; {
			out, err := search(p, ctx, p.o.Name(), &command.RemoveOld{What: thing.what, Before: before.UnixMilli()})
			if err != nil {
				return err
			}
			done = out.Done
		}
	}
	return nil
}

// due reports whether something is removed now, or looked at for the first time. Where there is nothing, nothing is
// written: a district that knows nothing of people uses no command that older software does not understand.
func (p *Personal) due(what personal.What) (before time.Time, due bool, err error) {
	err = p.o.Store.View(func(t *storage.Txn) error {
		r, err := personal.RetentionRule.Value(t)
		if err != nil {
			return err
		}
		was, known, err := personal.Removals.Get(t, []byte{byte(what)})
		if err != nil {
			return err
		}
		now := p.o.Clock()
		before = r.Cutoff(what, now)
		if known && (was.Before >= before.UnixMilli() || now.Before(r.Begins(was))) {
			return nil
		}
		oldest, there, err := p.oldest(t, what, was)
		due = there && (!known || oldest < before.UnixMilli())
		return err
	})
	return before, due, err
}

// oldest is when the oldest that was not looked at was agreed on, or was over, ms since 1970; false where there is none.
func (p *Personal) oldest(t *storage.Txn, what personal.What, was personal.Removal) (at int64, there bool, err error) {
	if what == personal.OldNotices {
		ends, err := notice.Ends.After(t, "", 1)
		for _, e := range ends {
			at, there = e.At, true
		}
		return at, there, err
	}
	var bad error
	err = eachKept(t, things[what-1].kind, was.Index, was.N, func(index uint64, f fact.Fact, _ bool) bool {
		there = true
		at, bad = audit.AgreedAt(t, index, fact.WallTime(f.HLC).UnixMilli(), p.o.Clock().UnixMilli())
		return false
	})
	return at, there, errors.Join(err, bad)
}
