package personal

import (
	"fmt"
	"time"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/audit"
	"almenara/storage/coded"
	"almenara/storage/factlog"
	"almenara/storage/notice"
	"almenara/storage/personal"
)

func (e Entry) putRetention(p *command.PutRetention) (command.Result, string, error) {
	r := p.Retention
	r.By, r.At = e.Actor, e.At
	if err := personal.RetentionRule.Put(e.Txn, r); err != nil {
		return failed(err)
	}
	r = r.WithDefaults()
	return command.OK(nil), fmt.Sprintf("positions %d days, reports %d months, notes at who was told %d months, words of residents %d months, planned notices %d months",
		r.PositionDays, r.ReportMonths, r.NoteMonths, r.ResidentMonths, r.NoticeMonths), nil
}

// olds are the kinds of facts in which what is removed stands.
var olds = map[personal.What]fact.Kind{
	personal.OldPositions: fact.KindReport, personal.OldReports: fact.KindReport, personal.OldModerations: fact.KindModeration, personal.OldNotes: fact.KindFollowUp,
	personal.OldResidents: fact.KindResidents,
}

// removeOld removes the next of what is older than the command says, unless the district keeps what is that old:
// a node whose clock is wrong, or that has read another setting, removes nothing.
func (e Entry) removeOld(p *command.RemoveOld) (command.Result, string, error) {
	was, known, err := personal.Removals.Get(e.Txn, []byte{byte(p.What)})
	if err != nil {
		return failed(err)
	}
	rule, err := personal.RetentionRule.Value(e.Txn)
	if err != nil {
		return failed(err)
	}
	now := time.UnixMilli(e.At)
	if !known {
		was = personal.Removal{What: p.What, Since: e.At}
	}
	switch {
	case now.Before(rule.Begins(was)) && known:
		return refuse(command.KindConflict, "kept-until", "%s are removed from %s on", coded.Word(names[p.What]), rule.Begins(was).Format(time.RFC3339))
	case p.Before > rule.Cutoff(p.What, now).UnixMilli():
		return refuse(command.KindConflict, "kept-still", "%s of before %d are kept", coded.Word(names[p.What]), p.Before)
	case now.Before(rule.Begins(was)): // the first look
		if err := personal.Removals.Put(e.Txn, was); err != nil {
			return failed(err)
		}
		return command.OK(command.SearchResult{Done: true}), "", nil
	}
	var out command.SearchResult
	var lines []audit.Sealed
	if p.What == personal.OldNotices {
		out, err = e.removeNotices(p)
	} else {
		out, lines, err = e.removeFacts(&was, p)
	}
	if err != nil {
		return failed(err)
	}
	if len(lines) > 0 {
		if err := e.line("audit lines erase", fmt.Sprintf("%s from before %d: words of %d lines", names[p.What], p.Before, len(lines)), lines); err != nil {
			return failed(err)
		}
	}
	return e.removed(was, p, out)
}

// removeFacts looks at the next facts in log order, up to the first that is not old.
func (e Entry) removeFacts(was *personal.Removal, p *command.RemoveOld) (out command.SearchResult, lines []audit.Sealed, err error) {
	kind := olds[p.What]
	page, err := factlog.KeptAfter(e.Txn, uint8(kind), was.Index, was.N, factsAtOnce)
	if err != nil {
		return out, nil, err
	}
	out.Done = len(page) < factsAtOnce
	for _, k := range page {
		f, ok := opened(k)
		at := int64(0) // what has nothing to say is passed over
		if ok {
			if at, err = audit.AgreedAt(e.Txn, k.Index, fact.WallTime(f.HLC).UnixMilli(), e.At); err != nil {
				return out, nil, err
			}
		}
		if at >= p.Before {
			out.Done = true
			break
		}
		was.Index, was.N = k.Index, k.N
		left, err := old(p.What, f)
		if err != nil {
			return out, nil, err
		}
		if !ok || left == nil {
			continue
		}
		more, err := e.rewrite(k, kind, left)
		if err != nil {
			return out, nil, err
		}
		lines = append(lines, more...)
		out.Count++
	}
	return out, lines, nil
}

// removeNotices deletes the next planned notices that were over before the time, the oldest first.
func (e Entry) removeNotices(p *command.RemoveOld) (out command.SearchResult, err error) {
	n, more, err := notice.Sweep(e.Txn, p.Before)
	return command.SearchResult{Done: !more, Count: n}, err
}

// removed remembers how far the removal has come. The audit has one line for each entry that removed something.
func (e Entry) removed(was personal.Removal, p *command.RemoveOld, out command.SearchResult) (command.Result, string, error) {
	was.Count += out.Count
	if out.Done {
		was.Before = max(was.Before, p.Before)
	}
	if err := personal.Removals.Put(e.Txn, was); err != nil {
		return failed(err)
	}
	if out.Count == 0 {
		return command.OK(out), "", nil
	}
	return command.OK(out), fmt.Sprintf("%d %s from before %d", out.Count, names[p.What], p.Before), nil
}

var names = map[personal.What]string{
	personal.OldPositions: "positions", personal.OldReports: "reports", personal.OldModerations: "words about reports", personal.OldNotes: "notes at who was told",
	personal.OldResidents: "answers of residents", personal.OldNotices: "planned notices",
}
