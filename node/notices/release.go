package notices

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"almenara/cluster/command"
	"almenara/node/authority"
	"almenara/node/judge"
	"almenara/node/wire"
	"almenara/node/wire/why"
	"almenara/storage/alert"
	"almenara/storage/notice"
)

// Release sends what is locked and whose time has come, in its author's name, and puts on record what
// became of it. The node that leads calls it again and again. What it sends has the same identifier and
// time each time, so that a leader that was lost in the middle, and the next one, send one alert. What is out is on
// record as sent, also where its author was revoked since, and where that was not known at first.
func (s *Notices) Release(ctx context.Context) error {
	open, err := s.unfinished()
	if err != nil {
		return err
	}
	var all []error
	for _, n := range open {
		switch {
		case n.State == notice.Locked && dueAt(n) <= s.o.Clock().UnixMilli():
			all = append(all, s.release(ctx, n.ID))
		case n.State == notice.Failed && n.Alert != "": // the node that began to send it was lost; what it sent may come to be known
			all = append(all, outAfterAll(ctx, s, n))
		}
	}
	return errors.Join(all...)
}

// dueAt is when a locked notice goes out, in ms since 1970.
func dueAt(n notice.Notice) int64 { return max(n.At, n.Since) }

func (s *Notices) release(ctx context.Context, id string) error {
	n, said, err := s.find(id)
	if err != nil || n.State != notice.Locked {
		return err
	}
	version, begun := said[len(said)-1], n.Alert != ""
	if begun {
		if out, err := s.o.Known(n.Alert); err != nil || out {
			return errors.Join(err, wentOut(ctx, s, n, out))
		}
	}
	out, err := s.send(ctx, n, version, true) // what cannot go out now is not begun
	if err == nil {
		var of notice.Notice
		if of, err = s.begin(ctx, n, version); err == nil {
			n = of
			out, err = s.send(ctx, n, version, false)
		} else if !begun {
			return err
		}
	}
	var problem *wire.Problem
	switch {
	case err == nil:
	case !errors.As(err, &problem) || again(problem.Kind):
		err = fmt.Errorf("sending the notice %s: %w", id, err)
		if !begun && problem != nil && problem.Kind != wire.KindUnknownOutcome {
			err = errors.Join(err, s.pause(ctx, n)) // nothing was sent
		}
		return err
	default:
		if !begun { // else another node may have sent it, and this one not have heard of that
			n.Alert = ""
		}
		return s.settle(ctx, n, notice.Failed, notice.Act{Do: notice.Fail, Text: cut(problem.Sentence)})
	}
	if out.State == wire.StatePending {
		s.approve(ctx, n, out.Alert)
	}
	n.Alert = out.Alert
	return s.settle(ctx, n, notice.Sent, notice.Act{Do: notice.GoOut})
}

// outAfterAll puts on record that a notice went out of which it was thought that it could not, where its alert is known now.
// What was said of it is read once that is so alone: a hundred of them are looked at every few seconds.
func outAfterAll(ctx context.Context, s *Notices, looked notice.Notice) error {
	if out, err := s.o.Known(looked.Alert); err != nil || !out {
		return err
	}
	n, _, err := s.find(looked.ID)
	if err != nil || n.State != notice.Failed || n.Alert != looked.Alert {
		return err
	}
	return wentOut(ctx, s, n, true)
}

// wentOut puts on record that the notice went out, if so.
func wentOut(ctx context.Context, s *Notices, n notice.Notice, out bool) error {
	if !out {
		return nil
	}
	s.approve(ctx, n, n.Alert) // whoever sent it may not have come to that
	return s.settle(ctx, n, notice.Sent, notice.Act{Do: notice.GoOut})
}

// begin puts on record which alert the notice is about to be. Whoever withdraws it is before that, and it does not
// go out, or is told that it has; a notice that is on record as withdrawn was sent by nobody.
func (s *Notices) begin(ctx context.Context, n notice.Notice, v notice.Version) (notice.Notice, error) {
	author, err := s.person(n.Author)
	if err != nil {
		return n, err
	}
	id := string(alert.Key{
		Sender: cmp.Or(append(author.Senders[:len(author.Senders):len(author.Senders)], s.o.District())...), Identifier: identifierOf(n, v), Sent: alert.NewDateTime(time.UnixMilli(dueAt(n)).UTC()),
	}.ID())
	switch n.Alert {
	case id:
		return n, nil
	case "":
		n.Alert = id
	default: // it would be a second alert
		return n, wire.Problemf(wire.KindRefused, "it was begun under another CAP sender than its author's is now").Because(why.NoticeChanged)
	}
	if _, err := s.o.Proposer.Change(ctx, n.Author, &command.PutNotice{Notice: n, Was: n.Index}); err != nil {
		return n, err
	}
	begun, _, err := s.find(n.ID)
	return begun, err
}

// pause lets the notice be withdrawn again that could not be sent just now.
func (s *Notices) pause(ctx context.Context, n notice.Notice) error {
	if n.Alert == "" {
		return nil
	}
	n.Alert = ""
	_, err := s.o.Proposer.Change(ctx, n.Author, &command.PutNotice{Notice: n, Was: n.Index})
	return err
}

// again reports whether a refusal is of the moment, so that it is worth trying again.
func again(k wire.Kind) bool {
	return slices.Contains([]wire.Kind{wire.KindBusy, wire.KindNotReady, wire.KindNoQuorum, wire.KindUnknownOutcome, wire.KindOverBudget}, k)
}

// identifierOf is the CAP identifier of the alert that a version of a notice is.
func identifierOf(n notice.Notice, v notice.Version) string {
	return fmt.Sprintf("%s%s-%d", judge.NoticeName, n.ID, v.N)
}

// send sends the locked version by the way of every alert; a dry run says whether it could go out.
func (s *Notices) send(ctx context.Context, n notice.Notice, v notice.Version, dryRun bool) (wire.Outcome, error) {
	if !bytes.Equal(v.Digest(n.At), n.Digest) {
		return wire.Outcome{}, wire.Problemf(wire.KindRefused, "what is on record is not what was locked").Because(why.NoticeChanged)
	}
	author, err := s.person(n.Author)
	if err != nil {
		return wire.Outcome{}, err
	}
	form, err := dressed(v, identifierOf(n, v), time.UnixMilli(dueAt(n)))
	if err != nil {
		return wire.Outcome{}, err
	}
	return s.o.Sender.SendNotice(ctx, author, passed(v, form, n.Scenario), dryRun)
}

// person is a user who is still one.
func (s *Notices) person(name string) (authority.Caller, error) {
	users, err := s.o.Rules.Users()
	if err != nil {
		return authority.Caller{}, err
	}
	for _, u := range users {
		if u.Name == name && !u.Revoked {
			return callerOf(u), nil
		}
	}
	return authority.Caller{}, wire.Problemf(wire.KindForbidden, "%s, in whose name it would go out, was revoked", name).Because(why.NoUser, name)
}

// approve has those who passed the version on stand by the alert that it is, where the policy asks for
// approvals: they have read all that it says. Who may not approve it does not count, as ever.
func (s *Notices) approve(ctx context.Context, n notice.Notice, id string) {
	for level := range n.Levels {
		for _, a := range n.Passed(uint32(level)) {
			by, err := s.person(a.By)
			if err == nil {
				reason := fmt.Sprintf("passed version %d of the notice %s on at level %d", n.Versions, n.ID, level+1)
				_, err = s.o.Approvals.ApproveAlert(ctx, by, id, wire.Approve{Reason: reason}, wire.WaitLocal)
			}
			if err != nil {
				s.o.Logger.Info("who passed a notice on does not approve the alert", "notice", n.ID, "alert", id, "error", err)
			}
		}
	}
}

// settle puts on record what became of a locked notice.
func (s *Notices) settle(ctx context.Context, n notice.Notice, state notice.State, act notice.Act) error {
	act.By, act.At, act.Version, act.Level = n.Author, s.o.Clock().UnixMilli(), n.Versions, n.Level
	was := n.Index
	n.State, n.Since = state, act.At
	n.Acts = append(n.Acts, act)
	if len(n.Acts) > notice.MaxActs { // what became of it must find its place
		n.Acts = append(n.Acts[:notice.MaxActs-1:notice.MaxActs-1], act)
	}
	_, err := s.o.Proposer.Change(ctx, n.Author, &command.PutNotice{Notice: n, Was: was})
	return err
}

// cut is a sentence as long as the record takes it.
func cut(text string) string {
	if r := []rune(text); len(r) > mostText {
		return string(r[:mostText-1]) + "…"
	}
	return text
}
