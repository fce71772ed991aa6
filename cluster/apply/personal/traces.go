package personal

import (
	"fmt"
	"strings"

	"almenara/cluster/command"
	"almenara/cluster/fact"
	"almenara/storage/audit"
	"almenara/storage/factbody"
	"almenara/storage/factlog"
	"almenara/storage/member"
	"almenara/storage/notice"
	"almenara/storage/personal"
)

// What one entry looks at, at most.
const (
	factsAtOnce   = 100
	linesAtOnce   = 500
	noticesAtOnce = 20
)

// eraseTraces takes the next step of the search.
func (e Entry) eraseTraces(p *command.EraseTraces) (command.Result, string, error) {
	x, known, err := personal.Erasures.Get(e.Txn, p.Pseudonym)
	if p.Answers && x.Done() && !x.Answered { // erased by software that left them
		x.Phase = personal.Answers
	}
	switch {
	case err != nil:
		return failed(err)
	case !known:
		return refuse(command.KindNotFound, "erased-nobody", "nobody was erased under the pseudonym %s", p.Pseudonym)
	case x.Done() || p.Step < x.Step:
		return command.OK(command.SearchResult{Done: x.Done(), Step: x.Step}), "", nil
	case p.Step > x.Step:
		return refuse(command.KindGap, "erased-step", "want step %d of %s", x.Step, p.Pseudonym)
	}
	x.Step++
	switch x.Phase {
	case personal.AuditLines:
		if err = e.searchLines(&x); x.Done() && p.Answers {
			x.Phase = personal.Answers
		}
	case personal.Answers:
		err = e.searchAnswers(&x)
	case personal.Notices:
		err = e.searchNotices(&x)
	default:
		err = e.searchFacts(&x)
	}
	if err != nil {
		return failed(err)
	}
	summary := ""
	if x.Done() {
		x.Words, x.DoneAt = nil, e.Index
		summary = fmt.Sprintf("%s is erased everywhere in what is agreed: %d records and %d audit lines have lost words", x.Pseudonym, x.Facts, x.Lines)
	}
	if err := personal.Erasures.Put(e.Txn, x); err != nil {
		return failed(err)
	}
	return command.OK(command.SearchResult{Done: x.Done(), Step: x.Step}), summary, nil
}

// kinds are the kinds of facts that the phases search.
var kinds = map[personal.Phase]fact.Kind{
	personal.Reports: fact.KindReport, personal.Moderations: fact.KindModeration, personal.FollowUps: fact.KindFollowUp, personal.Residents: fact.KindResidents,
}

// searchFacts looks at the next facts of the phase's kind.
func (e Entry) searchFacts(x *personal.Erasure) error {
	kind := kinds[x.Phase]
	page, err := factlog.KeptAfter(e.Txn, uint8(kind), x.Index, x.N, factsAtOnce)
	if err != nil {
		return err
	}
	var lines []audit.Sealed
	for _, k := range page {
		x.Index, x.N = k.Index, k.N
		f, ok := opened(k)
		if !ok {
			continue
		}
		left, err := e.without(x, f)
		if err != nil {
			return err
		}
		if left == nil {
			continue
		}
		more, err := e.rewrite(k, kind, left)
		if err != nil {
			return err
		}
		x.Facts++
		lines = append(lines, more...)
	}
	if len(page) < factsAtOnce {
		x.Phase, x.Index, x.N = x.Phase+1, 0, 0
	}
	return e.sealed(x, lines)
}

// searchNotices looks at the next planned notices: what persons said of them. What a notice itself says is an alert.
// One that is open is changed by it, so that who has read it before cannot bring the words back.
func (e Entry) searchNotices(x *personal.Erasure) error {
	page, err := notice.Notices.After(e.Txn, x.Notice, noticesAtOnce)
	if err != nil {
		return err
	}
	for _, n := range page {
		x.Notice = n.ID
		changed := false
		for i := range n.Acts {
			if take(x, &n.Acts[i].Text, notice.MaxText) {
				changed = true
			}
		}
		if !changed {
			continue
		}
		n.Index = e.Index
		if err := notice.Notices.Put(e.Txn, n); err != nil {
			return err
		}
		x.Facts++
	}
	if len(page) < noticesAtOnce {
		x.Phase, x.Notice = x.Phase+1, ""
	}
	return nil
}

// searchLines looks at the next audit lines.
func (e Entry) searchLines(x *personal.Erasure) error {
	var hits []uint64
	looked := 0
	err := audit.Each(e.Txn, x.Line+1, 0, func(line audit.Entry) (bool, error) {
		looked++
		x.Line = line.N
		if _, found := personal.Replace(line.Summary, x.Words, x.Pseudonym); found {
			hits = append(hits, line.N)
		}
		return looked < linesAtOnce && len(hits) < factsAtOnce, nil
	})
	if err != nil {
		return err
	}
	var lines []audit.Sealed
	for _, n := range hits {
		sealed, ok, err := audit.Rewrite(e.Txn, n, func(text string) (string, bool) { return personal.Replace(text, x.Words, x.Pseudonym) })
		if err != nil {
			return err
		}
		if ok {
			lines = append(lines, sealed)
		}
	}
	if looked < linesAtOnce && len(hits) < factsAtOnce {
		x.Phase = personal.Finished
	}
	return e.sealed(x, lines)
}

// sealed puts on the audit which of its lines have lost words, so that the chain goes on being verified.
func (e Entry) sealed(x *personal.Erasure, lines []audit.Sealed) error {
	if len(lines) == 0 {
		return nil
	}
	x.Lines += uint32(len(lines))
	return e.line("audit lines erase", fmt.Sprintf("%s: words of %d lines", x.Pseudonym, len(lines)), lines)
}

// Erased is the pseudonym of a member that was erased; "" for any other.
func (e Entry) Erased(ordinal uint32) (string, error) {
	id, err := member.ID(e.Txn, ordinal)
	if err != nil || !strings.HasPrefix(id, personal.PseudonymPrefix) {
		return "", err
	}
	x, known, err := personal.Erasures.Get(e.Txn, id)
	if !known {
		return "", err
	}
	return x.Pseudonym, err
}

// came notes that something of an erased person came late. The entry that brought it is in the log, and the fact in
// journals, as it was signed: nodes clear their files once more.
func (e Entry) came(pseudonym string) error {
	if e.Speaks < command.AnswersSince {
		return nil
	}
	x, known, err := personal.Erasures.Get(e.Txn, pseudonym)
	if err != nil || !known {
		return err
	}
	if x.Late = e.At; x.Done() {
		x.DoneAt = e.Index
	}
	return personal.Erasures.Put(e.Txn, x)
}

// Late is what may be recorded of a fact that comes when the person whom it is about was erased before: a
// node that was away brings it. ok is false where it is about nobody who was.
func (e Entry) Late(kind fact.Kind, body []byte) (left []byte, ok bool, err error) {
	switch kind {
	case fact.KindReport:
		r, bad := factbody.DecodeReport(body)
		if bad != nil {
			return nil, false, nil
		}
		pseudonym, err := e.Erased(r.Member)
		if err != nil || pseudonym == "" {
			return nil, false, err
		}
		if err := e.came(pseudonym); err != nil {
			return nil, false, err
		}
		return nil, true, personal.MarkReport(e.Txn, r.Report, pseudonym)
	case fact.KindModeration:
		m, bad := factbody.DecodeModeration(body)
		if bad != nil {
			return nil, false, nil
		}
		of, err := personal.OfReport(e.Txn, m.Report)
		if err != nil || of == "" {
			return nil, false, err
		}
		return nil, true, e.came(of)
	case fact.KindFollowUp:
		u, bad := factbody.DecodeFollowUp(body)
		if bad != nil || u.Note == "" {
			return nil, false, nil
		}
		for _, m := range u.Members {
			pseudonym, err := e.Erased(m)
			if err != nil {
				return nil, false, err
			}
			if pseudonym != "" {
				if err := e.came(pseudonym); err != nil {
					return nil, false, err
				}
				u.Note = ""
				left, err = u.Encode()
				return left, true, err
			}
		}
	}
	return nil, false, nil
}
