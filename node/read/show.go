package read

import (
	"context"
	"slices"
	"time"

	"github.com/RoaringBitmap/roaring/v2"

	"almenara/node/addressed"
	"almenara/node/alerts"
	"almenara/node/authority"
	"almenara/node/reached"
	"almenara/node/spokencode"
	"almenara/node/stories"
	"almenara/node/texts"
	"almenara/node/wire"
	"almenara/node/wire/acts"
	"almenara/storage/alert"
	"almenara/storage/alert/board"
	"almenara/storage/factbody"
	"almenara/storage/receipt"
)

// ShowAlert implements service.Reader.
func (r *Reader) ShowAlert(ctx context.Context, id string) (wire.Alert, error) {
	done, err := r.reading(ctx)
	if err != nil {
		return wire.Alert{}, err
	}
	defer done()
	s, err := r.stories.Find(id)
	if err != nil {
		return wire.Alert{}, err
	}
	view, err := r.reached.Now()
	if err != nil {
		return wire.Alert{}, err
	}
	out, who, err := r.sumUp(s, view)
	if err != nil {
		return out, err
	}
	waiting := s.Waiting(r.clock())
	for _, list := range [][]*alerts.Message{s.Messages, s.Cancels} {
		for _, m := range list {
			shown, err := r.messageOut(s, m, view)
			if err != nil {
				return out, err
			}
			shown.Pending = slices.Contains(waiting, m)
			if m == s.Current() || shown.Pending {
				if m, err = m.Whole(); err != nil {
					return out, err
				}
				shown.Texts = texts.Of(m.Alert)
			}
			if shown.Pending {
				shown.Approvals, shown.Number = r.approvalsOf(m, r.book.Approvers(m)), spokencode.Number(m.Entry.Digest)
			}
			out.Messages = append(out.Messages, shown)
		}
	}
	out.ByGroup, err = r.groups(s, who, view)
	return out, err
}

// messageOut is one message and whom it reached: a later message changes nothing of what
// was shown before.
func (r *Reader) messageOut(s *stories.Story, m *alerts.Message, view reached.View) (wire.Message, error) {
	says, err := m.Brief()
	out := wire.Message{
		Key: m.Entry.Key.String(), MsgType: string(m.Entry.MsgType), Revision: uint64(m.Entry.Revision),
		Accepted: m.Entry.Accepted, Author: says.Issue.Author, Fact: m.Fact, Digest: m.Entry.Digest, Reason: says.Issue.Reason,
		Headline: says.Headline, Headlines: says.Headlines, Original: r.originals.Copy(says.Issue),
	}
	if err != nil || m.Entry.MsgType == alert.MsgTypeCancel {
		return out, err
	}
	who, err := r.addressed.Of(s, m)
	if err != nil {
		return out, err
	}
	rungs, err := r.rungs(s, m, who, view)
	out.Addressed, out.Joined, out.Rungs = who.Addressed.GetCardinality(), who.Joined.GetCardinality(), &rungs
	return out, err
}

// summary is one alert as lists show it.
func (r *Reader) summary(s *stories.Story, view reached.View) (wire.Alert, error) {
	out, _, err := r.sumUp(s, view)
	out.Addressed.ByPlace = nil
	return out, err
}

// sumUp is one alert without its messages, and who counts for it.
func (r *Reader) sumUp(s *stories.Story, view reached.View) (wire.Alert, addressed.Who, error) {
	m := s.Latest()
	who, err := r.addressed.Of(s, s.Current())
	if err != nil {
		return wire.Alert{}, who, err
	}
	rungs, err := r.rungs(s, s.Current(), who, view)
	if err != nil {
		return wire.Alert{}, who, err
	}
	says, err := m.Brief()
	if err != nil {
		return wire.Alert{}, who, err
	}
	out := wire.Alert{
		ID: string(s.ID), Revision: uint64(m.Entry.Revision), Key: m.Entry.Key.String(), State: r.stories.State(s),
		Status: string(m.Entry.Status), MsgType: string(m.Entry.MsgType), Headline: says.Headline, Headlines: says.Headlines,
		Sent: m.Entry.Sent.UTC(), Author: says.Issue.Author, Select: says.Select,
		CountsFrom: view.From(), Rungs: rungs, Addressed: r.members.Counts(who.Addressed), Joined: who.Joined.GetCardinality(),
		Personal: s.Personal(),
	}
	if stands := s.Current(); stands != nil && stands.Alert != nil {
		out.Tier = string(alert.PresentationOf(stands.Entry.Status, stands.Alert.Infos).Tier)
	}
	out.Waiting, out.PendingUpdates, out.Changes = r.stories.Pending(s)
	if m.Entry.MsgType != alert.MsgTypeCancel {
		out.Expires = m.Entry.Expires.UTC()
	}
	out.Replication, out.HeldBy, out.HeldOf = r.progress.Of(m.Fact).Wire()
	r.showAuthority(&out, m, says.Issue, s, who.Addressed)
	return out, who, r.showFollowUps(&out, s, who, view)
}

// showFollowUps adds what people did about the message that is shown.
func (r *Reader) showFollowUps(out *wire.Alert, s *stories.Story, who addressed.Who, view reached.View) error {
	m := s.Current()
	if m == nil {
		return nil
	}
	if last, next, every := r.followUps.RemindersOf(s.IDs, m, func() []board.Approval { return r.stories.Approved(s, m) }, r.clock()); !last.IsZero() || !next.IsZero() {
		out.Reminders = &acts.Reminders{Last: last, EveryMinutes: int(every.Minutes()), Next: next}
	}
	var err error
	if out.Escalation, _, err = r.further.Of(s, m, who.Entitled(), view); err != nil {
		return err
	}
	if out.Escalation != nil && out.State != wire.StateInForce {
		out.Escalation.Next = time.Time{} // nobody is called for what is over
	}
	told, err := r.followUps.Told(s.IDs, m.Entry.Revision)
	if err != nil || len(told) == 0 {
		return err
	}
	presented, err := view.Members(s.IDs, m.Entry.Revision, receipt.Presented)
	if err != nil {
		return err
	}
	everybody := who.Entitled()
	for o := range told {
		if everybody.Contains(o) && !presented.Contains(o) {
			out.Told++
		}
	}
	return nil
}

// rungs counts who reached which rung of a message.
func (r *Reader) rungs(s *stories.Story, m *alerts.Message, who addressed.Who, view reached.View) (wire.Rungs, error) {
	if m == nil {
		return wire.Rungs{}, nil
	}
	everybody := who.Entitled()
	c, err := view.Counts(everybody, s.IDs, m.Entry.Revision)
	if err != nil {
		return wire.Rungs{}, err
	}
	out := wire.Rungs(c)
	out.Queued = everybody.GetCardinality()
	return out, nil
}

// groups is the table of who was reached: a line for each kind in each block.
func (r *Reader) groups(s *stories.Story, who addressed.Who, view reached.View) ([]wire.GroupRow, error) {
	m := s.Current()
	if m == nil {
		return nil, nil
	}
	entitled := who.Entitled()
	table := newGroupTable(r.audience())
	table.add(entitled, func(r *wire.Rungs) *uint64 { return &r.Queued })
	for rung, field := range rungFields {
		members, err := view.Members(s.IDs, m.Entry.Revision, rung)
		if err != nil {
			return nil, err
		}
		members.And(entitled)
		table.add(members, field)
	}
	return table.rows(), nil
}

// rungFields are the counted rungs above queued.
var rungFields = map[receipt.Rung]func(*wire.Rungs) *uint64{
	receipt.Sent:         func(r *wire.Rungs) *uint64 { return &r.Sent },
	receipt.Delivered:    func(r *wire.Rungs) *uint64 { return &r.Delivered },
	receipt.Verified:     func(r *wire.Rungs) *uint64 { return &r.Verified },
	receipt.Presented:    func(r *wire.Rungs) *uint64 { return &r.Presented },
	receipt.Acknowledged: func(r *wire.Rungs) *uint64 { return &r.Acknowledged },
	receipt.Failed:       func(r *wire.Rungs) *uint64 { return &r.Failed },
	receipt.Expired:      func(r *wire.Rungs) *uint64 { return &r.Expired },
	receipt.Cancelled:    func(r *wire.Rungs) *uint64 { return &r.Cancelled },
	receipt.Refused:      func(r *wire.Rungs) *uint64 { return &r.Refused },
}

// Event is what an alert has come to, as an event says it: no summary. False for a
// receipt of an alert that nobody here has heard of.
func (r *Reader) Event(id alert.ID) (wire.Event, bool) {
	s, err := r.stories.Of(id)
	if err != nil {
		return wire.Event{}, false
	}
	m := s.Current()
	who, err := r.addressed.Of(s, m)
	if err != nil {
		r.log.Error("who is addressed by an alert cannot be read", "alert", id, "error", err)
		return wire.Event{}, false
	}
	view, err := r.reached.Now()
	if err != nil {
		r.log.Error("the receipts that wait cannot be read", "alert", id, "error", err)
		return wire.Event{}, false
	}
	rungs, err := r.rungs(s, m, who, view)
	if err != nil {
		r.log.Error("the receipts of an alert cannot be counted", "alert", id, "error", err)
		return wire.Event{}, false
	}
	latest := s.Latest()
	says, err := latest.Brief()
	if err != nil {
		r.log.Error("an alert cannot be read", "alert", id, "error", err)
		return wire.Event{}, false
	}
	return wire.Event{
		Alert: string(s.ID), Revision: uint64(latest.Entry.Revision), State: r.stories.State(s), CountsFrom: view.From(), Rungs: &rungs,
		Text: says.Headline, Personal: s.Personal(),
	}, true
}

// approvalsOf is who approved a message that waits, and who is asked now.
func (r *Reader) approvalsOf(m *alerts.Message, given []board.Approval) *wire.Approvals {
	out, err := r.asked(m, given)
	if err != nil {
		r.log.Error("who may approve an alert cannot be read", "alert", m.Entry.Key.String(), "error", err)
	}
	return out
}

// showAuthority adds by what right the message went out.
func (r *Reader) showAuthority(out *wire.Alert, m *alerts.Message, of factbody.Issue, s *stories.Story, members *roaring.Bitmap) {
	out.Scenario, out.Incident, out.Licence = of.Scenario, of.Incident, of.Licence
	given := r.stories.Approved(s, m)
	out.Policy, out.Approvals = of.Policy, authority.ApprovalsOut(of, given)
	if out.State == wire.StatePending {
		out.Approvals = r.approvalsOf(m, given)
	}
	if of.Alone > 0 {
		out.Alone = time.UnixMilli(of.Alone).UTC()
	}
	out.Duplicates, out.PersonalDuplicates = r.duplicates.of(s, members)
	out.Duplicates = slices.DeleteFunc(slices.Clone(out.Duplicates), func(id string) bool { // a change is about the same, and says so
		return slices.Contains(out.PendingUpdates, id) || slices.Contains(out.Changes, id)
	})
}
